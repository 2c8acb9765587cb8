/** Marks are set so far apart; between them nothing is told apart. */
const MARK_BYTES = 32 * 1024;
const MAX_MARKS = 1_024;

/**
 * How late what the other side reads is, by its acknowledgements. The system's buffers take megabytes, which is many
 * seconds of a program, and say nothing of it.
 */
export class TransferLag {
  /** Bytes sent so far, and when those before it were given to the system; the oldest first. */
  #marks: { readonly bytes: number; readonly at: number }[] = [];

  /** @param bytesSent - in all, with what is sent now */
  sent(bytesSent: number, now: number): void {
    const last = this.#marks.at(-1);
    if (last && bytesSent - last.bytes < MARK_BYTES) return;
    this.#marks.push({ bytes: bytesSent, at: now });
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  /**
   * @param bytesAcknowledged - in all @param windowBytes - from one acknowledgement to the next: so much may always be under way
   * @returns ms; 0 while everything is acknowledged that should be
   */
  age(bytesAcknowledged: number, windowBytes: number, now: number): number {
    while (this.#marks[0] && this.#marks[0].bytes <= bytesAcknowledged + windowBytes) this.#marks.shift();
    const [oldest] = this.#marks;
    return oldest ? now - oldest.at : 0;
  }
}
