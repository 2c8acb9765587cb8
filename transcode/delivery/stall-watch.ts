/** How a connection is doing, as RTMP counts. */
export interface Transfer {
  /** In all, as the other side would count it. */
  readonly bytesSent: number;
  readonly bytesAcknowledged: number;
  /** Whether the other side acknowledges, in a way that makes sense. */
  readonly acknowledges: boolean;
  /**
   * The most bytes from one acknowledgement to the next, for servers may use a window of their own. Of single ones: who
   * stood still acknowledges at once, in many pieces, all that it missed.
   */
  readonly largestAcknowledgementBytes: number;
}

const LONGEST_BLOCK_MS = 2_000;
const LONGEST_SILENCE_MS = 5_000;
/** What we ask for: at the program's rate an acknowledgement comes about each second. */
export const LEAST_WINDOW_BYTES = 250_000;
/** Some servers acknowledge once or twice at the start and never again: that is no habit yet. */
const FEWEST_ACKNOWLEDGEMENTS = 3;

/**
 * Tells whether the other side of one connection takes what it is sent. The system's buffers take megabytes for a
 * server that stands still, which is many seconds of a program: its acknowledgements (RTMP 1.0, section 5.4.3) say so
 * sooner, where it sends them. To be asked about twice a second.
 */
export class StallWatch {
  #acknowledged = 0;
  #acknowledgements = 0;
  /** When the last one was seen, ms, and what had been sent then. */
  #heardAt = 0;
  #sentBefore = 0;

  /**
   * @param blockedMs - how long something has waited for the socket without anything being taken
   * @param now - ms
   * @returns why it stands still, or undefined when it does not
   */
  look(transfer: Transfer, blockedMs: number, now: number): string | undefined {
    if (transfer.bytesAcknowledged > this.#acknowledged) {
      this.#acknowledged = transfer.bytesAcknowledged;
      this.#acknowledgements++;
      this.#heardAt = now;
      this.#sentBefore = transfer.bytesSent;
    }
    // Acknowledgements are a sign of life, however slowly they come.
    const isReading =
      transfer.acknowledges && this.#acknowledgements > 0 && now - this.#heardAt < LONGEST_SILENCE_MS;
    if (blockedMs >= LONGEST_BLOCK_MS && !isReading) {
      return 'The server takes nothing: what is sent to it waits.';
    }
    const windowBytes = Math.max(LEAST_WINDOW_BYTES, transfer.largestAcknowledgementBytes);
    const isSilent =
      transfer.acknowledges &&
      this.#acknowledgements >= FEWEST_ACKNOWLEDGEMENTS &&
      now - this.#heardAt >= LONGEST_SILENCE_MS &&
      transfer.bytesSent - this.#sentBefore > 2 * windowBytes;
    return isSilent ? 'The server no longer acknowledges what is sent to it.' : undefined;
  }
}
