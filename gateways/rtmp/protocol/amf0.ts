import {
  AmfInput,
  type AmfLimits,
  type AmfValue,
  broken,
  newObject,
  type Opened,
  type Shared,
  setProperty,
} from './amf-input.ts';
import { Amf3Reader } from './amf3.ts';

export type { AmfLimits, AmfValue } from './amf-input.ts';

/* AMF 0 (Adobe, 2007). */

/** Types of values (section 2.1). */
const MARKER = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  reference: 0x07,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xmlDocument: 0x0f,
  typedObject: 0x10,
  amf3: 0x11,
} as const;

/**
 * To be written as an ECMA array (section 2.10), which some servers want metadata to be. Reading makes
 * plain objects of these, so it is no AmfValue and stands in no other value.
 */
export class EcmaArray {
  readonly values: { readonly [key: string]: AmfValue };

  constructor(values: { readonly [key: string]: AmfValue }) {
    this.values = values;
  }
}

/** What is written may be nested no deeper than what is read. */
const WRITTEN_DEPTH = 16;

/**
 * Reads all values to the end. ECMA arrays and typed objects become objects, XML becomes a string,
 * references become what they refer to, and byte arrays of AMF 3 strings of a character a byte. What
 * comes out is no larger for who walks through it than the limits say, and has no cycles.
 * @param limits - those not given are the default ones
 * @throws RtmpError
 */
export function readAmf0(bytes: Buffer, start = 0, limits: Partial<AmfLimits> = {}): AmfValue[] {
  const reader = new Amf0Reader(new AmfInput(bytes, start, limits));
  const values: AmfValue[] = [];
  while (!reader.atEnd) values.push(reader.read());
  return values;
}

class Amf0Reader {
  #input: AmfInput;
  /** What references may refer to, in the order of beginning (section 2.9). */
  #shared: Shared[] = [];
  /** Its tables go on through a message, as in Adobe's own servers. */
  #amf3: Amf3Reader | undefined;

  constructor(input: AmfInput) {
    this.#input = input;
  }

  get atEnd(): boolean {
    return this.#input.left === 0;
  }

  read(): AmfValue {
    const input = this.#input;
    return this.#readValue(input.uint8());
  }

  #readValue(marker: number): AmfValue {
    const input = this.#input;
    input.countValue();
    switch (marker) {
      case MARKER.number:
        return input.double();
      case MARKER.boolean:
        return input.uint8() !== 0;
      case MARKER.string:
        return input.text(input.uint16());
      case MARKER.object:
        return this.#readProperties();
      case MARKER.null:
        return null;
      case MARKER.undefined:
      case MARKER.unsupported:
        return undefined;
      case MARKER.reference:
        return input.resolve(this.#shared, input.uint16());
      case MARKER.ecmaArray:
        input.uint32(); // how many: a hint, which is often wrong
        return this.#readProperties();
      case MARKER.strictArray:
        return this.#readArray();
      case MARKER.date: {
        const date = input.date();
        input.uint16(); // a time zone that is to be ignored (section 2.13)
        return date;
      }
      case MARKER.longString:
      case MARKER.xmlDocument:
        return input.text(input.uint32());
      case MARKER.typedObject:
        input.text(input.uint16()); // its class
        return this.#readProperties();
      case MARKER.amf3:
        this.#amf3 ??= new Amf3Reader(input);
        return this.#amf3.read();
      default:
        throw broken(`an AMF 0 value of type ${marker}`);
    }
  }

  #readProperties(): AmfValue {
    const input = this.#input;
    const object = newObject();
    const opened: Opened = input.open(object, this.#shared);
    for (;;) {
      const key = input.text(input.uint16());
      const marker = input.uint8();
      if (marker === MARKER.objectEnd && key === '') return input.close(opened);
      setProperty(object, key, this.#readValue(marker));
    }
  }

  #readArray(): AmfValue {
    const input = this.#input;
    const array: AmfValue[] = [];
    const opened = input.open(array, this.#shared);
    for (let left = input.uint32(); left > 0; left--) array.push(this.read());
    return input.close(opened);
  }
}

/**
 * Writes values one behind the other: objects as anonymous objects, arrays as strict arrays, those in an EcmaArray as one.
 * @throws RangeError when one is nested too deeply (or contains itself) or has a key of more than 64 KiB
 */
export function writeAmf0(...values: (AmfValue | EcmaArray)[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) write(parts, value, 0);
  return Buffer.concat(parts);
}

function write(parts: Buffer[], value: AmfValue | EcmaArray, depth: number): void {
  if (depth > WRITTEN_DEPTH) throw new RangeError(`More than ${WRITTEN_DEPTH} levels can't be written.`);
  if (value === undefined) parts.push(Buffer.of(MARKER.undefined));
  else if (value === null) parts.push(Buffer.of(MARKER.null));
  else if (typeof value === 'boolean') parts.push(Buffer.of(MARKER.boolean, value ? 1 : 0));
  else if (typeof value === 'number') parts.push(double(MARKER.number, value));
  else if (typeof value === 'string') writeString(parts, value);
  else if (value instanceof Date) parts.push(double(MARKER.date, value.getTime()), Buffer.alloc(2));
  else if (Array.isArray(value)) {
    parts.push(Buffer.of(MARKER.strictArray), uint32(value.length));
    for (const element of value) write(parts, element, depth + 1);
  } else if (value instanceof EcmaArray) {
    parts.push(Buffer.of(MARKER.ecmaArray), uint32(Object.keys(value.values).length));
    writeProperties(parts, value.values, depth);
  } else {
    parts.push(Buffer.of(MARKER.object));
    writeProperties(parts, value, depth);
  }
}

function writeProperties(parts: Buffer[], values: { readonly [key: string]: AmfValue }, depth: number): void {
  for (const [key, property] of Object.entries(values)) {
    writeKey(parts, key);
    write(parts, property, depth + 1);
  }
  parts.push(Buffer.of(0, 0, MARKER.objectEnd));
}

function writeString(parts: Buffer[], value: string): void {
  const text = Buffer.from(value);
  if (text.length > 0xffff) parts.push(Buffer.of(MARKER.longString), uint32(text.length), text);
  else parts.push(Buffer.of(MARKER.string, text.length >> 8, text.length & 0xff), text);
}

function writeKey(parts: Buffer[], key: string): void {
  const text = Buffer.from(key);
  if (text.length > 0xffff) throw new RangeError(`A key of ${text.length} bytes can't be written.`);
  parts.push(Buffer.of(text.length >> 8, text.length & 0xff), text);
}

function double(marker: number, value: number): Buffer {
  const bytes = Buffer.alloc(9, marker);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
