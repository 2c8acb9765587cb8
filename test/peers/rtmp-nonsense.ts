import { once } from 'node:events';
import { seededRandom } from '../signals/random.ts';
import { type FlvTag, isKeyFrame, isSequenceHeader } from './flv-clip.ts';
import type { RtmpPublisher } from './rtmp-publisher.ts';
import { type AmfValue, basicHeader, ChunkWriter, encodeAmf, MessageType, uint32 } from './rtmp-wire.ts';

/* What strangers and broken encoders send over RTMP. */

/** A handshake without waiting for the other side's. */
export const SHAKEN = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)]);

const CONTROL = 2;
const random = seededRandom(20_261_121);

/** One message in chunks of 128 bytes, on stream 0. */
export function message(type: number, payload: Buffer, chunkStream = 3): Buffer {
  return new ChunkWriter().encode({ type, payload, chunkStream, streamId: 0, timestampMs: 0 });
}

function command(...values: readonly AmfValue[]): Buffer {
  return message(MessageType.commandAmf0, encodeAmf(...values));
}

/** The first chunk of a message that says it is that long. */
export function announced(chunkStream: number, length: number): Buffer {
  const header = Buffer.alloc(11);
  header.writeUIntBE(length, 3, 3);
  header[6] = MessageType.video;
  return Buffer.concat([basicHeader(0, chunkStream), header, Buffer.alloc(Math.min(length, 128))]);
}

function noise(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random() * 256));
}

/** Objects in objects, without an end. */
function nested(levels: number): Buffer {
  return Buffer.from('03000161'.repeat(levels), 'hex');
}

function times<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}

const unfinished = [
  ...times(16, (index) => announced(3 + index, 60_000)),
  ...times(16 * 40, (index) => Buffer.concat([basicHeader(3, 3 + (index % 16)), Buffer.alloc(128)])),
];

/** What has to be the end of its connection: what it is, the counter it goes to, and the bytes. */
export const ENDINGS: readonly (readonly [what: string, counter: string, bytes: Buffer])[] = [
  ['TLS', 'handshake', Buffer.concat([Buffer.from('16030101fc010001f80303', 'hex'), noise(508)])],
  ['HTTP', 'handshake', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ...(
    [
      ['noise', 'chunk', [Buffer.of(0xc3), noise(5000)]],
      ['an empty Set Chunk Size', 'chunk', [message(MessageType.setChunkSize, Buffer.alloc(0), CONTROL)]],
      ['a chunk size of 0', 'chunk', [message(MessageType.setChunkSize, uint32(0), CONTROL)]],
      ['a chunk size of 2^31', 'chunk', [message(MessageType.setChunkSize, uint32(2 ** 31), CONTROL)]],
      ['an empty Abort', 'chunk', [message(MessageType.abort, Buffer.alloc(0), CONTROL)]],
      ['a message of 16 MB', 'message-too-long', [announced(4, 0xffffff)]],
      ['256 chunk streams', 'too-many-streams', times(256, (index) => announced(3 + index, 4000))],
      ['unfinished messages', 'too-much-unfinished', unfinished],
      [
        'objects in objects',
        'amf',
        [command('connect', 1), message(MessageType.commandAmf0, nested(10_000))],
      ],
      ['a command that is none', 'command', [command(5, 'connect')]],
      ['publish before connect', 'command', [command('publish', 1, null, 'demo')]],
      ['connecting twice', 'command', [command('connect', 1), command('connect', 2)]],
      [
        'thousands of streams',
        'command',
        [command('connect', 1), ...times(2000, (index) => command('createStream', index + 2, null))],
      ],
    ] as const
  ).map(([what, counter, parts]) => [what, counter, Buffer.concat([SHAKEN, ...parts])] as const),
];

type Sender = (encoder: RtmpPublisher, clip: readonly FlvTag[]) => void | Promise<void>;

/** What an encoder that may publish sends, and what is not the end of its connection. */
export const ODDITIES: readonly (readonly [what: string, send: Sender])[] = [
  ['empty and cut off messages', sendCutOff],
  ['metadata that is none', sendMetadata],
  ['aborts, and messages of types that there are not', sendUnknown],
  ['pictures and sound before their configurations', sendTooEarly],
  ['configurations that make no sense', sendConfigurations],
  ['NAL units that are longer than what there is', sendWrongLengths],
  ['aggregates with little of use in them', sendAggregates],
  ['random times', sendRandomTimes],
];

/** The bodies of all tags of a type that are, or are not, sequence headers. */
export function bodies(clip: readonly FlvTag[], type: FlvTag['type'], what: 'header' | 'frame'): Buffer[] {
  const chosen = clip.filter((tag) => tag.type === type && isSequenceHeader(tag) === (what === 'header'));
  return chosen.map(({ body }) => body);
}

function sendCutOff(encoder: RtmpPublisher): void {
  for (const length of [0, 1, 2, 4]) {
    for (const first of [0x17, 0x97]) encoder.sendVideo(Buffer.alloc(length, first), 0);
    encoder.sendAudio(Buffer.alloc(length, 0xaf), 0);
  }
}

function sendMetadata(encoder: RtmpPublisher): void {
  const cutOff = Buffer.from('0800000fff0001610a7fffffff', 'hex');
  for (const payload of [
    Buffer.alloc(0),
    nested(10_000),
    Buffer.concat([encodeAmf('@setDataFrame', 'onMetaData'), cutOff]),
    encodeAmf('@setDataFrame'),
    encodeAmf('@setDataFrame', 'onMetaData', 5),
    encodeAmf('onMetaData', { encoder: 7, width: -1, height: Number.NaN }),
    encodeAmf('@setDataFrame', 'onMetaData', { encoder: '\u202e\n'.repeat(500), width: 2 ** 40, height: 1 }),
    ...times(50, () => noise(60)),
  ]) {
    encoder.sendMessage(4, MessageType.dataAmf0, payload);
    encoder.sendMessage(4, 15, payload); // for AMF 3
  }
}

function sendUnknown(encoder: RtmpPublisher): void {
  for (const csid of [0, 5, 999, 2 ** 32 - 1]) {
    encoder.sendMessage(CONTROL, MessageType.abort, uint32(csid), 0, 0);
  }
  for (const type of [0, 7, 10, 16, 19, 21, 99, 255]) encoder.sendMessage(6, type, noise(40));
  for (const type of [3, 4, 5, 6]) encoder.sendMessage(CONTROL, type, Buffer.alloc(1), 0, 0);
}

function sendTooEarly(encoder: RtmpPublisher, clip: readonly FlvTag[]): void {
  for (const body of bodies(clip, 'video', 'frame')) encoder.sendVideo(body, 0);
  for (const body of bodies(clip, 'audio', 'frame')) encoder.sendAudio(body, 0);
}

function sendConfigurations(encoder: RtmpPublisher, clip: readonly FlvTag[]): void {
  const [avc] = bodies(clip, 'video', 'header');
  const [aac] = bodies(clip, 'audio', 'header');
  for (let length = 5; length < avc!.length; length++) encoder.sendVideo(avc!.subarray(0, length), 0);
  for (const at of [9, 16]) {
    const wrong = Buffer.from(avc!);
    wrong[at]! ^= 0xff;
    encoder.sendVideo(wrong, 0);
    encoder.sendVideo(clip.find(isKeyFrame)!.body, 0);
  }
  encoder.sendAudio(aac!.subarray(0, 2), 0);
  for (const asc of ['0000', 'ffff']) {
    encoder.sendAudio(Buffer.from(`af00${asc}`, 'hex'), 0);
    encoder.sendAudio(bodies(clip, 'audio', 'frame')[0]!, 0);
  }
}

function sendWrongLengths(encoder: RtmpPublisher, clip: readonly FlvTag[]): void {
  encoder.sendVideo(bodies(clip, 'video', 'header')[0]!, 0);
  for (const [index, frame] of bodies(clip, 'video', 'frame').entries()) {
    const wrong = Buffer.from(frame);
    if (wrong.length < 9) continue; // the end of the sequence
    wrong.writeUInt32BE([0, 1, 0xff, 0x7fffffff, 0xffffffff][index % 5]!, 5);
    encoder.sendVideo(wrong, index * 33);
    encoder.sendVideo(frame.subarray(0, frame.length - 1 - index), index * 33 + 10);
  }
}

/** Small pictures, each in a megabyte of something else, hundreds of which may not be kept in memory. */
async function sendAggregates(encoder: RtmpPublisher, clip: readonly FlvTag[]): Promise<void> {
  encoder.sendVideo(bodies(clip, 'video', 'header')[0]!, 0);
  encoder.sendVideo(clip.find(isKeyFrame)!.body, 0);
  const small = bodies(clip, 'video', 'frame')[1]!.subarray(0, 20);
  const aggregate = Buffer.concat([flvTag(9, small), flvTag(18, Buffer.alloc(2 ** 20))]);
  const writer = new ChunkWriter();
  writer.chunkBytes = encoder.chunkBytes;
  const { streamId } = encoder;
  const bytes = writer.encode({ type: 22, payload: aggregate, chunkStream: 6, streamId, timestampMs: 0 });
  for (let sent = 0; sent < 300; sent++) {
    if (!encoder.sendRaw(bytes)) await once(encoder.socket, 'drain');
  }
}

function flvTag(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(11);
  header[0] = type;
  header.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([header, body, uint32(11 + body.length)]);
}

function sendRandomTimes(encoder: RtmpPublisher, clip: readonly FlvTag[]): void {
  for (const { type, body } of clip) {
    const time = Math.floor(random() * 2 ** 32);
    if (type === 'video') encoder.sendVideo(body, time);
    if (type === 'audio') encoder.sendAudio(body, time);
  }
}

/** Another format with each message, as fast as it goes. */
export function* formats(clip: readonly FlvTag[]): Generator<readonly ['audio' | 'video', Buffer]> {
  const [aac] = bodies(clip, 'audio', 'header');
  const [sound] = bodies(clip, 'audio', 'frame');
  const [avc] = bodies(clip, 'video', 'header');
  const mp3 = Buffer.concat([Buffer.of(0x2f), noise(400)]);
  for (let round = 0; round < 200; round++) {
    for (const body of [aac!, sound!, mp3]) yield ['audio', body];
    const other = Buffer.from(avc!);
    other[7] = round; // flags of the profile
    yield ['video', other];
    yield ['video', clip.find(isKeyFrame)!.body];
  }
}
