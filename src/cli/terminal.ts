import { createInterface } from 'node:readline';

/** What a command has of the world: what it reads, and where it writes. */
export interface Terminal {
  readonly environment: NodeJS.ProcessEnv;
  /** Standard output: results only, so that they can be piped. */
  print(text: string): void;
  /** Standard error: everything else. */
  complain(text: string): void;
  /** The next line of standard input, without its end; undefined when there is none. @param prompt - for people only */
  readLine(prompt: string): Promise<string | undefined>;
}

/** This process's own. @param environment - of the process: only start files read it */
export function processTerminal(environment: NodeJS.ProcessEnv): Terminal {
  return {
    environment,
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${text}\n`),
    async readLine(prompt) {
      if (process.stdin.isTTY) process.stderr.write(prompt);
      const lines = createInterface({ input: process.stdin, terminal: false });
      try {
        for await (const line of lines) return line;
        return undefined;
      } finally {
        lines.close();
      }
    },
  };
}
