import { computed, signal } from '@preact/signals';
import { ProgramChoice } from './program-choice.ts';
import { Relays } from './relays.ts';
import { RoomApi } from './room-api.ts';

const POLL_MS = 2_000;
/** While nothing goes out and nobody looks: somebody else may start something. */
const IDLE_POLL_MS = 10_000;

/** What this page knows of the room going out: followed as long as the page is in the room. */
export class OnAir {
  readonly relays: Relays;
  readonly program: ProgramChoice;
  readonly panelOpen = signal(false);
  /** Somebody at this page starts, watches or directs it. */
  readonly active = computed(
    () => this.panelOpen.value || this.relays.running.value || Boolean(this.program.now.value?.shown),
  );
  #timer = 0;
  #following = false;

  /** @param token - as the page has it; undefined in demo mode */
  constructor(room: string, token: string | undefined) {
    const api = new RoomApi(room, token);
    this.relays = new Relays(api);
    this.program = new ProgramChoice(api);
  }

  /** @returns ends it */
  follow(): () => void {
    this.#following = true;
    void this.#poll();
    const end = this.active.subscribe((active) => {
      if (active) void this.#poll();
    });
    return () => {
      this.#following = false;
      end();
      clearTimeout(this.#timer);
    };
  }

  async #poll(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all([this.relays.refresh(), this.program.refresh()]);
    if (!this.#following) return;
    clearTimeout(this.#timer); // another poll was begun meanwhile
    this.#timer = window.setTimeout(() => this.#poll(), this.active.value ? POLL_MS : IDLE_POLL_MS);
  }
}
