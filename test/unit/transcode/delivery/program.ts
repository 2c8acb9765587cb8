import type { AccessUnit, AudioFormat, MediaFormat, VideoFormat } from '../../../../src/media/access-unit.ts';
import { isVideo } from '../../../../src/media/access-unit.ts';
import type { ProgramDescription, ProgramFeed } from '../../../../src/media/program.ts';

/** @returns one that is not the same as any other, whatever it says */
export function videoFormat(): VideoFormat {
  const record = Buffer.from('01640028ffe1000467640028010004680000ff', 'hex');
  return { kind: 'video', codec: 'H264', record, lengthBytes: 4, parameterSets: [] };
}

export function audioFormat(): AudioFormat {
  return { kind: 'audio', codec: 'AAC', config: Buffer.from('1190', 'hex'), sampleRate: 48_000, channels: 2 };
}

export const VIDEO = videoFormat();
export const AUDIO = audioFormat();

/**
 * A unit in a word: kind (v, a), 'k' for a key frame, when it is decoded in ms. Such as vk1000, v1033, a21.
 * @param bytes - of its data
 */
export function unit(text: string, bytes = 10, formats = { video: VIDEO, audio: AUDIO }): AccessUnit {
  const [, kind, mark, ms] = /^([va])(k?)(\d+)$/.exec(text)!;
  const dtsUs = Number(ms) * 1000;
  const rest = { data: Buffer.alloc(bytes), dtsUs, ptsUs: dtsUs, disposable: false, discontinuity: false };
  return kind === 'v'
    ? { format: formats.video, key: mark === 'k', ...rest }
    : { format: formats.audio, key: true, ...rest };
}

/** The other way; audio has no mark. */
export function word(one: AccessUnit): string {
  return `${one.format.kind[0]}${isVideo(one) && one.key ? 'k' : ''}${one.dtsUs / 1000}`;
}

export const DESCRIPTION: ProgramDescription = {
  width: 1280,
  height: 720,
  audioBitrateBps: 128_000,
  audioSampleRate: 48_000,
  audioChannels: 2,
};

/** A program that a test plays unit by unit. */
export class FakeFeed implements ProgramFeed {
  readonly description = DESCRIPTION;
  /** Of what is played from now on. */
  readonly played = { video: VIDEO, audio: AUDIO };
  recent: AccessUnit[] = [];
  #listeners = new Set<(unit: AccessUnit) => void>();

  get formats(): readonly MediaFormat[] {
    return [this.played.video, this.played.audio];
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (unit: AccessUnit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param texts - units in words, separated by spaces */
  play(texts: string, bytes = 10): void {
    for (const text of texts.split(' ')) this.#play(unit(text, bytes, this.played));
  }

  #play(one: AccessUnit): void {
    if (isVideo(one) && one.key) this.recent = [one];
    else if (this.recent.length > 0) this.recent.push(one);
    for (const listener of this.#listeners) listener(one);
  }
}
