import { type AmfInput, type AmfValue, broken, newObject, type Shared, setProperty } from './amf-input.ts';

/* AMF 3 (Adobe, 2013), to be read only: everybody accepts AMF 0. */

/** Types of values (section 3.1). Vectors and dictionaries (0x0d to 0x11) are refused: no encoder sends them. */
const MARKER = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
} as const;

/** What objects of one class have in common (section 3.12). */
interface Traits {
  readonly keys: readonly Text[];
  /** It has further properties, with their names. */
  readonly dynamic: boolean;
}

interface Text {
  readonly value: string;
  readonly bytes: number;
}

/** Reads AMF 3 values that refer to each other; limits are the input's. Throws RtmpError only. */
export class Amf3Reader {
  #input: AmfInput;
  /* The three tables of section 2.2, each bounded by the input's values and text. */
  #strings: Text[] = [];
  #shared: Shared[] = [];
  #traits: Traits[] = [];

  constructor(input: AmfInput) {
    this.#input = input;
  }

  /** @returns the next value; arrays with keys become objects, byte arrays strings of a character a byte */
  read(): AmfValue {
    const input = this.#input;
    input.countValue();
    const marker = input.uint8();
    switch (marker) {
      case MARKER.undefined:
        return undefined;
      case MARKER.null:
        return null;
      case MARKER.false:
        return false;
      case MARKER.true:
        return true;
      case MARKER.integer:
        return (this.#uint29() << 3) >> 3; // 29 bits with a sign (section 3.6)
      case MARKER.double:
        return input.double();
      case MARKER.string:
        return this.#readString().value;
      case MARKER.date:
        return this.#readShared(() => input.share(input.date(), this.#shared));
      case MARKER.xmlDocument:
      case MARKER.xml:
        return this.#readShared((bytes) => input.share(input.text(bytes), this.#shared, bytes));
      case MARKER.byteArray:
        return this.#readShared((bytes) => input.share(input.text(bytes, 'latin1'), this.#shared, bytes));
      case MARKER.array:
        return this.#readShared((count) => this.#readArray(count));
      case MARKER.object:
        return this.#readShared((header) => this.#readObject(header));
      default:
        throw broken(`an AMF 3 value of type ${marker}, which is not supported`);
    }
  }

  /** Section 1.3.1: three times 7 bits, then 8. */
  #uint29(): number {
    let value = 0;
    for (let count = 0; count < 3; count++) {
      const byte = this.#input.uint8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#input.uint8();
  }

  /** The lowest bit says whether the other 28 are the index of an earlier value or about the one that follows. */
  #readShared(read: (header: number) => AmfValue): AmfValue {
    const header = this.#uint29();
    return header & 1 ? read(header >> 1) : this.#input.resolve(this.#shared, header >> 1);
  }

  #readString(): Text {
    const header = this.#uint29();
    if ((header & 1) === 0) {
      const text = this.#strings[header >> 1];
      if (!text) throw broken(`a reference to string ${header >> 1} of ${this.#strings.length}`);
      this.#input.countText(text.bytes);
      return text;
    }
    const bytes = header >> 1;
    const text = { value: this.#input.text(bytes), bytes };
    if (bytes > 0) this.#strings.push(text); // the empty one is never referred to (section 1.3.2)
    return text;
  }

  /** Section 3.11: values with keys, an empty key, then so many without. */
  #readArray(count: number): AmfValue {
    const input = this.#input;
    const array: AmfValue[] = [];
    const opened = input.open(array, this.#shared);
    let key = this.#readString().value;
    if (key === '') {
      for (let left = count; left > 0; left--) array.push(this.read());
      return input.close(opened);
    }
    const object = newObject();
    opened.shared.value = object;
    for (; key !== ''; key = this.#readString().value) setProperty(object, key, this.read());
    for (let index = 0; index < count; index++) object[index] = this.read();
    return input.close(opened);
  }

  #readObject(header: number): AmfValue {
    const input = this.#input;
    const object = newObject();
    // The table has an object before what is in it, but after its class.
    const traits = header & 1 ? this.#readTraits(header >> 1) : this.#traits[header >> 1];
    if (!traits) throw broken(`a reference to class ${header >> 1} of ${this.#traits.length}`);
    const opened = input.open(object, this.#shared);
    for (const { value, bytes } of traits.keys) {
      input.countText(bytes); // of each object: references to a class must not multiply long keys
      setProperty(object, value, this.read());
    }
    if (traits.dynamic)
      for (let key = this.#readString().value; key !== ''; key = this.#readString().value)
        setProperty(object, key, this.read());
    return input.close(opened);
  }

  #readTraits(header: number): Traits {
    if (header & 1) throw broken('an object that only its own program can read (externalizable)');
    const count = header >> 2;
    this.#input.requireRoom(count);
    this.#readString(); // its class
    const keys: Text[] = [];
    for (let left = count; left > 0; left--) keys.push(this.#readString());
    const traits = { keys, dynamic: (header & 2) !== 0 };
    this.#traits.push(traits);
    return traits;
  }
}
