import type { Clock, Timer } from '../../src/base/clock.ts';
import type { EncodingOptions } from '../ffmpeg/program-arguments.ts';
import { encodeSlate, type Slate } from '../ffmpeg/slate.ts';

export interface SlatePlayerOptions {
  readonly text: string;
  readonly encoding: EncodingOptions;
  readonly clock: Clock;
  /** The first after each `play` is a key frame. @param record - AVCDecoderConfigurationRecord that it goes with */
  readonly onFrame: (data: Buffer, key: boolean, record: Buffer) => void;
  readonly onFailed: (cause: string) => void;
}

/** An attempt that failed is made again after so long. */
const RETRY_MS = 5_000;
/** Frames that are overdue by more are left out: the process stood still. */
const MAX_BEHIND_MS = 500;

/** Shows the slate with the room's name: encoded once, and played for as long as there is nothing else to see. */
export class SlatePlayer {
  #options: SlatePlayerOptions;
  #slate: Promise<Slate> | undefined;
  #timer: Timer | undefined;
  #plays = false;
  #isPrepared = false;
  #round = 0;

  constructor(options: SlatePlayerOptions) {
    this.#options = options;
  }

  get plays(): boolean {
    return this.#plays;
  }

  /** Has it made now, once, so that it is there when it is needed, however busy the machine is then. */
  prepare(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    const { text, encoding, clock } = this.#options;
    this.#slate ??= encodeSlate(text, encoding, clock);
    this.#slate.catch(() => {
      this.#slate = undefined; // it is tried again when it is to be shown
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
    const { text, encoding, clock, onFailed } = this.#options;
    try {
      this.#slate ??= encodeSlate(text, encoding, clock);
      const slate = await this.#slate;
      if (slate.textFailure) onFailed(slate.textFailure); // it is there, without its text
      if (round === this.#round) this.#show(slate, 0, clock.now());
    } catch (error) {
      this.#slate = undefined;
      if (round !== this.#round) return;
      onFailed((error as Error).message);
      this.#timer = clock.after(RETRY_MS, () => void this.#begin(round));
    }
  }

  /** @param dueAt - of this frame */
  #show(slate: Slate, index: number, dueAt: number): void {
    const { clock, encoding, onFrame } = this.#options;
    const frame = slate.frames[index]!;
    onFrame(frame.data, frame.key, slate.config);
    const now = clock.now();
    const next = Math.max(dueAt, now - MAX_BEHIND_MS) + 1000 / encoding.frameRate;
    this.#timer = clock.after(Math.max(0, next - now), () =>
      this.#show(slate, (index + 1) % slate.frames.length, next),
    );
  }
}
