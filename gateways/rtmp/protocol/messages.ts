/* Message types (RTMP 1.0, sections 5.4, 6.2 and 7.1), and the messages that control the connection itself. */

export interface RtmpMessage {
  /** As in MESSAGE, or any other below 256. */
  type: number;
  /** ms, 32 bit unsigned */
  timestamp: number;
  streamId: number;
  payload: Buffer;
}

export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** Events of user control messages (section 7.1.7). */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

export type UserControlEvent = (typeof USER_CONTROL)[keyof typeof USER_CONTROL];

/** The chunk stream that control messages are sent on (section 5.4). */
export const CONTROL_CSID = 2;

/** How a bandwidth is meant (section 5.4.5). */
export const BANDWIDTH_LIMIT = { hard: 0, soft: 1, dynamic: 2 } as const;

/** Builders of control messages. Numbers of bytes are 32 bits and wrap. */
export const controlMessage = {
  /** @param bytes - 1 to 16777215, from the next chunk on */
  setChunkSize: (bytes: number): RtmpMessage => control(MESSAGE.setChunkSize, uint32(bytes)),
  abort: (csid: number): RtmpMessage => control(MESSAGE.abort, uint32(csid)),
  /** @param bytes - received so far in all */
  acknowledgement: (bytes: number): RtmpMessage => control(MESSAGE.acknowledgement, uint32(bytes)),
  /** @param bytes - after which the peer is to acknowledge */
  windowAcknowledgementSize: (bytes: number): RtmpMessage =>
    control(MESSAGE.windowAcknowledgementSize, uint32(bytes)),
  setPeerBandwidth: (bytes: number, limit: keyof typeof BANDWIDTH_LIMIT): RtmpMessage =>
    control(MESSAGE.setPeerBandwidth, Buffer.concat([uint32(bytes), Buffer.of(BANDWIDTH_LIMIT[limit])])),
  streamBegin: (streamId: number): RtmpMessage => userControl(USER_CONTROL.streamBegin, streamId),
  streamEof: (streamId: number): RtmpMessage => userControl(USER_CONTROL.streamEof, streamId),
  setBufferLength: (streamId: number, ms: number): RtmpMessage =>
    userControl(USER_CONTROL.setBufferLength, streamId, ms),
  /** @param timeMs - 32 bits of our clock */
  pingRequest: (timeMs: number): RtmpMessage => userControl(USER_CONTROL.pingRequest, timeMs),
  /** @param timeMs - of the request */
  pingResponse: (timeMs: number): RtmpMessage => userControl(USER_CONTROL.pingResponse, timeMs),
} as const;

export interface UserControl {
  /** One of USER_CONTROL, or one that nobody knows (there are more in use than are specified). */
  readonly event: number;
  /** The stream's id, or a ping's time. */
  readonly value: number;
  /** Of setBufferLength: milliseconds. */
  readonly second: number | undefined;
}

/** @returns the number that set chunk size, abort, acknowledgement and window acknowledgement size carry, or undefined when it is too short */
export function parseControlNumber({ payload }: RtmpMessage): number | undefined {
  return payload.length >= 4 ? payload.readUInt32BE(0) : undefined;
}

/** @returns the bytes; `limit` as in BANDWIDTH_LIMIT; undefined when it is too short */
export function parsePeerBandwidth({ payload }: RtmpMessage): { bytes: number; limit: number } | undefined {
  return payload.length >= 5 ? { bytes: payload.readUInt32BE(0), limit: payload[4]! } : undefined;
}

/** @returns undefined when it is too short to be one */
export function parseUserControl({ payload }: RtmpMessage): UserControl | undefined {
  if (payload.length < 6) return undefined;
  return {
    event: payload.readUInt16BE(0),
    value: payload.readUInt32BE(2),
    second: payload.length >= 10 ? payload.readUInt32BE(6) : undefined,
  };
}

function userControl(event: UserControlEvent, ...values: number[]): RtmpMessage {
  return control(MESSAGE.userControl, Buffer.concat([Buffer.of(0, event), ...values.map(uint32)]));
}

/** Of the connection itself: stream 0, and no time (section 5.4). */
function control(type: number, payload: Buffer): RtmpMessage {
  return { type, timestamp: 0, streamId: 0, payload };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
