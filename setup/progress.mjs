// What the set-up says while it works: one line a step, and for long steps how far they are.
const REPEAT_MS = 15_000;

/**
 * One step of the set-up. On a terminal its line is rewritten as it advances; elsewhere (CI, a log
 * file) a new line comes at most every 15 s.
 */
export class Step {
  #name;
  #startedAt = Date.now();
  #lastLineAt = Date.now();

  /** @param {string} name @param {string} [estimate] - how long it will take, in words */
  constructor(name, estimate) {
    this.#name = name;
    console.log(`• ${name}${estimate ? ` (${estimate})` : ''}`);
  }

  /** @param {string} text - how far it is, such as "120 of 260 files" */
  at(text) {
    const now = Date.now();
    if (now - this.#lastLineAt < (process.stdout.isTTY ? 500 : REPEAT_MS)) return;
    this.#lastLineAt = now;
    console.log(`    ${this.#name}: ${text}, ${this.#seconds()}`);
  }

  done() {
    console.log(`✓ ${this.#name}, ${this.#seconds()}`);
  }

  #seconds() {
    return `${Math.round((Date.now() - this.#startedAt) / 1000)} s`;
  }
}
