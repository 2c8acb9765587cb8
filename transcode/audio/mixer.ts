import { Bus } from './bus.ts';
import { Contributor, type Origin } from './contributor.ts';
import type { AudioCodecName, MixFormat } from './mix-format.ts';
import { MixListener, type MixListenerOptions, type MixSink } from './mix-listener.ts';

/** How loud one contributor is right now. */
export interface ContributorLevel {
  readonly id: string;
  /** dBFS, -127 to 0 */
  readonly levelDb: number;
}

/**
 * The sound of one room: everybody hears all others and not himself (mix-minus), in his own format. Only
 * contributors that speak and that somebody hears are decoded; listeners who hear the same share one
 * encode. Time comes from outside: `tick` every 20 ms.
 */
export class Mixer {
  #contributors = new Map<string, Contributor>();
  #buses: Bus[] = [];
  #listeners = new Map<MixListener, Bus>();
  #audible: Contributor[] = [];
  #onChange: () => void;

  /** @param onChange - called when somebody came or went: without listeners nobody needs to tick */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  get contributorCount(): number {
    return this.#contributors.size;
  }

  /** How many decoders run. */
  get decoders(): number {
    let count = 0;
    for (const contributor of this.#contributors.values()) count += contributor.decoders;
    return count;
  }

  /** Who speaks, the loudest first. */
  speakers(origin: Origin): ContributorLevel[] {
    const speaking: ContributorLevel[] = [];
    for (const [id, contributor] of this.#contributors) {
      if (contributor.origin === origin && contributor.speaking)
        speaking.push({ id, levelDb: contributor.levelDb });
    }
    return speaking.sort((one, other) => other.levelDb - one.levelDb);
  }

  contributor(id: string): Contributor | undefined {
    return this.#contributors.get(id);
  }

  addContributor(id: string, codec: AudioCodecName, origin: Origin): Contributor {
    const contributor = new Contributor(codec, origin);
    this.#contributors.set(id, contributor);
    this.#planFor(contributor);
    this.#onChange();
    return contributor;
  }

  removeContributor(id: string): void {
    // Who still has it as his own voice must find nothing in it any more.
    this.#contributors.get(id)?.setRates(new Set());
    this.#contributors.delete(id);
    this.#onChange();
  }

  addListener(options: MixListenerOptions, sink: MixSink): MixListener {
    const listener = new MixListener(options, sink);
    const bus = this.#busFor(listener.format, options.gatewaysOnly ? 'gateway' : undefined);
    bus.listeners.add(listener);
    this.#listeners.set(listener, bus);
    // With more than two, every contributor had somebody else to hear him before.
    if (bus.listeners.size <= 2) this.#planForAll();
    this.#onChange();
    return listener;
  }

  removeListener(listener: MixListener): void {
    const bus = this.#listeners.get(listener);
    if (!bus) return;
    this.#listeners.delete(listener);
    bus.listeners.delete(listener);
    if (bus.listeners.size === 0) this.#buses = this.#buses.filter((other) => other !== bus);
    if (bus.listeners.size <= 1) this.#planForAll();
    this.#onChange();
  }

  /** Makes and delivers 20 ms for every listener. @param skipped - ticks that were given up before this one */
  tick(skipped = 0): void {
    if (skipped > 0) for (const listener of this.#listeners.keys()) listener.skip(skipped);
    const audible = this.#audible;
    audible.length = 0;
    for (const contributor of this.#contributors.values()) {
      if (contributor.advance()) audible.push(contributor);
    }
    for (const bus of this.#buses) bus.tick(audible);
  }

  #busFor(format: MixFormat, origin: Origin | undefined): Bus {
    const present = this.#buses.find((bus) => bus.format === format && bus.origin === origin);
    if (present) return present;
    const bus = new Bus(format, origin);
    this.#buses.push(bus);
    return bus;
  }

  #planForAll(): void {
    for (const contributor of this.#contributors.values()) this.#planFor(contributor);
  }

  /** He is wanted in the formats of those buses where somebody else listens. */
  #planFor(contributor: Contributor): void {
    const formats = new Set<MixFormat>();
    for (const bus of this.#buses) if (bus.wants(contributor)) formats.add(bus.format);
    contributor.setRates(formats);
  }
}
