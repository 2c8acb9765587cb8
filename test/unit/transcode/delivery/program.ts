import type { ProgramDescription, ProgramFeed, ProgramPacket } from '../../../../src/media/program.ts';

/**
 * A packet in a word: kind (v, a), 'c' for a config or 'k' for a key frame, its time in ms. Such as vk1000, v1033, a21, vc0.
 * @param bytes - of its body
 */
export function packet(text: string, bytes = 10): ProgramPacket {
  const [, kind, mark, ms] = /^([va])([ck]?)(\d+)$/.exec(text)!;
  return {
    kind: kind === 'v' ? 'video' : 'audio',
    packet: mark === 'c' ? 'config' : 'frame',
    key: kind === 'a' || mark === 'k',
    timestampMs: Number(ms),
    body: Buffer.alloc(bytes),
  };
}

/** The other way; sounds have no mark. */
export function word({ kind, packet: type, key, timestampMs }: ProgramPacket): string {
  const mark = type === 'config' ? 'c' : kind === 'video' && key ? 'k' : '';
  return `${kind[0]}${mark}${timestampMs}`;
}

export const DESCRIPTION: ProgramDescription = {
  width: 1280,
  height: 720,
  audioBitrateBps: 128_000,
  audioSampleRate: 48_000,
  audioChannels: 2,
};

/** A program that a test plays packet by packet. */
export class FakeFeed implements ProgramFeed {
  readonly description = DESCRIPTION;
  videoConfig: ProgramPacket | undefined = packet('vc0');
  audioConfig: ProgramPacket | undefined = packet('ac0');
  recent: ProgramPacket[] = [];
  #listeners = new Set<(packet: ProgramPacket) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (packet: ProgramPacket) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param texts - packets in words, separated by spaces */
  play(texts: string, bytes = 10): void {
    for (const text of texts.split(' ')) this.#play(packet(text, bytes));
  }

  #play(one: ProgramPacket): void {
    if (one.packet === 'config') this[one.kind === 'video' ? 'videoConfig' : 'audioConfig'] = one;
    else if (one.kind === 'video' && one.key) this.recent = [one];
    else if (this.recent.length > 0) this.recent.push(one);
    for (const listener of this.#listeners) listener(one);
  }
}
