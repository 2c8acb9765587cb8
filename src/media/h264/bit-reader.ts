/**
 * Reads bits from the most significant one on, and the variable-length codes of H.264 (ITU-T H.264, section 9.1).
 * What lies past the end reads as zeros, so that a parser of strangers' bytes asks once, at its end, whether
 * there was enough.
 */
export class BitReader {
  #bytes: Uint8Array;
  /** Bits read. */
  #position = 0;
  #overrun = false;

  /** @param bytes - are not copied */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether more was read than there is, or a code that is longer than any value; does not go away. */
  get overrun(): boolean {
    return this.#overrun;
  }

  /** Bits read so far, at most as many as there are. */
  get position(): number {
    return this.#position;
  }

  /** Bits that are left. */
  get left(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  bit(): number {
    if (this.left < 1) return this.#end();
    const bit = (this.#bytes[this.#position >> 3]! >> (7 - (this.#position & 7))) & 1;
    this.#position++;
    return bit;
  }

  /** @param count - 0 to 32 @returns them as an unsigned number */
  bits(count: number): number {
    let value = 0;
    for (let missing = count; missing > 0; ) {
      const inByte = this.#position & 7;
      const taken = Math.min(missing, 8 - inByte);
      let part = 0;
      if (this.left > 0) {
        part = (this.#bytes[this.#position >> 3]! >> (8 - inByte - taken)) & ((1 << taken) - 1);
        this.#position += taken;
      } else this.#overrun = true;
      // Not by shifts, which would make the 32nd bit a sign.
      value = value * (1 << taken) + part;
      missing -= taken;
    }
    return value;
  }

  /** @param count - of bits, not negative */
  skip(count: number): void {
    if (count > this.left) this.#end();
    else this.#position += count;
  }

  /** ue(v): 0 to 2^32 - 2. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros++;
      if (zeros > 31) return this.#end();
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v): 0, 1, -1, 2, -2 and so on (section 9.1.1). */
  se(): number {
    const code = this.ue();
    if (code === 0) return 0;
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #end(): 0 {
    this.#overrun = true;
    this.#position = this.#bytes.length * 8;
    return 0;
  }
}
