import type { SourceConfig, SourcePicture } from './picture-source.ts';

/*
 * Pictures on their way from one media worker to another, over a socket of this machine: messages behind their length.
 * Times of due are the machine's (machine-time.ts).
 */

const CONFIG = 1;
const PICTURE = 2;
/** Length (32 bits, of what follows it) and type. */
const HEADER_BYTES = 5;
/** decodeMs, showMs, dueAt, keyFrameGapMs, soundLateMs: 64 bit floating point; then flags. */
const PICTURE_HEADER_BYTES = 5 * 8 + 1;
const KEY = 1;
const DISPOSABLE = 2;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

type ConfigText = Omit<SourceConfig, 'record' | 'parameterSets'> & {
  readonly record?: string;
  readonly parameterSets: readonly string[];
};

export function writeSourceConfig(config: SourceConfig): Buffer {
  const { record, parameterSets, ...rest } = config;
  const text: ConfigText = {
    ...rest,
    ...(record ? { record: record.toString('base64') } : {}),
    parameterSets: parameterSets.map((unit) => unit.toString('base64')),
  };
  const body = Buffer.from(JSON.stringify(text));
  return Buffer.concat([messageHeader(CONFIG, body.length, HEADER_BYTES), body]);
}

/** @returns two buffers to be written one after the other; the second is the picture's own */
export function writeSourcePicture(picture: SourcePicture): [header: Buffer, data: Buffer] {
  const { data, decodeMs, showMs, dueAt, keyFrameGapMs, soundLateMs, key, disposable } = picture;
  const bytes = PICTURE_HEADER_BYTES + data.length;
  const header = messageHeader(PICTURE, bytes, HEADER_BYTES + PICTURE_HEADER_BYTES);
  let at = HEADER_BYTES;
  for (const value of [decodeMs, showMs, dueAt, keyFrameGapMs, soundLateMs])
    at = header.writeDoubleBE(value, at);
  header[at] = (key ? KEY : 0) | (disposable ? DISPOSABLE : 0);
  return [header, data];
}

function messageHeader(type: number, bytes: number, allocate: number): Buffer {
  const header = Buffer.allocUnsafe(allocate);
  header.writeUInt32BE(bytes + 1, 0);
  header[4] = type;
  return header;
}

export interface PictureWireEvents {
  config(config: SourceConfig): void;
  picture(picture: SourcePicture): void;
}

/** Puts what comes over the socket together again. Holds one message at the most. */
export class PictureWireReader {
  #events: PictureWireEvents;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Of the message that has begun, with its length; undefined until that is there. */
  #wanted: number | undefined;

  constructor(events: PictureWireEvents) {
    this.#events = events;
  }

  /** @throws RangeError for what is no such message: the connection has to end */
  read(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= (this.#wanted ?? HEADER_BYTES)) {
      const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
      const wanted = 4 + whole.readUInt32BE(0);
      if (wanted > MAX_MESSAGE_BYTES || wanted < HEADER_BYTES)
        throw new RangeError(`A message of ${wanted} bytes.`);
      this.#wanted = wanted;
      this.#parts = [whole];
      if (whole.length < wanted) return;
      this.#parts = whole.length === wanted ? [] : [whole.subarray(wanted)];
      this.#bytes -= wanted;
      this.#wanted = undefined;
      this.#readMessage(whole.subarray(4, wanted));
    }
  }

  #readMessage(message: Buffer): void {
    const body = message.subarray(1);
    if (message[0] === CONFIG) this.#events.config(readConfig(body));
    else if (message[0] === PICTURE && body.length >= PICTURE_HEADER_BYTES)
      this.#events.picture(readPicture(body));
    else throw new RangeError(`A message of type ${message[0]}.`);
  }
}

function readConfig(body: Buffer): SourceConfig {
  try {
    const { record, parameterSets, ...rest } = JSON.parse(body.toString()) as ConfigText;
    return {
      ...rest,
      ...(record === undefined ? {} : { record: Buffer.from(record, 'base64') }),
      parameterSets: parameterSets.map((unit) => Buffer.from(unit, 'base64')),
    };
  } catch (error) {
    throw new RangeError(`A configuration that cannot be read: ${(error as Error).message}`);
  }
}

function readPicture(body: Buffer): SourcePicture {
  const flags = body[PICTURE_HEADER_BYTES - 1]!;
  return {
    decodeMs: body.readDoubleBE(0),
    showMs: body.readDoubleBE(8),
    dueAt: body.readDoubleBE(16),
    keyFrameGapMs: body.readDoubleBE(24),
    soundLateMs: body.readDoubleBE(32),
    key: (flags & KEY) !== 0,
    disposable: (flags & DISPOSABLE) !== 0,
    data: body.subarray(PICTURE_HEADER_BYTES),
  };
}
