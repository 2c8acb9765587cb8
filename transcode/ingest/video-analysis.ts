import type { VideoFormat } from '../../src/media/access-unit.ts';
import { parseSps, profileName, type Sps } from '../../src/media/h264/sps.ts';
import { Rate } from './rate.ts';
import type { VideoFacts } from './video-plan.ts';

/** Something seen once counts for so long. */
const MEMORY_MS = 10_000;
/** A stream whose key frames were too large stays so for a few of them. */
const OVERSIZED_MEMORY_MS = 30_000;
/** After so many pictures in order, a constant offset of presentation is the container's, and no sign of B-frames. */
const STEADY_FRAMES = 10;
/** Distances between key frames that are remembered: a source with short ones again is believed after as many. */
const REMEMBERED_GAPS = 3;

/** A picture as it came. */
export interface VideoFrame {
  /** Mended, ms: when it is decoded, and when it is shown. */
  readonly decodeMs: number;
  readonly showMs: number;
  readonly key: boolean;
  readonly bytes: number;
}

/** What is known of a publisher's pictures: their form, their order, their key frames. Pure. */
export class VideoAnalysis {
  codec = '';
  sps: Sps | undefined;
  /** In samples, where known. */
  size: { readonly width: number; readonly height: number } | undefined;
  readonly rate = new Rate();
  /** From one key frame to the next, ms; the latest last. */
  #gaps: number[] = [];
  #keyAt: number | undefined;
  #latestShown = Number.NEGATIVE_INFINITY;
  #reorderedAt = Number.NEGATIVE_INFINITY;
  /** Pictures that came in the order in which they are shown, since one did not. */
  #inOrder = 0;
  #waits = false;
  #oversizedAt = Number.NEGATIVE_INFINITY;
  #decodeMs = 0;

  /** Units of another format begin. */
  configure({ codec, parameterSets, width, height }: VideoFormat): void {
    this.codec = codec;
    if (this.size?.width !== width || this.size?.height !== height)
      this.size = width && height ? { width, height } : undefined;
    this.sps = codec === 'H264' ? parameterSets.map(parseSps).find((sps) => sps) : undefined;
    this.#latestShown = Number.NEGATIVE_INFINITY;
    this.#reorderedAt = Number.NEGATIVE_INFINITY;
    this.#inOrder = 0;
    this.#waits = false;
  }

  frame({ decodeMs, showMs, key, bytes }: VideoFrame, now: number): void {
    this.rate.add(bytes, now);
    this.#decodeMs = decodeMs;
    if (showMs < this.#latestShown) {
      this.#reorderedAt = decodeMs;
      this.#inOrder = 0;
    } else this.#inOrder++;
    // The first pictures wait for those that are shown before them, unless the parameter sets rule that out.
    this.#waits = showMs !== decodeMs && this.sps?.reorderFrames !== 0 && this.#inOrder < STEADY_FRAMES;
    this.#latestShown = Math.max(this.#latestShown, showMs);
    if (!key) return;
    if (this.#keyAt !== undefined) {
      this.#gaps.push(Math.max(0, decodeMs - this.#keyAt));
      if (this.#gaps.length > REMEMBERED_GAPS) this.#gaps.shift();
    }
    this.#keyAt = decodeMs;
  }

  /** The latest frame was too large to be sent as it is. */
  noteOversized(): void {
    this.#oversizedAt = this.#decodeMs;
  }

  /** Between the latest key frames, ms; undefined before there were two. */
  get keyFrameIntervalMs(): number | undefined {
    return this.#gaps.at(-1);
  }

  /** The longest lately, the one that has begun included, ms; 0 before the first key frame. */
  get keyFrameGapMs(): number {
    const open = this.#keyAt === undefined ? 0 : this.#decodeMs - this.#keyAt;
    return Math.max(open, ...this.#gaps);
  }

  get reorders(): boolean {
    return (
      (this.sps?.reorderFrames ?? 0) > 0 || this.#waits || this.#decodeMs - this.#reorderedAt < MEMORY_MS
    );
  }

  facts(who: string): VideoFacts {
    const { sps } = this;
    return {
      who,
      codec: this.codec,
      ...(sps
        ? {
            format: {
              profile: profileName(sps),
              chromaFormat: sps.chromaFormat,
              bitDepth: sps.bitDepth,
              interlaced: sps.interlaced,
            },
          }
        : {}),
      reorders: this.reorders,
      keyFrameGapMs: this.keyFrameGapMs,
      oversized: this.#decodeMs - this.#oversizedAt < OVERSIZED_MEMORY_MS,
    };
  }
}
