/** Writes bits and the variable-length codes of H.264 (ITU-T H.264, section 9.1): what BitReader reads. */
export class BitWriter {
  #bits: number[] = [];

  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  /** Several at a time, one bit each. */
  flags(...flags: readonly (0 | 1)[]): this {
    this.#bits.push(...flags);
    return this;
  }

  ue(...values: readonly number[]): this {
    for (const value of values) {
      const bits = Math.floor(Math.log2(value + 1));
      this.bits(0, bits).bits(value + 1, bits + 1);
    }
    return this;
  }

  se(...values: readonly number[]): this {
    return this.ue(...values.map((value) => (value > 0 ? 2 * value - 1 : -2 * value)));
  }

  align(): this {
    while (this.#bits.length % 8 > 0) this.#bits.push(0);
    return this;
  }

  /** All of it, filled up with zeros to whole bytes. */
  bytes(): Buffer {
    const bytes = Buffer.alloc(Math.ceil(this.#bits.length / 8));
    for (const [at, bit] of this.#bits.entries()) bytes[at >> 3]! |= bit << (7 - (at & 7));
    return bytes;
  }
}
