import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What an end of relays answers: what it was asked for, or why not. */
export interface EndReply<T> {
  readonly value?: T;
  readonly error?: string;
}

/** The publisher's or the CDN's end of relays, in a process of its own; asked one thing after the other. */
export class RelayEnd {
  #child: ChildProcess;
  #ended: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`An end of relays ended by itself: ${signal ?? `exit code ${code}`}`);
    });
    this.#ended.catch(() => {}); // whoever waits for an answer gets it
  }

  /** @param entry - a file that answers requests with `answerRequests`. */
  static async start(entry: string, args: readonly string[] = []): Promise<RelayEnd> {
    const end = new RelayEnd(fork(entry, args, { serialization: 'advanced' }));
    await end.#message();
    return end;
  }

  /** @throws Error with what the process says is wrong */
  async ask<T>(request: unknown): Promise<T> {
    this.#child.send(request as object);
    const reply = (await this.#message()) as EndReply<T>;
    if (reply.error) throw new Error(reply.error);
    return reply.value as T;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #message(): Promise<unknown> {
    const [message] = await Promise.race([once(this.#child, 'message'), this.#ended]);
    return message;
  }
}

/** In the process itself: says that it is ready, answers every request, and ends with its parent. */
export function answerRequests<Request>(answer: (request: Request) => unknown): void {
  const handle = async (request: Request): Promise<EndReply<unknown>> => {
    try {
      return { value: await answer(request) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
  process.on('message', (request) => void handle(request as Request).then((reply) => process.send!(reply)));
  process.on('disconnect', () => process.exit(0));
  process.send!('ready');
}
