/** Bytes that something did what it must not do with. */
export class FuzzFailure extends Error {
  readonly bytes: Buffer;

  constructor(what: string, bytes: Buffer, cause?: unknown) {
    super(`${what} (${bytes.length} bytes)`, { cause });
    this.name = 'FuzzFailure';
    this.bytes = bytes;
  }
}

/** What a fuzzer has done: how many inputs, and how many of them were refused for which reason. */
export interface FuzzReport {
  rounds: number;
  refused: Record<string, number>;
}

/** The same seed gives the same rounds. Throws FuzzFailure. */
export type Fuzzer = (seed: number, rounds: number) => FuzzReport;
