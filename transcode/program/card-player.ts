import type { Clock, Timer } from '../../src/media/clock.ts';
import { type Card, encodeCard } from '../card.ts';
import type { ProgramShape } from '../program-arguments.ts';

export interface CardPlayerOptions {
  readonly text: string;
  readonly shape: ProgramShape;
  readonly clock: Clock;
  /** The first after each `play` is a key frame. @param record - AVCDecoderConfigurationRecord that it goes with */
  readonly onFrame: (data: Buffer, key: boolean, record: Buffer) => void;
  readonly onFailed: (cause: string) => void;
}

/** An attempt that failed is made again after so long. */
const RETRY_MS = 5_000;
/** Frames that are overdue by more are left out: the process stood still. */
const MAX_BEHIND_MS = 500;

/** Shows the card with the room's name: encoded once, and played for as long as there is nothing else to see. */
export class CardPlayer {
  #options: CardPlayerOptions;
  #card: Promise<Card> | undefined;
  #timer: Timer | undefined;
  #plays = false;
  #isPrepared = false;
  #round = 0;

  constructor(options: CardPlayerOptions) {
    this.#options = options;
  }

  get plays(): boolean {
    return this.#plays;
  }

  /** Has it made now, once, so that it is there when it is needed, however busy the machine is then. */
  prepare(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    const { text, shape, clock } = this.#options;
    this.#card ??= encodeCard(text, shape, clock);
    this.#card.catch(() => {
      this.#card = undefined; // it is tried again when it is to be shown
    });
  }

  play(): void {
    if (this.#plays) return;
    this.#plays = true;
    void this.#begin(++this.#round);
  }

  stop(): void {
    this.#plays = false;
    this.#round++;
    this.#timer?.cancel();
  }

  async #begin(round: number): Promise<void> {
    const { text, shape, clock, onFailed } = this.#options;
    try {
      this.#card ??= encodeCard(text, shape, clock);
      const card = await this.#card;
      if (card.textFailure) onFailed(card.textFailure); // it is there, without its text
      if (round === this.#round) this.#show(card, 0, clock.now());
    } catch (error) {
      this.#card = undefined;
      if (round !== this.#round) return;
      onFailed((error as Error).message);
      this.#timer = clock.after(RETRY_MS, () => void this.#begin(round));
    }
  }

  /** @param dueAt - of this frame */
  #show(card: Card, index: number, dueAt: number): void {
    const { clock, shape, onFrame } = this.#options;
    const frame = card.frames[index]!;
    onFrame(frame.data, frame.key, card.config);
    const now = clock.now();
    const next = Math.max(dueAt, now - MAX_BEHIND_MS) + 1000 / shape.frameRate;
    this.#timer = clock.after(Math.max(0, next - now), () =>
      this.#show(card, (index + 1) % card.frames.length, next),
    );
  }
}
