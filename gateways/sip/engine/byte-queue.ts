const SMALLEST_BYTES = 1_024;

/**
 * The bytes of a stream that are not used up yet. However small the pieces that come, each byte is
 * copied a small constant number of times; nothing is held while it is empty.
 */
export class ByteQueue {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  append(bytes: Buffer): void {
    if (this.#end + bytes.length > this.#buffer.length) {
      // Twice what is needed: as much has to come again before anything is copied again.
      const larger = Buffer.allocUnsafe(Math.max(SMALLEST_BYTES, 2 * (this.length + bytes.length)));
      this.#end = this.#buffer.copy(larger, 0, this.#start, this.#end);
      this.#start = 0;
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#end);
    this.#end += bytes.length;
  }

  /** All that is there; valid until the next append. */
  peek(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Forgets that many from the front. @param count - 0 to `length` */
  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#buffer = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
  }
}
