/** Values that lengths, counts and times go wrong at. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];

/** Makes inputs that are nearly right; the same `random` gives the same ones. */
export class Mutator {
  #random: () => number;

  /** @param random - like Math.random */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** @returns an integer from 0 to just below the limit */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** @returns one of them */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** @returns a copy with up to four things wrong, or none */
  mutate(bytes: Buffer): Buffer {
    let result: Buffer = Buffer.from(bytes);
    for (let left = this.below(5); left > 0 && result.length > 0; left--) result = this.#mutateOnce(result);
    return result;
  }

  /** @returns the bytes in pieces, as they may come from a connection */
  pieces(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    const longest = this.pick([1, 3, 20, 200, 5000]);
    for (let at = 0; at < bytes.length; at += pieces.at(-1)!.length)
      pieces.push(bytes.subarray(at, at + 1 + this.below(longest)));
    return pieces;
  }

  #mutateOnce(bytes: Buffer): Buffer {
    const at = this.below(bytes.length);
    const length = 1 + this.below(Math.min(20, bytes.length - at));
    const before = bytes.subarray(0, at);
    switch (this.below(7)) {
      case 0: // a bit
        bytes[at]! ^= 1 << this.below(8);
        return bytes;
      case 1: // a byte
        bytes[at] = this.pick(EDGES);
        return bytes;
      case 2: // a few bytes
        bytes.fill(this.pick(EDGES), at, at + Math.min(length, 4));
        return bytes;
      case 3: // the end
        return Buffer.from(before);
      case 4: // something is missing
        return Buffer.concat([before, bytes.subarray(at + length)]);
      case 5: // something comes twice
        return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
      default: // something comes between
        return Buffer.concat([before, this.bytes(length), bytes.subarray(at)]);
    }
  }
}
