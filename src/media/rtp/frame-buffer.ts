const INITIAL_BYTES = 64 * 1024;

/** Where a frame is put together: bytes one behind the other, in memory that is used again for the next frame. */
export class FrameBuffer {
  #maxBytes: number;
  #memory: Buffer;
  #length = 0;

  /** @param maxBytes - of a frame; so much is held at most */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#memory = Buffer.allocUnsafeSlow(Math.min(INITIAL_BYTES, maxBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** @returns false, with nothing appended, when the frame would have more than the bytes it may have */
  append(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#length + end - start;
    if (length > this.#maxBytes) return false;
    if (length > this.#memory.length) this.#grow(length);
    bytes.copy(this.#memory, this.#length, start, end);
    this.#length = length;
    return true;
  }

  /** As `append`, of one byte. */
  appendByte(byte: number): boolean {
    if (this.#length === this.#maxBytes) return false;
    if (this.#length === this.#memory.length) this.#grow(this.#length + 1);
    this.#memory[this.#length++] = byte;
    return true;
  }

  /** @returns a part of it: a view, which stays until something is appended or it is cleared */
  view(start: number, end: number): Buffer {
    return this.#memory.subarray(start, Math.min(end, this.#length));
  }

  clear(): void {
    this.#length = 0;
  }

  #grow(needed: number): void {
    const size = Math.min(this.#maxBytes, Math.max(needed, this.#memory.length * 2));
    const memory = Buffer.allocUnsafeSlow(size);
    this.#memory.copy(memory, 0, 0, this.#length);
    this.#memory = memory;
  }
}
