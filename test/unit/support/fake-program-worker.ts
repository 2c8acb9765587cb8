import { PatchroomError } from '../../../src/base/errors.ts';
import type { LinkedTrack } from '../../../src/workers/hub-link.ts';
import type { WorkerRequest } from '../../../src/workers/messages.ts';
import { Gate } from './gate.ts';

/**
 * A media worker that makes programs, and its link to the hub: one picture at a time, of which the test says when it is
 * seen. What was seen and then taken away has to be brought anew, as in the real one.
 */
export class FakeProgramWorker {
  readonly requests: WorkerRequest[] = [];
  /** Sources whose pictures may come, by id. */
  readonly sources = new Set<string>();
  readonly mixed = new Map<string, WorkerRequest & { type: 'mix-track' }>();
  /** Consumers that are open, by producer. */
  readonly linked: string[] = [];
  /** Producers that were asked for a key frame. */
  readonly keyFrames: string[] = [];
  readonly gates = { open: new Gate(), consume: new Gate(), push: new Gate(), hub: new Gate() };
  /** What requests fail with, by type, the next time. */
  readonly failures: Partial<Record<WorkerRequest['type'], Error[]>> = {};
  codec = 'VP8';
  hasEnded = false;
  current: string | undefined;
  next: string | undefined;
  readonly ended: Promise<string>;
  #waiting = new Map<string, () => void>();
  #end!: (cause: string) => void;
  #nextSsrc = 1;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Of programs, in short: their type without `program`, and their source. */
  get asked(): string[] {
    return this.requests.flatMap((request) => {
      if (!('program' in request)) return [];
      const source = 'source' in request ? ` ${request.source}` : '';
      const shown = request.type === 'program-show' && request.source === undefined ? ' nobody' : source;
      return `${request.type.replace(/^program-/, '')}${shown}`;
    });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async request(request: WorkerRequest): Promise<unknown> {
    if (this.hasEnded) throw new PatchroomError('unavailable', 'The media worker is gone.');
    this.requests.push(request);
    const failure = this.failures[request.type]?.shift();
    if (failure) throw failure;
    switch (request.type) {
      case 'open-program':
        await this.gates.open.pass();
        return {};
      case 'program-show':
        await this.#show(request.source);
        return {};
      case 'program-push-source':
        this.sources.add(request.source);
        await this.gates.push.pass();
        return { port: 4711, token: `token of ${request.source}` };
      case 'program-hub-source':
        this.sources.add(request.source);
        await this.gates.hub.pass();
        return {};
      case 'program-remove-source':
        this.sources.delete(request.source);
        return {};
      case 'close-program':
        this.sources.clear();
        return {};
      case 'mix-track':
        this.mixed.set(request.track, request);
        return {};
      case 'unmix-track':
        this.mixed.delete(request.track);
        return {};
      default:
        return {};
    }
  }

  /** The first picture of what is to be shown comes. */
  see(): void {
    const { next } = this;
    if (next === undefined || !this.sources.has(next)) throw new Error(`There are no pictures of ${next}.`);
    this.current = next;
    this.next = undefined;
    this.#settle(next);
  }

  die(): void {
    this.hasEnded = true;
    this.#end('killed by SIGKILL');
  }

  async consume(producerId: string): Promise<LinkedTrack> {
    await this.gates.consume.pass();
    this.linked.push(producerId);
    let closed = false;
    return {
      ssrc: this.#nextSsrc++,
      payloadType: 101,
      codec: { name: this.codec, clockRate: 90_000 },
      levelExtension: undefined,
      requestKeyFrame: async () => void this.keyFrames.push(producerId),
      close: () => {
        if (!closed) this.linked.splice(this.linked.indexOf(producerId), 1);
        closed = true;
      },
    };
  }

  async #show(source: string | undefined): Promise<void> {
    if (this.next !== undefined && this.next !== source) {
      const dropped = this.next;
      this.next = undefined;
      this.#settle(dropped);
    }
    if (source === undefined) this.current = undefined;
    if (source === this.current) return;
    this.next = source;
    this.#settle(source!);
    await new Promise<void>((resolve) => this.#waiting.set(source!, resolve));
  }

  #settle(source: string): void {
    this.#waiting.get(source)?.();
    this.#waiting.delete(source);
  }
}
