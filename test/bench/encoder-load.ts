import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ClipOptions } from '../peers/flv-clip.ts';

export type LoadRequest =
  | {
      readonly type: 'publish';
      readonly port: number;
      readonly keys: readonly string[];
      readonly clip: ClipOptions;
      /** Over so long the beginnings are spread, so that key frames come one after the other. */
      readonly spreadMs: number;
    }
  | { readonly type: 'end' };

export interface LoadReply {
  /** Mean of a stream since it began, without RTMP's own bytes. */
  readonly bitrateBps?: number;
  readonly error?: string;
}

const ENTRY = path.join(import.meta.dirname, 'encoder-load-main.ts');

/** Encoders in a process of their own, without a codec: each sends the same clip, over and over, in real time. */
export class EncoderLoad {
  #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<EncoderLoad> {
    const child = fork(ENTRY, { serialization: 'advanced' });
    await once(child, 'message');
    return new EncoderLoad(child);
  }

  /** Resolves when all of them send. @throws Error when one is not taken */
  async publish(request: Omit<Extract<LoadRequest, { type: 'publish' }>, 'type'>): Promise<void> {
    await this.#ask({ type: 'publish', ...request });
  }

  /** All go; others can publish then. @returns what each sent, bit/s */
  async end(): Promise<number> {
    const { bitrateBps } = await this.#ask({ type: 'end' });
    return bitrateBps!;
  }

  close(): void {
    this.#child.disconnect();
  }

  async #ask(request: LoadRequest): Promise<LoadReply> {
    this.#child.send(request);
    const [reply] = (await once(this.#child, 'message')) as [LoadReply];
    if (reply.error) throw new Error(`The load could not ${request.type}: ${reply.error}`);
    return reply;
  }
}
