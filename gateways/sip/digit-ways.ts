/** How a phone tells of a key: in RTP (RFC 4733), or by INFO. */
export type DigitWay = 'rtp' | 'info';

/** Two tellings of one key come within this time of each other. */
const PAIR_MS = 1_500;
const MAX_UNMATCHED = 32;

interface Told {
  readonly digit: string;
  readonly at: number;
}

/** Some phones tell each key by both ways at once: it is pressed once all the same. */
export class DigitWays {
  #unmatched: Record<DigitWay, Told[]> = { rtp: [], info: [] };

  /** @param now - ms @returns whether it is a key that was not told of by the other way */
  isNew(digit: string, way: DigitWay, now: number): boolean {
    const isRecent = ({ at }: Told) => now - at <= PAIR_MS;
    const others = this.#unmatched[way === 'rtp' ? 'info' : 'rtp'].filter(isRecent);
    this.#unmatched[way === 'rtp' ? 'info' : 'rtp'] = others;
    const same = others.findIndex((told) => told.digit === digit);
    if (same >= 0) {
      others.splice(same, 1);
      return false;
    }
    const own = this.#unmatched[way].filter(isRecent);
    own.push({ digit, at: now });
    this.#unmatched[way] = own.slice(-MAX_UNMATCHED);
    return true;
  }
}
