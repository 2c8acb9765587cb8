import { computed, signal } from '@preact/signals';
import { z } from 'zod';
import type { RoomApi } from './room-api.ts';
import { RoomResource, wordsOf } from './room-resource.ts';

const programView = z.object({
  /** Identity of whose picture was asked for; he may not be there. */
  pinned: z.string().nullable(),
  /** What is shown now; null: a slate with the room's name, or nothing goes out. */
  shown: z.object({ participant: z.string(), track: z.string() }).nullable(),
});
export type ProgramView = z.infer<typeof programView>;

/** Whose picture goes out of the room, and who may say so. */
export class ProgramChoice {
  /** Undefined where this page may not choose. */
  readonly now = computed(() => this.#resource.value.value);
  /** Why the last choice was not made. */
  readonly problem = signal('');
  #api: RoomApi;
  #resource: RoomResource<ProgramView>;

  constructor(api: RoomApi) {
    this.#api = api;
    this.#resource = new RoomResource(api, 'program', programView);
  }

  refresh(): Promise<void> {
    return this.#resource.refresh();
  }

  /** @param identity - null: it is chosen by itself. What fails is told in `problem`. */
  async pin(identity: string | null): Promise<void> {
    const body = { participant: identity };
    this.problem.value = '';
    try {
      this.#resource.set(await this.#api.ask({ method: 'PUT', path: 'program', body }, programView));
    } catch (error) {
      this.problem.value = wordsOf(error);
    }
  }
}
