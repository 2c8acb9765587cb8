/** A steady sine, made piece by piece without a jump between the pieces. */
export class Tone {
  readonly hz: number;
  #phase = 0;
  #step: number;
  #amplitude: number;

  /**
   * @param rate - samples a second
   * @param hz - below half of the rate
   * @param levelDb - in dBFS: 0 is a sine that just fills 16 bits
   */
  constructor(rate: number, hz: number, levelDb = -12) {
    this.hz = hz;
    this.#step = (2 * Math.PI * hz) / rate;
    this.#amplitude = 32767 * 10 ** (levelDb / 20);
  }

  /** Fills the whole array with what comes next. */
  fill(samples: Int16Array): void {
    for (let index = 0; index < samples.length; index++) {
      samples[index] = Math.round(this.#amplitude * Math.sin(this.#phase));
      this.#phase = (this.#phase + this.#step) % (2 * Math.PI);
    }
  }
}
