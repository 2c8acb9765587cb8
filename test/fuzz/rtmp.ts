import { type AmfValue, readAmf0, writeAmf0 } from '../../gateways/rtmp/protocol/amf0.ts';
import { ChunkReader } from '../../gateways/rtmp/protocol/chunk-reader.ts';
import { ChunkWriter } from '../../gateways/rtmp/protocol/chunk-writer.ts';
import { commandMessage, parseCommand, parseData } from '../../gateways/rtmp/protocol/command.ts';
import { ClientHandshake, ServerHandshake } from '../../gateways/rtmp/protocol/handshake.ts';
import type { RtmpMessage } from '../../gateways/rtmp/protocol/messages.ts';
import {
  controlMessage,
  MESSAGE,
  parseControlNumber,
  parsePeerBandwidth,
  parseUserControl,
} from '../../gateways/rtmp/protocol/messages.ts';
import { RtmpError } from '../../gateways/rtmp/protocol/rtmp-error.ts';
import { seededRandom } from '../signals/random.ts';
import { FuzzFailure, type FuzzReport } from './failure.ts';
import { Mutator } from './mutator.ts';

/** Small, so that every one of them is run into. */
const LIMITS = { maxMessageBytes: 6000, maxChunkStreams: 5, maxBufferedBytes: 9000 };
const AMF_DEPTH = 16;
const AMF_VALUES = 2000;
const AMF_TEXT_BYTES = 2 ** 20;

/** AMF 3 of all types, with references of every kind. */
const AMF3 = [
  '11 0913 01 0a0b01 0361 03 01 0a01 0362 02 01 0a02 06056869 0604 08014276e36000000000 0806 0b093c612f3e 0c0500ff',
  '11 0a23 07412e42 0361 0362 03 02',
  '11 0905 01 04ffffff7f 05c000000000000000',
  '11 0903 0361 0a0b01 0362 053ff8000000000000 01 01 0405',
].map((text) => Buffer.from(text.replaceAll(' ', ''), 'hex'));

/**
 * Feeds handshakes, chunks and AMF that are nearly right, or not at all, to all that reads them.
 * @throws FuzzFailure when anything but RtmpError comes out, limits are not kept, or it matters where bytes are split
 */
export function fuzzRtmp(seed: number, rounds: number): FuzzReport {
  const mutator = new Mutator(seededRandom(seed));
  const report: FuzzReport = { rounds, refused: {} };
  const targets = [fuzzChunks, fuzzChunks, fuzzAmf, fuzzAmf, fuzzHandshake];
  for (let round = 0; round < rounds; round++) {
    const code = mutator.pick(targets)(mutator);
    if (code) report.refused[code] = (report.refused[code] ?? 0) + 1;
  }
  return report;
}

/** @returns why it was refused */
function attempt(bytes: Buffer, action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof RtmpError) return error.code;
    throw error instanceof FuzzFailure ? error : new FuzzFailure('Something else was thrown', bytes, error);
  }
}

function fuzzChunks(mutator: Mutator): string | undefined {
  const bytes =
    mutator.below(10) === 0 ? mutator.bytes(mutator.below(600)) : mutator.mutate(session(mutator));
  const whole = readChunks(bytes, [bytes]);
  const split = readChunks(bytes, mutator.pieces(bytes));
  // How much is allocated in advance depends on how much comes at a time.
  const codes = [whole.code, split.code];
  if (!codes.includes('too-much-unfinished') && JSON.stringify(whole) !== JSON.stringify(split))
    throw new FuzzFailure('It matters where the bytes are split', bytes);
  return whole.code;
}

function readChunks(bytes: Buffer, pieces: readonly Buffer[]) {
  const reader = new ChunkReader(LIMITS);
  const messages: [number, number, number, number][] = [];
  const code = attempt(bytes, () => {
    for (const piece of pieces) {
      reader.read(piece, (message) => {
        const { type, timestamp, streamId, payload } = message;
        messages.push([type, timestamp, streamId, sum(payload)]);
        parse(message);
      });
      if (reader.bufferedBytes < 0 || reader.bufferedBytes > LIMITS.maxBufferedBytes)
        throw new FuzzFailure(`${reader.bufferedBytes} bytes are buffered`, bytes);
      if (reader.bufferedBytes > 2 * reader.bytesRead + LIMITS.maxChunkStreams * 1024)
        throw new FuzzFailure(`${reader.bufferedBytes} bytes are buffered of ${reader.bytesRead}`, bytes);
    }
  });
  return { code, messages };
}

function sum(bytes: Buffer): number {
  return bytes.reduce((before, byte) => (Math.imul(before, 31) + byte) | 0, bytes.length);
}

/** As a session does with what it gets. */
function parse(message: RtmpMessage): void {
  const { type, timestamp, payload } = message;
  if (timestamp !== timestamp >>> 0) throw new FuzzFailure(`A timestamp is ${timestamp}`, payload);
  if (type === MESSAGE.commandAmf0 || type === MESSAGE.commandAmf3)
    requireSmall(parseCommand(message).args, payload);
  if (type === MESSAGE.dataAmf0 || type === MESSAGE.dataAmf3) requireSmall(parseData(message), payload);
  if (type === MESSAGE.userControl) parseUserControl(message);
  if (type === MESSAGE.setPeerBandwidth) parsePeerBandwidth(message);
  if (type === MESSAGE.acknowledgement || type === MESSAGE.windowAcknowledgementSize)
    parseControlNumber(message);
}

function fuzzAmf(mutator: Mutator): string | undefined {
  const kind = mutator.below(5);
  const start =
    kind === 0
      ? mutator.bytes(mutator.below(60))
      : kind === 1
        ? mutator.pick(AMF3)
        : kind === 2
          ? Buffer.concat([writeAmf0(...amfValues(mutator)), mutator.pick(AMF3)])
          : kind === 3
            ? Buffer.concat(Array.from({ length: 1 + mutator.below(12) }, () => entangled(mutator, 0)))
            : writeAmf0(...amfValues(mutator));
  const bytes = mutator.mutate(start);
  return attempt(bytes, () => requireSmall(readAmf0(bytes), bytes));
}

/** Arrays and objects of AMF 0 and, within them, of AMF 3, full of references to each other and to themselves. */
function entangled(mutator: Mutator, depth: number): Buffer {
  const count = depth < 18 ? mutator.pick([0, 1, 1, 1, 2, 9]) : 0;
  const within = () => Array.from({ length: count }, () => entangled(mutator, depth + 1));
  switch (mutator.below(depth === 0 ? 2 : 5)) {
    case 0:
      return Buffer.concat([Buffer.of(0x0a, 0, 0, 0, count), ...within()]);
    case 1:
      return Buffer.concat([
        Buffer.of(0x03),
        ...within().map((value, at) => Buffer.concat([Buffer.of(0, 1, at), value])),
        Buffer.of(0, 0, 9),
      ]);
    case 2:
      return Buffer.concat([Buffer.of(0x11), entangled3(mutator, depth)]);
    default:
      return Buffer.of(0x07, 0, mutator.below(8));
  }
}

function entangled3(mutator: Mutator, depth: number): Buffer {
  const count = depth < 18 ? mutator.pick([0, 1, 1, 2, 9]) : 0;
  const within = () => Array.from({ length: count }, () => entangled3(mutator, depth + 1));
  switch (mutator.below(4)) {
    case 0:
      return Buffer.concat([Buffer.of(0x09, (count << 1) | 1, 1), ...within()]);
    case 1:
      return Buffer.concat([
        Buffer.of(0x0a, 0x0b, 1),
        ...within().map((value, at) => Buffer.concat([Buffer.of(3, at), value])),
        Buffer.of(1),
      ]);
    default:
      return Buffer.of(mutator.pick([0x06, 0x09, 0x0a]), mutator.below(8) << 1);
  }
}

/** Walks through it as somebody does who logs it or passes it on. */
function requireSmall(values: readonly AmfValue[], bytes: Buffer): void {
  let count = 0;
  let textBytes = 0;
  const walk = (value: AmfValue, depth: number): void => {
    if (++count > AMF_VALUES) throw new FuzzFailure('There are too many values', bytes);
    if (typeof value === 'string') textBytes += value.length;
    if (typeof value !== 'object' || value === null) return;
    if (value instanceof Date) return void value.toISOString();
    if (depth >= AMF_DEPTH) throw new FuzzFailure('Values are nested too deeply', bytes);
    if (Array.isArray(value)) {
      for (const element of value) walk(element, depth + 1);
      return;
    }
    if (Object.getPrototypeOf(value) !== null || Object.hasOwn(value, '__proto__'))
      throw new FuzzFailure('An object has a prototype', bytes);
    for (const [key, property] of Object.entries(value)) {
      textBytes += key.length;
      walk(property, depth + 1);
    }
  };
  for (const value of values) walk(value, 0);
  if (textBytes > AMF_TEXT_BYTES) throw new FuzzFailure('There is too much text', bytes);
}

function fuzzHandshake(mutator: Mutator): string | undefined {
  const random = (length: number) => Buffer.alloc(length);
  const now = () => 0;
  const Side = mutator.pick([ServerHandshake, ClientHandshake]);
  const version = mutator.below(20) === 0 ? mutator.bytes(1) : Buffer.of(3);
  const length = mutator.below(2) === 0 ? 3072 + mutator.below(3) : mutator.below(4000);
  const bytes = Buffer.concat([version, Buffer.alloc(length, mutator.below(256))]);
  return attempt(bytes, () => {
    const side = new Side(random, now);
    let rest: Buffer | undefined;
    for (const piece of mutator.pieces(bytes)) {
      if (rest) rest = Buffer.concat([rest, piece]);
      else rest = side.read(piece).done?.rest;
    }
    const expected = length < 3072 ? undefined : length - 3072;
    if (rest?.length !== expected) throw new FuzzFailure('The handshake ends elsewhere', bytes);
  });
}

/** Chunks of a publisher who does everything that there is, in no order. */
function session(mutator: Mutator): Buffer {
  const writer = new ChunkWriter();
  const parts: Buffer[] = [];
  const later: Buffer[] = [];
  let time = mutator.pick([0, 0, 0xfffff0, 0xfffffff0]);
  for (let left = 1 + mutator.below(12); left > 0; left--) {
    time = (time + mutator.pick([0, 20, 20, 33, 0x1000000])) >>> 0;
    const csid = mutator.pick([3, 4, 4, 4, 6, 64, 320]);
    const chunks = writer.write(message(mutator, time), csid);
    // Of some messages the rest comes later, with others before it, or never.
    const now = mutator.below(4) === 0 ? 2 : chunks.length;
    parts.push(...chunks.slice(0, now));
    if (mutator.below(4) > 0) later.push(...chunks.slice(now));
  }
  return Buffer.concat([...parts, ...later]);
}

function message(mutator: Mutator, timestamp: number): RtmpMessage {
  const of = (type: number, payload: Buffer) => ({
    type,
    timestamp,
    streamId: mutator.pick([0, 1, 1]),
    payload,
  });
  switch (mutator.below(9)) {
    case 0:
      return controlMessage.setChunkSize(mutator.pick([1, 60, 128, 4096, 5000]));
    case 1:
      return controlMessage.abort(mutator.pick([2, 4, 64]));
    case 2:
      return mutator.pick([
        controlMessage.acknowledgement(timestamp),
        controlMessage.windowAcknowledgementSize(timestamp),
        controlMessage.setPeerBandwidth(timestamp, 'soft'),
        controlMessage.setBufferLength(1, timestamp),
        controlMessage.pingResponse(timestamp),
      ]);
    case 3:
      return mutator.pick([
        commandMessage('connect', 1, { app: 'live' }, amfValues(mutator), 0),
        of(MESSAGE.commandAmf0, writeAmf0(...amfValues(mutator))),
      ]);
    case 4:
      return of(MESSAGE.dataAmf0, writeAmf0('@setDataFrame', 'onMetaData', ...amfValues(mutator)));
    case 5:
      return of(MESSAGE.commandAmf3, Buffer.concat([Buffer.of(0), writeAmf0('call', 1), mutator.pick(AMF3)]));
    case 6:
      return of(MESSAGE.aggregate, aggregate(mutator));
    default:
      return of(
        mutator.pick([MESSAGE.audio, MESSAGE.video]),
        Buffer.alloc(mutator.pick([0, 1, 130, 700, 5900]), 0x17),
      );
  }
}

function aggregate(mutator: Mutator): Buffer {
  const parts = Array.from({ length: mutator.below(4) }, () => {
    const body = mutator.bytes(mutator.below(30));
    const header = Buffer.from([mutator.pick([8, 9, 18]), 0, 0, body.length, ...mutator.bytes(4), 0, 0, 0]);
    return Buffer.concat([header, body, Buffer.of(0, 0, 0, 11 + body.length)]);
  });
  return Buffer.concat(parts);
}

function amfValues(mutator: Mutator): AmfValue[] {
  return Array.from({ length: mutator.below(4) }, () => amfValue(mutator, 0));
}

function amfValue(mutator: Mutator, depth: number): AmfValue {
  switch (mutator.below(depth < 4 ? 8 : 6)) {
    case 0:
      return null;
    case 1:
      return mutator.below(2) === 0;
    case 2:
      return mutator.below(1000) / 8;
    case 3:
      return mutator.pick(['', 'live', 'Ünïcode', 'x'.repeat(300)]);
    case 4:
      return new Date(mutator.below(2 ** 40));
    case 5:
      return undefined;
    case 6:
      return Array.from({ length: mutator.below(5) }, () => amfValue(mutator, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: mutator.below(5) }, (_, at) => [
          mutator.pick(['a', 'width', '__proto__', '', `key${at}`]),
          amfValue(mutator, depth + 1),
        ]),
      );
  }
}
