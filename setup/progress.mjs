// What the set-up says while it works: one line a step, and for long steps how far they are.
const REPEAT_MS = 15_000;
/** Erases the terminal's current line. */
const CLEAR = '\x1b[2K';

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
    console.log(`${process.stdout.isTTY ? CLEAR : ''}• ${name}${estimate ? ` (${estimate})` : ''}`);
  }

  /** @param {string} text - how far it is, such as "120 of 260 files" */
  at(text) {
    const now = Date.now();
    if (now - this.#lastLineAt < (process.stdout.isTTY ? 500 : REPEAT_MS)) return;
    this.#lastLineAt = now;
    const line = `  ${this.#name}: ${text}, ${this.#seconds()}`;
    // Written over by the next line, whichever step it comes from.
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR}${line}\r`);
    else console.log(line);
  }

  done() {
    console.log(`${process.stdout.isTTY ? CLEAR : ''}✓ ${this.#name}, ${this.#seconds()}`);
  }

  #seconds() {
    return `${Math.round((Date.now() - this.#startedAt) / 1000)} s`;
  }
}
