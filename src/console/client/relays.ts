import { computed, signal } from '@preact/signals';
import { z } from 'zod';
import { RELAY_STATES } from './relay-words.ts';
import type { RoomApi } from './room-api.ts';
import { RoomResource } from './room-resource.ts';

const relayView = z.object({
  id: z.string(),
  /** Its stream key is masked. */
  address: z.string(),
  /** Identity of who alone goes out there; absent where it is the whole room. */
  participant: z.string().optional(),
  state: z.enum(RELAY_STATES),
  /** Why it is not live, in the other side's own words where it said any. */
  reason: z.string(),
  bitrateBps: z.number(),
  framesDropped: z.number(),
  retries: z.number(),
  uptimeMs: z.number(),
});
export type RelayView = z.infer<typeof relayView>;

const relayList = z.object({ relays: z.array(relayView) });

/** Where the room goes out to, and whether this page may say so. */
export class Relays {
  /** Failed ones are in it until somebody at this page has put them away; ended ones are not. */
  readonly list = computed(() =>
    (this.#resource.value.value?.relays ?? []).filter(
      ({ id, state }) => state !== 'ended' && !this.#dismissed.value.has(id),
    ),
  );
  /** The server answered, and did not refuse. */
  readonly offered = computed(() => this.#resource.value.value !== undefined);
  readonly running = computed(() => this.list.value.some(({ state }) => state !== 'failed'));
  /** Why the list may be outdated; empty when it is not. */
  readonly problem = computed(() => this.#resource.problem.value);
  #api: RoomApi;
  #resource: RoomResource<z.infer<typeof relayList>>;
  #dismissed = signal<ReadonlySet<string>>(new Set());

  constructor(api: RoomApi) {
    this.#api = api;
    this.#resource = new RoomResource(api, 'relays', relayList);
  }

  refresh(): Promise<void> {
    return this.#resource.refresh();
  }

  /** @param address - whole, with its key. @throws ApiError */
  async start(address: string): Promise<void> {
    const started = await this.#api.ask({ method: 'POST', path: 'relays', body: { address } }, relayView);
    for (const before of this.list.value) {
      if (before.state === 'failed' && before.address === started.address) this.dismiss(before.id);
    }
    await this.refresh();
  }

  /** @throws ApiError */
  async stop(id: string): Promise<void> {
    await this.#api.tell({ method: 'DELETE', path: `relays/${encodeURIComponent(id)}` });
    await this.refresh();
  }

  /** Puts away one that failed, on this page. */
  dismiss(id: string): void {
    this.#dismissed.value = new Set(this.#dismissed.value).add(id);
  }
}
