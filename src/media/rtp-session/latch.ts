/** A phone that is silent this long may come back from another address (its NAT gave it a new port). */
const RELATCH_AFTER_MS = 2_000;

/** How likely a source is the phone: exactly where it said, at an address that is known of it, or anywhere. */
type Rank = 0 | 1 | 2;
const ANYWHERE: Rank = 0;

/** What a phone's signalling says of where its media comes from. */
export interface Expected {
  /** As its description has it. */
  readonly address: string;
  readonly port: number;
  /** Where its signalling comes from; undefined where that is not known. */
  readonly signalled?: string | undefined;
  /** False for a phone that only listens: nothing shows then that a packet from anywhere is its own. */
  readonly sends?: boolean;
}

/**
 * Symmetric RTP (RFC 4961): media goes back to where it really comes from, whatever the phone's description says. What
 * anybody else sends is not let in, and nobody gets the phone's media by sending packets to its port ("RTP bleed",
 * CVE-2017-14114):
 * - a source from anywhere counts only while none was seen that the signalling knows, only of a phone that sends, and only
 *   if its description does not name the very address that it signals from;
 * - it gives way at once to a source that is more likely the phone, and, after 2 s of silence, to the same stream (by its
 *   SSRC) from elsewhere;
 * - a known source gives way to known ones alone: after 2 s of silence, or after a re-INVITE.
 */
export class Latch {
  /** Packets from others. */
  foreign = 0;
  #address: string;
  #port: number;
  #expected: Expected;
  #latched = false;
  #rank: Rank = ANYWHERE;
  /** The best that was ever seen: below it, nobody from anywhere is the phone any more. */
  #best: Rank = ANYWHERE;
  #ssrc: number | undefined;
  #heardAt = 0;

  constructor(expected: Expected) {
    this.#address = expected.address;
    this.#port = expected.port;
    this.#expected = expected;
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /** Whether its address was seen, not only told. */
  get latched(): boolean {
    return this.#latched;
  }

  /** Whether it is where media goes now. */
  isAt(address: string, port: number): boolean {
    return this.#latched && port === this.#port && address === this.#address;
  }

  /** A packet came. @param ssrc - its source's, where it has one @returns whether it is the phone's */
  accepts(address: string, port: number, nowMs: number, ssrc?: number): boolean {
    if (this.isAt(address, port)) {
      this.#heardAt = nowMs;
      this.#ssrc = ssrc;
      return true;
    }
    const rank = this.#rankOf(address, port);
    // Port 0 cannot be answered (RFC 768).
    if (port === 0 || !this.#mayBe(rank, ssrc) || this.#isKept(rank, nowMs)) {
      this.foreign++;
      return false;
    }
    this.#address = address;
    this.#port = port;
    this.#rank = rank;
    this.#best = Math.max(this.#best, rank) as Rank;
    this.#ssrc = ssrc;
    this.#latched = true;
    this.#heardAt = nowMs;
    return true;
  }

  /** A new description came: until the next packet, media goes where it says. */
  release(expected: Expected): void {
    const { address, port } = expected;
    if (address !== this.#expected.address) this.#ssrc = undefined; // it moved, and may begin anew
    this.#expected = expected;
    this.#address = address;
    this.#port = port;
    this.#latched = false;
  }

  #mayBe(rank: Rank, ssrc: number | undefined): boolean {
    if (rank > ANYWHERE) return true;
    const { address, signalled, sends = true } = this.#expected;
    if (!sends || this.#best > ANYWHERE || address === signalled) return false;
    return this.#ssrc === undefined || ssrc === this.#ssrc;
  }

  #isKept(rank: Rank, nowMs: number): boolean {
    return this.#latched && rank <= this.#rank && nowMs - this.#heardAt < RELATCH_AFTER_MS;
  }

  #rankOf(address: string, port: number): Rank {
    const isTold = address === this.#expected.address;
    if (isTold && port === this.#expected.port) return 2;
    return isTold || address === this.#expected.signalled ? 1 : ANYWHERE;
  }
}
