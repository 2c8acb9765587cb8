import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Address } from '../peers/phone-line.ts';
import type { LoadFigures } from './phone-load-crowd.ts';

export type LoadRequest =
  | { readonly type: 'call'; readonly uri: string; readonly calls: number; readonly talkers: number }
  | { readonly type: 'join'; readonly remotes: readonly Address[]; readonly talkers: number }
  | { readonly type: 'measure'; readonly seconds: number }
  | { readonly type: 'end' };

export interface LoadReply {
  readonly figures?: LoadFigures;
  readonly error?: string;
}

const ENTRY = path.join(import.meta.dirname, 'phone-load-main.ts');

/**
 * Many callers in a process of their own, with a socket each: PCMU every 20 ms, spread over the 20 ms. Some
 * talk, the others are silent; once a second one of the last four says a mark of 80 ms, and 16 listen for it.
 */
export class PhoneLoad {
  #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<PhoneLoad> {
    const child = fork(ENTRY, { serialization: 'advanced' });
    await once(child, 'message');
    return new PhoneLoad(child);
  }

  /** All call that address by SIP. @throws Error when one is not answered */
  async call(uri: string, calls: number, talkers: number): Promise<void> {
    await this.#ask({ type: 'call', uri, calls, talkers });
  }

  /** Without SIP: one caller for each of those addresses, which it sends to. */
  async join(remotes: readonly Address[], talkers: number): Promise<void> {
    await this.#ask({ type: 'join', remotes, talkers });
  }

  async measure(seconds: number): Promise<LoadFigures> {
    const { figures } = await this.#ask({ type: 'measure', seconds });
    return figures!;
  }

  /** All hang up; others can call then. */
  async end(): Promise<void> {
    await this.#ask({ type: 'end' });
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
