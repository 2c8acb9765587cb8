/** A producer on the hub that somebody wants to stay there. */
export interface ProducerHold {
  readonly producerId: string;
  /** Not wanted any more. Does nothing the second time. */
  release(): void;
}

/** A producer that was opened. */
export interface OpenProducer {
  readonly producerId: string;
  close(): void;
}

/**
 * A hub producer that is there only while somebody holds it: opened with the first hold, closed with
 * the last. So a track that no browser and no other process wants costs the hub nothing.
 */
export class ProducerOnDemand {
  #open: () => Promise<OpenProducer>;
  #opening: Promise<OpenProducer> | undefined;
  #producer: OpenProducer | undefined;
  #holds = 0;

  constructor(open: () => Promise<OpenProducer>) {
    this.#open = open;
  }

  /** While it is open. */
  get producerId(): string | undefined {
    return this.#producer?.producerId;
  }

  /** @throws what opening it threw; the next hold tries again */
  async hold(): Promise<ProducerHold> {
    this.#holds++;
    this.#opening ??= this.#open();
    const opening = this.#opening;
    try {
      const { producerId } = await opening;
      if (this.#opening === opening) this.#producer ??= await opening;
      let held = true;
      const release = () => {
        if (held) this.#release();
        held = false;
      };
      return { producerId, release };
    } catch (error) {
      this.#holds--;
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  #release(): void {
    if (--this.#holds > 0) return;
    const opening = this.#opening;
    this.#opening = undefined;
    this.#producer = undefined;
    opening?.then((producer) => producer.close()).catch(() => {});
  }
}
