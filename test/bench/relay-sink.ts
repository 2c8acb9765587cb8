import path from 'node:path';
import { RelayEnd } from './relay-end.ts';
import type { RelayFrame } from './relay-frame.ts';

export type SinkRequest = { readonly type: 'port' } | { readonly type: 'take' };

/** What came since it was last taken. */
export interface Taken {
  /** Audio and video frames in the order of arrival, without configurations. */
  readonly frames: readonly RelayFrame[];
  /** When media of any kind came first, by stream key, machine time; of streams that began since then. */
  readonly began: ReadonlyMap<string, number>;
  /** Connections that were let publish since then. */
  readonly connections: number;
  /** Frames that came since then and are not kept: there were too many. */
  readonly dropped: number;
  /** The last configuration of the video decoder, where bodies are kept. */
  readonly videoConfig: Buffer | undefined;
}

const ENTRY = path.join(import.meta.dirname, 'relay-sink-main.ts');

/** An RTMP server in a process of its own that takes every stream and stamps what comes of it, as a CDN that is near. */
export class RelaySink {
  /** Where to push, without the key. */
  readonly url: string;
  #end: RelayEnd;

  private constructor(end: RelayEnd, port: number) {
    this.#end = end;
    this.url = `rtmp://127.0.0.1:${port}/live`;
  }

  /** @param options.bodies - whether frames are kept whole */
  static async start(options: { readonly bodies?: boolean } = {}): Promise<RelaySink> {
    const end = await RelayEnd.start(ENTRY, options.bodies ? ['bodies'] : []);
    return new RelaySink(end, await end.ask<number>({ type: 'port' } satisfies SinkRequest));
  }

  /** Takes what came since this was last called. Calls come one after the other. */
  take(): Promise<Taken> {
    return this.#end.ask({ type: 'take' } satisfies SinkRequest);
  }

  close(): void {
    this.#end.close();
  }
}
