import { turn } from './fake-process.ts';

/** Something asynchronous that waits for the test; open at first. */
export class Gate {
  open = true;
  #waiting: ((failure?: Error) => void)[] = [];

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async pass(): Promise<void> {
    if (this.open) return;
    await new Promise<void>((resolve, reject) =>
      this.#waiting.push((failure) => (failure ? reject(failure) : resolve())),
    );
  }

  /** Lets the one through who waits for longest, or makes it fail for him. */
  async letOne(failure?: Error): Promise<void> {
    this.#waiting.shift()!(failure);
    await turn();
  }

  /** Opens it for all. */
  async letAll(): Promise<void> {
    this.open = true;
    for (const go of this.#waiting.splice(0)) go();
    await turn();
  }
}
