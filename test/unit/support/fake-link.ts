import type { MediaLink } from '../../../src/gateway.ts';

/** A media worker's link to a hub that writes down what is sent, and asks for what the test wants. */
export class FakeLink implements MediaLink {
  /** Copies, as they were when they were sent. */
  readonly sent: Buffer[] = [];
  #feedback = new Map<number, (packet: Buffer) => void>();
  #closeListeners = new Set<() => void>();

  send(packet: Buffer): void {
    this.sent.push(Buffer.from(packet));
  }

  receive(): () => void {
    throw new Error('Nothing is received here.');
  }

  onFeedback(ssrc: number, listener: (packet: Buffer) => void): () => void {
    this.#feedback.set(ssrc, listener);
    return () => void this.#feedback.delete(ssrc);
  }

  onClose(listener: () => void): () => void {
    this.#closeListeners.add(listener);
    return () => void this.#closeListeners.delete(listener);
  }

  /** As the hub does. @returns whether anybody listens */
  ask(ssrc: number, packet: Buffer): boolean {
    const listener = this.#feedback.get(ssrc);
    listener?.(packet);
    return listener !== undefined;
  }

  close(): void {
    for (const listener of [...this.#closeListeners]) listener();
  }

  /** Of those who want to hear of something. */
  get listeners(): number {
    return this.#feedback.size + this.#closeListeners.size;
  }
}
