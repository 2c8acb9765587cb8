import type { ConnectionQuality } from '../../../src/room/vocabulary.ts';

/** Losses up to which a phone's line is excellent, and good. */
const EXCELLENT_LOSS = 0.01;
const GOOD_LOSS = 0.05;
/** A window has to be so many packets long to say anything: half a second of sound. */
const FEWEST_PACKETS = 25;
/** Without any sign of the phone for so long its line counts as lost: longer than a silent one waits between its reports. */
const LOST_AFTER_MS = 8_000;

/** How well a phone's packets arrive, judged about once a second from running totals. */
export class LineQuality {
  #quality: ConnectionQuality = 'excellent';
  #received = 0;
  #lost = 0;

  /**
   * @param received - packets so far @param lost - missing so far
   * @param silentMs - since the last sign of it; 0 while it need not send
   * @returns the quality when it has changed
   */
  judge(received: number, lost: number, silentMs: number): ConnectionQuality | undefined {
    const before = this.#quality;
    if (silentMs >= LOST_AFTER_MS) this.#quality = 'lost';
    else if (received < this.#received) this.#begin(received, lost);
    else {
      const arrived = received - this.#received;
      const missing = Math.max(0, lost - this.#lost);
      if (arrived + missing >= FEWEST_PACKETS) {
        this.#quality = qualityOf(missing / (arrived + missing));
        this.#begin(received, lost);
      }
    }
    return this.#quality === before ? undefined : this.#quality;
  }

  /** Its stream has started anew, or a window is over. */
  #begin(received: number, lost: number): void {
    this.#received = received;
    this.#lost = lost;
  }
}

function qualityOf(loss: number): ConnectionQuality {
  return loss <= EXCELLENT_LOSS ? 'excellent' : loss <= GOOD_LOSS ? 'good' : 'poor';
}
