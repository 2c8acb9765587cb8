/** Frames that a span covers, and spans that are remembered: 2.56 s of 20 ms frames. */
const SPAN_FRAMES = 16;
const SPANS = 8;

/**
 * What the packets of the last few seconds say about the delay that a stream needs. A packet's lag is
 * the frame of our time at which it came, less its place in the stream: only differences mean anything.
 * Pauses don't age what is known, for nothing is learned in them.
 */
export class ArrivalWindow {
  #latest = new Int32Array(SPANS);
  #earliest = new Int32Array(SPANS);
  #span = 0;
  #frames = 0;
  #last = 0;
  #largest = 0;

  /** The largest lag: a stream read with this delay would have missed nothing. */
  get largest(): number {
    return this.#largest;
  }

  /** A packet came. */
  add(lag: number): void {
    const span = this.#span;
    if (lag > this.#latest[span]!) this.#latest[span] = lag;
    if (lag < this.#earliest[span]!) this.#earliest[span] = lag;
    if (lag > this.#largest) this.#largest = lag;
    this.#last = lag;
  }

  /** A frame's time has passed. */
  tick(): void {
    if (++this.#frames < SPAN_FRAMES) return;
    this.#frames = 0;
    this.#span = (this.#span + 1) % SPANS;
    this.#latest[this.#span] = this.#last;
    this.#earliest[this.#span] = this.#last;
    this.#measure();
  }

  /** After a pause: the next packet's lag counts as 0, and what is known about differences stays. */
  realign(): void {
    for (let span = 0; span < SPANS; span++) {
      this.#latest[span]! -= this.#earliest[span]!;
      this.#earliest[span] = 0;
    }
    this.#measure();
  }

  #measure(): void {
    let largest = this.#latest[0]!;
    for (let span = 1; span < SPANS; span++) largest = Math.max(largest, this.#latest[span]!);
    this.#largest = largest;
  }
}
