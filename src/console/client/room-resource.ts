import { batch, signal } from '@preact/signals';
import type { z } from 'zod';
import { ApiError, type RoomApi } from './room-api.ts';

/** One thing that the HTTP API tells of the room, asked for again and again. */
export class RoomResource<T> {
  /** The latest; undefined as long as nothing is known, or where it may not be known. */
  readonly value = signal<T | undefined>(undefined);
  /** Why `value` is not up to date; empty when it is. */
  readonly problem = signal('');
  #api: RoomApi;
  #path: string;
  #schema: z.ZodType<T>;
  #refused = false;
  #turn = 0;

  constructor(api: RoomApi, path: string, schema: z.ZodType<T>) {
    this.#api = api;
    this.#path = path;
    this.#schema = schema;
  }

  /** Asks for it, unless that was refused before. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#refused) return;
    const turn = ++this.#turn;
    try {
      const value = await this.#api.ask({ method: 'GET', path: this.#path }, this.#schema);
      if (turn === this.#turn) this.set(value);
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
    }
  }

  /** Takes what the server answered to a change; what was asked for before is outdated by it. */
  set(value: T): void {
    this.#turn++;
    batch(() => {
      this.value.value = value;
      this.problem.value = '';
    });
  }

  #fail(error: unknown): void {
    if (error instanceof ApiError && error.isRefusal) {
      this.#refused = true;
      this.value.value = undefined;
    } else this.problem.value = wordsOf(error);
  }
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
