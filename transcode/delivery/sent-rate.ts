const SAMPLES = 11;

/** Bits a second over the last ten samples' time: 5 s with one each 500 ms. */
export class SentRate {
  #bytes: number[] = [];
  #at: number[] = [];

  /** @param bytes - sent in all @param now - ms */
  sample(bytes: number, now: number): void {
    this.#bytes.push(bytes);
    this.#at.push(now);
    if (this.#at.length <= SAMPLES) return;
    this.#bytes.shift();
    this.#at.shift();
  }

  get bitrateBps(): number {
    const elapsedMs = (this.#at.at(-1) ?? 0) - (this.#at[0] ?? 0);
    if (elapsedMs <= 0) return 0;
    return Math.round(((this.#bytes.at(-1)! - this.#bytes[0]!) * 8000) / elapsedMs);
  }

  clear(): void {
    this.#bytes = [];
    this.#at = [];
  }
}
