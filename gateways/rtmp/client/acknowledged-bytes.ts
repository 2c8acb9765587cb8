/** Acknowledgements count in 32 bits (RTMP 1.0, section 5.4.3). */
const WRAP = 2 ** 32;
/** Where nginx-rtmp, and servers after its model, begin again from 0 instead. */
const RESTART = 0xf0000000;
/** More than comes between two acknowledgements. */
const MAX_STEP_BYTES = 2 ** 24;

/**
 * How much of what we sent has been read at the other end, from its acknowledgements. Over a day's stream they
 * wrap, or begin again at some number, and some servers count from one acknowledgement to the next.
 */
export class AcknowledgedBytes {
  #total = 0;
  /** As it was said: the total's lower 32 bits, unless they began again. */
  #said = 0;
  #isHeard = false;
  #isSenseless = false;

  /**
   * Whether there have been acknowledgements, all of which made sense. One that goes back, or is of more than
   * was sent, shows that the other side counts something else: what does not come says nothing then.
   */
  get isReliable(): boolean {
    return this.#isHeard && !this.#isSenseless;
  }

  /**
   * @param said - an acknowledgement's number
   * @param sent - bytes sent so far
   * @returns bytes acknowledged in all, when it is more than before
   */
  read(said: number, sent: number): number | undefined {
    const total = this.#total + this.#step(said, sent);
    if (total > sent || total < this.#total) {
      this.#isSenseless = true;
      return undefined;
    }
    this.#isHeard = true;
    this.#said = said;
    if (total === this.#total) return undefined;
    this.#total = total;
    return total;
  }

  /** @returns bytes since the acknowledgement before; negative when it goes back */
  #step(said: number, sent: number): number {
    const step = said - this.#said;
    if (step >= 0) return step;
    if (this.#total + step + WRAP <= sent) return step + WRAP;
    const untilRestart = RESTART - this.#said;
    const isRestart = untilRestart > 0 && untilRestart <= MAX_STEP_BYTES;
    return isRestart ? untilRestart + said : step;
  }
}
