/** A phone that is silent this long may come back from another address (its NAT gave it a new port). */
const RELATCH_AFTER_MS = 2_000;

/** How likely a source is the phone: exactly where it said, at an address that is known of it, or anywhere. */
type Rank = 0 | 1 | 2;

/**
 * Symmetric RTP (RFC 4961): media goes back to where it really comes from, whatever the phone's
 * description says. The first source is kept; what anybody else sends is not let in ("RTP bleed"), unless
 * the source has been silent for a while, or a re-INVITE may have moved it, or what comes is more likely the
 * phone than what was kept: somebody who guessed the port and was faster loses the call as soon as the phone
 * speaks from where it said, or from where its signalling comes.
 */
export class Latch {
  /** Packets from others. */
  foreign = 0;
  #address: string;
  #port: number;
  #told: { address: string; port: number };
  #signalled: string | undefined;
  #latched = false;
  #rank: Rank = 0;
  #heardAt = 0;

  /** @param address - where the description says it is @param signalled - address that its signalling comes from */
  constructor(address: string, port: number, signalled?: string) {
    this.#address = address;
    this.#port = port;
    this.#told = { address, port };
    this.#signalled = signalled;
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

  /** A packet came. @returns whether it is the phone's */
  accepts(address: string, port: number, nowMs: number): boolean {
    if (this.#latched && port === this.#port && address === this.#address) {
      this.#heardAt = nowMs;
      return true;
    }
    const rank = this.#rankOf(address, port);
    const isKept = this.#latched && rank <= this.#rank && nowMs - this.#heardAt < RELATCH_AFTER_MS;
    if (isKept || port === 0) {
      this.foreign++; // port 0 cannot be answered (RFC 768)
      return false;
    }
    this.#address = address;
    this.#port = port;
    this.#rank = rank;
    this.#latched = true;
    this.#heardAt = nowMs;
    return true;
  }

  /** It may have moved: the next source counts, and until then media goes where the new description says. */
  release(address: string, port: number): void {
    this.#address = address;
    this.#port = port;
    this.#told = { address, port };
    this.#latched = false;
  }

  #rankOf(address: string, port: number): Rank {
    const isTold = address === this.#told.address;
    if (isTold && port === this.#told.port) return 2;
    return isTold || address === this.#signalled ? 1 : 0;
  }
}
