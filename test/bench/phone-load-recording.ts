import { FRAME_MS, FRAME_SAMPLES, findMarks, SAMPLES_PER_MS } from './phone-load-sound.ts';

/** What one caller hears for a while, each frame at its place by timestamp, with the time at which it came. */
export class Recording {
  #codes: Uint8Array;
  /** Of each frame; NaN: it did not come. */
  #arrivals: Float64Array;
  #first: number | undefined;

  constructor(seconds: number) {
    const count = (seconds * 1000) / FRAME_MS;
    this.#codes = new Uint8Array(count * FRAME_SAMPLES).fill(0xff);
    this.#arrivals = new Float64Array(count).fill(Number.NaN);
  }

  /** @param timestamp - of its first sample, RTP @param at - when it came, by performance.now */
  add(timestamp: number, payload: Uint8Array, at: number): void {
    this.#first ??= timestamp;
    const frame = Math.round(((timestamp - this.#first) | 0) / FRAME_SAMPLES);
    if (frame < 0 || frame >= this.#arrivals.length || payload.length !== FRAME_SAMPLES) return;
    this.#codes.set(payload, frame * FRAME_SAMPLES);
    this.#arrivals[frame] = at;
  }

  /** When each mark began, for somebody who plays every packet as it comes; by performance.now. */
  marks(): number[] {
    return findMarks(this.#codes)
      .map((at) => this.#arrivals[Math.floor(at / FRAME_SAMPLES)]! + (at % FRAME_SAMPLES) / SAMPLES_PER_MS)
      .filter((playedAt) => !Number.isNaN(playedAt));
  }
}
