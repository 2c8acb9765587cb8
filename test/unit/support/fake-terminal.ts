import type { Terminal } from '../../../src/cli/terminal.ts';

/** A terminal that remembers what was written to it, and has the lines that a test puts into it. */
export class FakeTerminal implements Terminal {
  readonly environment: NodeJS.ProcessEnv;
  readonly #lines: string[];
  output = '';
  errors = '';

  constructor(lines: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
    this.#lines = [...lines];
    this.environment = environment;
  }

  print = (text: string): void => {
    this.output += `${text}\n`;
  };

  complain = (text: string): void => {
    this.errors += `${text}\n`;
  };

  async readLine(): Promise<string | undefined> {
    return this.#lines.shift();
  }
}
