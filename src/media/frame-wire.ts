import type { SourceUnit, VideoFormat } from './access-unit.ts';

/*
 * Video units on their way from one media worker to another, over a socket of this machine: messages behind their length.
 * Times of due are the machine's (machine-time.ts).
 */

const FORMAT = 1;
const UNIT = 2;
/** Length (32 bits, of what follows it) and type. */
const HEADER_BYTES = 5;
/** dtsUs, ptsUs, dueAt, keyFrameGapMs, audioLateMs: 64 bit floating point; then flags. */
const UNIT_HEADER_BYTES = 5 * 8 + 1;
const KEY = 1;
const DISPOSABLE = 2;
const DISCONTINUITY = 4;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

type FormatText = Omit<VideoFormat, 'record' | 'parameterSets'> & {
  readonly record?: string;
  readonly parameterSets: readonly string[];
};

/** What goes over the wire before the first unit of a format. */
export function writeFormat(format: VideoFormat): Buffer {
  const { record, parameterSets, ...rest } = format;
  const text: FormatText = {
    ...rest,
    ...(record ? { record: record.toString('base64') } : {}),
    parameterSets: parameterSets.map((unit) => unit.toString('base64')),
  };
  const body = Buffer.from(JSON.stringify(text));
  return Buffer.concat([messageHeader(FORMAT, body.length, HEADER_BYTES), body]);
}

/** @returns two buffers to be written one after the other; the second is the unit's own */
export function writeUnit(unit: SourceUnit): [header: Buffer, data: Buffer] {
  const { data, dtsUs, ptsUs, dueAt, keyFrameGapMs, audioLateMs, key, disposable, discontinuity } = unit;
  const bytes = UNIT_HEADER_BYTES + data.length;
  const header = messageHeader(UNIT, bytes, HEADER_BYTES + UNIT_HEADER_BYTES);
  let at = HEADER_BYTES;
  for (const value of [dtsUs, ptsUs, dueAt, keyFrameGapMs, audioLateMs]) at = header.writeDoubleBE(value, at);
  header[at] = (key ? KEY : 0) | (disposable ? DISPOSABLE : 0) | (discontinuity ? DISCONTINUITY : 0);
  return [header, data];
}

function messageHeader(type: number, bytes: number, allocate: number): Buffer {
  const header = Buffer.allocUnsafe(allocate);
  header.writeUInt32BE(bytes + 1, 0);
  header[4] = type;
  return header;
}

/** Puts what comes over the socket together again. Holds one message at the most. */
export class FrameWireReader {
  #onUnit: (unit: SourceUnit) => void;
  #format: VideoFormat | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Of the message that has begun, with its length; undefined until that is there. */
  #wanted: number | undefined;

  constructor(onUnit: (unit: SourceUnit) => void) {
    this.#onUnit = onUnit;
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
    if (message[0] === FORMAT) this.#format = readFormat(body);
    else if (message[0] === UNIT && body.length >= UNIT_HEADER_BYTES && this.#format)
      this.#onUnit(readUnit(body, this.#format));
    else throw new RangeError(`A message of type ${message[0]}.`);
  }
}

function readFormat(body: Buffer): VideoFormat {
  try {
    const { record, parameterSets, ...rest } = JSON.parse(body.toString()) as FormatText;
    return {
      ...rest,
      ...(record === undefined ? {} : { record: Buffer.from(record, 'base64') }),
      parameterSets: parameterSets.map((unit) => Buffer.from(unit, 'base64')),
    };
  } catch (error) {
    throw new RangeError(`A format that cannot be read: ${(error as Error).message}`);
  }
}

function readUnit(body: Buffer, format: VideoFormat): SourceUnit {
  const flags = body[UNIT_HEADER_BYTES - 1]!;
  return {
    format,
    dtsUs: body.readDoubleBE(0),
    ptsUs: body.readDoubleBE(8),
    dueAt: body.readDoubleBE(16),
    keyFrameGapMs: body.readDoubleBE(24),
    audioLateMs: body.readDoubleBE(32),
    key: (flags & KEY) !== 0,
    disposable: (flags & DISPOSABLE) !== 0,
    discontinuity: (flags & DISCONTINUITY) !== 0,
    data: body.subarray(UNIT_HEADER_BYTES),
  };
}
