import { MAX_LIST } from '../../../gateways/webrtc/messages.ts';

/** Collects track sids for a moment and hands them over together, in lists that fit into one message. */
export class Batch {
  #waiting = new Set<string>();
  #delayMs: number;
  #send: (tracks: string[]) => void;

  constructor(delayMs: number, send: (tracks: string[]) => void) {
    this.#delayMs = delayMs;
    this.#send = send;
  }

  add(track: string): void {
    if (this.#waiting.size === 0) setTimeout(() => this.#flush(), this.#delayMs);
    this.#waiting.add(track);
  }

  #flush(): void {
    const tracks = [...this.#waiting];
    this.#waiting.clear();
    for (let at = 0; at < tracks.length; at += MAX_LIST) this.#send(tracks.slice(at, at + MAX_LIST));
  }
}
