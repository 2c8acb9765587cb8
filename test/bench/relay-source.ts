import path from 'node:path';
import type { ClipOptions } from '../peers/flv-clip.ts';
import { RelayEnd } from './relay-end.ts';
import type { RelayFrame } from './relay-frame.ts';

export interface SourceClip {
  readonly clip: ClipOptions;
  /** The picture turns white for a moment each `MARK_PERIOD_MS` of the stream's time. */
  readonly marked: boolean;
}

export type SourceRequest =
  | ({ readonly type: 'publish'; readonly port: number; readonly key: string } & SourceClip)
  | { readonly type: 'take' };

const ENTRY = path.join(import.meta.dirname, 'relay-source-main.ts');

/** One encoder in a process of its own, without a codec, that tells when it wrote what. */
export class RelaySource {
  #end: RelayEnd;

  private constructor(end: RelayEnd) {
    this.#end = end;
  }

  /** Publishes a clip, over and over, in real time. @throws Error when it is not taken */
  static async publish(port: number, key: string, clip: SourceClip): Promise<RelaySource> {
    const source = new RelaySource(await RelayEnd.start(ENTRY));
    await source.#end.ask({ type: 'publish', port, key, ...clip } satisfies SourceRequest);
    return source;
  }

  /**
   * Takes the pictures that it wrote since this was last called, with when it gave them to its socket. The first
   * one that it ever wrote is shown at 0.
   */
  take(): Promise<readonly RelayFrame[]> {
    return this.#end.ask({ type: 'take' } satisfies SourceRequest);
  }

  /** It goes without a word. */
  close(): void {
    this.#end.close();
  }
}
