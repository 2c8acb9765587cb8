import { RtmpError } from './rtmp-error.ts';

/** What a message may carry. Objects have a null prototype and never a key `__proto__`. */
export type AmfValue =
  | null
  | undefined
  | boolean
  | number
  | string
  | Date
  | AmfValue[]
  | { [key: string]: AmfValue };

/** What is read of one message. Values that references repeat count each time, as whoever walks through them meets them each time. */
export interface AmfLimits {
  /** Objects and arrays within each other. */
  depth: number;
  values: number;
  /** Bytes of one string. */
  stringBytes: number;
  /** Bytes of all strings and keys. */
  textBytes: number;
}

export const DEFAULT_AMF_LIMITS: Readonly<AmfLimits> = {
  depth: 16,
  values: 2000,
  stringBytes: 64 * 1024,
  textBytes: 1024 * 1024,
};

/** A value that references may repeat, and what it counts for. */
export interface Shared {
  value: AmfValue;
  /** Undefined while it is being read. */
  cost: { readonly values: number; readonly textBytes: number; readonly levels: number } | undefined;
}

/** An object or array that is being read. */
export interface Opened {
  readonly shared: Shared;
  readonly values: number;
  readonly textBytes: number;
  readonly deepest: number;
}

/** The bytes of AMF values, read from the front, with all limits kept. Throws RtmpError only. */
export class AmfInput {
  #bytes: Buffer;
  #at: number;
  #limits: AmfLimits;
  #values = 0;
  #textBytes = 0;
  #depth = 0;
  /** The deepest level within what is open. */
  #deepest = 0;

  constructor(bytes: Buffer, start: number, limits: Partial<AmfLimits>) {
    this.#bytes = bytes;
    this.#at = start;
    this.#limits = { ...DEFAULT_AMF_LIMITS, ...limits };
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** Milliseconds since 1970. @returns undefined for what is no time */
  date(): Date | undefined {
    const date = new Date(this.double());
    return Number.isNaN(date.getTime()) ? undefined : date;
  }

  /** @param bytes - of UTF-8, or of anything: then each becomes one character */
  text(bytes: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    this.countText(bytes);
    const start = this.#take(bytes);
    return this.#bytes.toString(encoding, start, start + bytes);
  }

  /** For text that is there without being read. */
  countText(bytes: number): void {
    if (bytes > this.#limits.stringBytes) throw tooMuch(`a string of ${bytes} bytes`);
    this.#textBytes += bytes;
    if (this.#textBytes > this.#limits.textBytes)
      throw tooMuch(`more than ${this.#limits.textBytes} bytes of text`);
  }

  /** Called for each value, before it is read. */
  countValue(): void {
    this.#addValues(1);
  }

  /** Of a list of keys that values follow: it may be no longer than there may be values. */
  requireRoom(values: number): void {
    if (values > this.#limits.values) throw tooMuch(`an object with ${values} properties`);
  }

  /** An object or array begins, which is put into the table of the references. */
  open(value: AmfValue, table: Shared[]): Opened {
    this.#depth++;
    this.#requireDepth(this.#depth);
    const opened: Opened = {
      shared: { value, cost: undefined },
      values: this.#values,
      textBytes: this.#textBytes,
      deepest: this.#deepest,
    };
    this.#deepest = this.#depth;
    table.push(opened.shared);
    return opened;
  }

  /** It ends. @returns its value */
  close({ shared, values, textBytes, deepest }: Opened): AmfValue {
    shared.cost = {
      values: this.#values - values,
      textBytes: this.#textBytes - textBytes,
      levels: this.#deepest - this.#depth + 1,
    };
    this.#deepest = Math.max(this.#deepest, deepest);
    this.#depth--;
    return shared.value;
  }

  /** Puts a value without others in it into the table. */
  share(value: AmfValue, table: Shared[], textBytes = 0): AmfValue {
    table.push({ value, cost: { values: 0, textBytes, levels: 0 } });
    return value;
  }

  /** @returns what a reference stands for: never something that it is itself in */
  resolve(table: readonly Shared[], index: number): AmfValue {
    const shared = table[index];
    if (!shared) throw broken(`a reference to value ${index} of ${table.length}`);
    if (!shared.cost) throw broken('an object that contains itself');
    this.#addValues(shared.cost.values);
    this.#textBytes += shared.cost.textBytes;
    if (this.#textBytes > this.#limits.textBytes)
      throw tooMuch(`more than ${this.#limits.textBytes} bytes of text`);
    this.#requireDepth(this.#depth + shared.cost.levels);
    this.#deepest = Math.max(this.#deepest, this.#depth + shared.cost.levels);
    return shared.value;
  }

  #addValues(values: number): void {
    this.#values += values;
    if (this.#values > this.#limits.values) throw tooMuch(`more than ${this.#limits.values} values`);
  }

  #requireDepth(depth: number): void {
    if (depth > this.#limits.depth) throw tooMuch(`more than ${this.#limits.depth} levels`);
  }

  #take(bytes: number): number {
    if (this.left < bytes) throw broken('a value that is cut off');
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

/** Sets a property, but for the one key that would change an object that these are copied to. */
export function setProperty(target: { [key: string]: AmfValue }, key: string, value: AmfValue): void {
  if (key !== '__proto__') target[key] = value;
}

export function newObject(): { [key: string]: AmfValue } {
  return Object.create(null) as { [key: string]: AmfValue };
}

export function broken(what: string): RtmpError {
  return new RtmpError('amf', `A message has ${what}.`);
}

function tooMuch(what: string): RtmpError {
  return new RtmpError('amf', `A message has ${what}: that is more than is read.`);
}
