import { Encoder } from '@evan/opus';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Contributor } from '../../../../transcode/audio/contributor.ts';
import { G711Decoder } from '../../../../transcode/audio/g711-codec.ts';
import {
  type AudioCodecName,
  MAX_PACKET_SAMPLES,
  type MixRate,
} from '../../../../transcode/audio/mix-format.ts';
import { OpusDecoder } from '../../../../transcode/audio/opus-codec.ts';
import { levelOf } from '../../../../transcode/audio/voice-activity.ts';
import { Tone } from '../../../signals/tone.ts';
import { flat, Mouth, throughLaw, tonePayloads } from '../../support/sounds.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

function heard(
  codec: AudioCodecName = 'PCMU',
  rates: MixRate[] = [8000],
  origin: 'gateway' | 'hub' = 'gateway',
) {
  const contributor = new Contributor(codec, origin);
  contributor.setRates(new Set(rates));
  return Object.assign(new Mouth(contributor), { contributor });
}

/** Goes through ticks. @returns how many of them he was audible in */
function audibleIn(contributor: Contributor, ticks: number): number {
  let count = 0;
  for (let tick = 0; tick < ticks; tick++) if (contributor.advance()) count++;
  return count;
}

/** Packets of that length. */
function packets(codec: AudioCodecName, ms: number, count: number): Buffer[] {
  if (codec !== 'opus') return Array.from({ length: count }, () => flat(5000, ms, codec));
  if (ms % 20 === 0) return together(tonePayloads('opus', 8000, 440, (count * ms) / 20), ms / 20);
  const encoder = new Encoder({ channels: 1, sample_rate: 8000, application: 'voip' });
  const tone = new Tone(8000, 440);
  const samples = new Int16Array(80);
  const frames = Array.from({ length: (count * ms) / 10 }, () => {
    tone.fill(samples);
    return Buffer.from(encoder.encode(samples));
  });
  return together(frames, ms / 10);
}

/** Puts so many frames into each packet; they have the same configuration (RFC 6716, section 3.2.5). */
function together(frames: readonly Buffer[], each: number): Buffer[] {
  return Array.from({ length: Math.floor(frames.length / each) }, (_, index) => {
    const inside = frames.slice(index * each, (index + 1) * each);
    if (inside.length === 1) return inside[0]!;
    const lengths = inside.slice(0, -1).flatMap(({ length }) => frameLength(length - 1));
    const head = Buffer.of(inside[0]![0]! | 3, 0x80 | inside.length, ...lengths);
    return Buffer.concat([head, ...inside.map((frame) => frame.subarray(1))]);
  });
}

/** RFC 6716, section 3.2.1. */
function frameLength(bytes: number): number[] {
  return bytes < 252 ? [bytes] : [252 + (bytes & 3), (bytes - 252 - (bytes & 3)) / 4];
}

describe('packets of every length are heard without gaps', () => {
  test.each<[AudioCodecName, number]>([
    ['PCMU', 10],
    ['PCMU', 20],
    ['PCMA', 30],
    ['PCMU', 60],
    ['PCMA', 120],
    ['opus', 10],
    ['opus', 20],
    ['opus', 30],
    ['opus', 40],
    ['opus', 60],
  ])('%s, %i ms', (codec, ms) => {
    const mouth = heard(codec);
    const said = packets(codec, ms, 3000 / ms);
    const lost = vi.spyOn(codec === 'opus' ? OpusDecoder.prototype : G711Decoder.prototype, 'conceal');
    let [sent, audible] = [0, 0];
    for (let tick = 0; tick < 100; tick++) {
      // As it comes from a phone: each when its sound is complete.
      while (sent < said.length && sent * ms < (tick + 1) * 20) mouth.say(said[sent++]!);
      if (mouth.contributor.advance()) audible++;
      if (codec !== 'opus' && mouth.contributor.audible) {
        const law = codec as 'PCMU' | 'PCMA';
        expect(new Set(mouth.contributor.frame(8000))).toEqual(new Set([throughLaw(5000, law)]));
      }
    }
    expect(audible).toBeGreaterThanOrEqual(99);
    expect(lost).not.toHaveBeenCalled();
    expect(mouth.contributor.undecodable).toBe(0);
  });
});

describe('a lost packet', () => {
  test.each([10, 20, 30, 60])('of %i ms is made up for as long as it was', (ms) => {
    const mouth = heard();
    const conceal = vi.spyOn(G711Decoder.prototype, 'conceal');
    let sent = 0;
    for (let tick = 0; tick < 60; tick++) {
      while (sent * ms < (tick + 1) * 20) {
        if (++sent === 12) mouth.lose();
        else mouth.say(flat(5000, ms));
      }
      if (tick > 5) expect(mouth.contributor.advance()).toBe(true);
      else mouth.contributor.advance();
    }
    expect(conceal.mock.calls.map(([samples]) => samples)).toEqual([8 * ms]);
    expect(mouth.contributor.jitter.lost).toBe(1);
  });

  test('is made up for with the copy that the next one brings', () => {
    const mouth = heard('opus');
    const said = tonePayloads('opus', 8000, 440, 12);
    const conceal = vi.spyOn(OpusDecoder.prototype, 'conceal');
    for (const [index, payload] of said.entries()) {
      if (index === 6) mouth.lose();
      else mouth.say(payload);
      if (index !== 6) mouth.contributor.advance();
    }
    audibleIn(mouth.contributor, 1);
    expect(conceal).toHaveBeenCalledOnce();
    expect(conceal.mock.calls[0]!.slice(0, 2)).toEqual([160, said[7]]);
  });

  test('that is no packet of the codec counts, and is made up for', () => {
    const mouth = heard('opus');
    const conceal = vi.spyOn(OpusDecoder.prototype, 'conceal');
    const said = tonePayloads('opus', 8000, 440, 10);
    for (const [index, payload] of said.entries()) {
      mouth.say(index === 5 ? Buffer.of(0xff, 0x40, 1, 2) : payload);
      expect(mouth.contributor.advance()).toBe(true);
    }
    expect(mouth.contributor.undecodable).toBe(1);
    expect(conceal.mock.calls.map(([samples]) => samples)).toEqual([160]);
  });
});

describe('who speaks', () => {
  test('is told by the packets of G.711 without decoding them, until 300 ms after', () => {
    const mouth = heard();
    const decode = vi.spyOn(G711Decoder.prototype, 'decode');
    const spoke: boolean[] = [];
    for (let tick = 0; tick < 60; tick++) {
      mouth.say(flat(tick >= 10 && tick < 20 ? 5000 : 0));
      expect(mouth.contributor.advance()).toBe(mouth.contributor.speaking);
      spoke.push(mouth.contributor.audible);
    }
    expect(spoke.indexOf(true)).toBe(10);
    expect(spoke.lastIndexOf(true)).toBe(10 + 10 + 15 - 1);
    // With the one before the first word.
    expect(decode).toHaveBeenCalledTimes(25 + 1);
    expect(mouth.contributor.levelDb).toBe(-127);
  });

  test('is told by the levels that packets from browsers bring', () => {
    const mouth = heard('opus', [48_000], 'hub');
    const decode = vi.spyOn(OpusDecoder.prototype, 'decode');
    const said = tonePayloads('opus', 48_000, 440, 40);
    for (const payload of said) {
      mouth.say(payload, -100);
      expect(mouth.contributor.advance()).toBe(false);
    }
    expect(decode).not.toHaveBeenCalled();
    expect(mouth.contributor.levelDb).toBe(-100);
    mouth.say(said[0]!, -20);
    expect(mouth.contributor.advance()).toBe(true);
    expect(mouth.contributor.speaking).toBe(true);
  });

  test('is told by the sound of Opus that brings no level', () => {
    const mouth = heard('opus', [16_000, 48_000]);
    const silence = tonePayloads('opus', 16_000, 440, 60, -200);
    for (const payload of silence) {
      mouth.say(payload);
      expect(mouth.contributor.advance()).toBe(false);
    }
    expect(mouth.contributor.speaking).toBe(false);
    const said = tonePayloads('opus', 16_000, 440, 20);
    const audible = said.map((payload) => {
      mouth.say(payload);
      return mouth.contributor.advance();
    });
    expect(audible.slice(2)).toEqual(new Array(18).fill(true));
    expect(mouth.contributor.levelDb).toBeGreaterThan(-20);
    expect(levelOf(mouth.contributor.frame(48_000)!)).toBeCloseTo(mouth.contributor.levelDb, 0);
  });

  test('packets that say "still silent" start nothing', () => {
    const mouth = heard('opus');
    const decode = vi.spyOn(OpusDecoder.prototype, 'decode');
    for (let tick = 0; tick < 20; tick++) {
      mouth.say(Buffer.of(0x08, 0).subarray(0, 1 + (tick % 2)));
      expect(mouth.contributor.advance()).toBe(false);
    }
    expect(decode).not.toHaveBeenCalled();
  });

  test('is nobody while muted, and he is heard again as soon as he is not', () => {
    const mouth = heard();
    mouth.say(flat(5000));
    mouth.contributor.advance();
    mouth.contributor.muted = true;
    expect([mouth.contributor.speaking, mouth.contributor.audible]).toEqual([false, false]);
    mouth.say(flat(5000));
    expect(mouth.contributor.advance()).toBe(false);
    mouth.contributor.muted = false;
    mouth.say(flat(5000));
    expect(mouth.contributor.advance()).toBe(true);
  });

  test('ends when nothing comes any more, after 100 ms of concealment', () => {
    const mouth = heard();
    for (let tick = 0; tick < 5; tick++) {
      mouth.say(flat(5000));
      mouth.contributor.advance();
    }
    expect(audibleIn(mouth.contributor, 20)).toBe(5);
    expect(mouth.contributor.speaking).toBe(false);
    mouth.say(flat(5000));
    expect(mouth.contributor.speaking).toBe(true);
  });
});

describe('rates', () => {
  test.each<[AudioCodecName, MixRate[], number]>([
    ['PCMU', [], 0],
    ['PCMU', [8000], 1],
    ['PCMU', [8000, 16_000, 48_000], 1],
    ['PCMA', [48_000], 1],
    ['opus', [48_000], 1],
    ['opus', [8000, 16_000, 48_000], 3],
  ])('%s at %j needs %i decoders, and has a frame at each', (codec, rates, decoders) => {
    const { contributor } = heard(codec, rates);
    expect(contributor.decoders).toBe(decoders);
    for (const rate of [8000, 16_000, 48_000] as const) {
      if (rates.includes(rate)) expect(contributor.frame(rate)).toHaveLength(rate / 50);
      else if (codec === 'opus') expect(contributor.frame(rate)).toBeUndefined();
    }
  });

  test('may come and go while he speaks: every frame is whole', () => {
    const mouth = heard('PCMU', [8000]);
    const steps: MixRate[][] = [[8000], [8000, 48_000], [48_000], [16_000, 48_000], [8000]];
    for (const rates of steps) {
      mouth.contributor.setRates(new Set(rates));
      for (let tick = 0; tick < 5; tick++) {
        mouth.say(flat(5000));
        expect(mouth.contributor.advance()).toBe(true);
      }
      for (const rate of rates) {
        const frame = mouth.contributor.frame(rate)!;
        expect(levelOf(frame)).toBeCloseTo(levelOf(Int16Array.of(throughLaw(5000))), 0);
      }
    }
  });

  test('a new one takes nothing from the others, and is in step with them', () => {
    const mouth = heard('opus', [8000]);
    const said = packets('opus', 60, 20);
    for (let tick = 0; tick < 50; tick++) {
      if (tick % 3 === 0) mouth.say(said[tick / 3]!);
      // In the middle of a packet.
      if (tick === 19) mouth.contributor.setRates(new Set([8000, 48_000]));
      expect(mouth.contributor.advance()).toBe(true);
      if (tick === 0) continue;
      expect(levelOf(mouth.contributor.frame(8000)!)).toBeCloseTo(-15, 0);
      // The rest of that packet is silence to the new one.
      if (tick === 20) expect(levelOf(mouth.contributor.frame(48_000)!)).toBe(-127);
      if (tick >= 22) expect(levelOf(mouth.contributor.frame(48_000)!)).toBeGreaterThan(-30);
    }
    expect(mouth.contributor.jitter).toMatchObject({ lost: 0, stretched: 0 });
  });

  test('a new one is in step also with packets that are no whole number of ticks', () => {
    const mouth = heard('opus', [8000]);
    const said = packets('opus', 30, 40);
    let sent = 0;
    for (let tick = 0; tick < 22; tick++) {
      while (sent * 30 < (tick + 1) * 20) mouth.say(said[sent++]!);
      mouth.contributor.advance();
    }
    // 10 ms of a packet are left, which the new one does not have.
    mouth.contributor.setRates(new Set([8000, 48_000]));
    mouth.say(said[sent++]!);
    mouth.contributor.advance();
    const frame = mouth.contributor.frame(48_000)!;
    expect(new Set(frame.subarray(0, 480))).toEqual(new Set([0]));
    expect(new Set(frame.subarray(480)).size).toBeGreaterThan(1);
  });

  test('without any, packets cost a look at their level', () => {
    const mouth = heard('PCMU', []);
    const decode = vi.spyOn(G711Decoder.prototype, 'decode');
    for (let tick = 0; tick < 20; tick++) {
      mouth.say(flat(5000));
      expect(mouth.contributor.advance()).toBe(false);
    }
    expect(mouth.contributor.speaking).toBe(true);
    expect(mouth.contributor.jitter.depth).toBe(0);
    expect(decode).not.toHaveBeenCalled();
    mouth.contributor.setRates(new Set([8000]));
    mouth.say(flat(5000));
    expect(mouth.contributor.advance()).toBe(true);
  });

  test('losing the last one ends him in the middle of a word', () => {
    const mouth = heard();
    mouth.say(flat(5000));
    mouth.contributor.advance();
    mouth.contributor.setRates(new Set());
    expect([mouth.contributor.speaking, mouth.contributor.audible, mouth.contributor.decoders]).toEqual([
      false,
      false,
      0,
    ]);
    expect(mouth.contributor.advance()).toBe(false);
  });
});

test('payloads of hostile sizes do no harm', () => {
  const mouth = heard('PCMU', [8000, 48_000]);
  for (const bytes of [1, 2, 959, 960, 961, 1400, MAX_PACKET_SAMPLES, 1, 1, 1]) {
    mouth.say(Buffer.alloc(bytes, 0x80));
    mouth.contributor.advance();
    expect(mouth.contributor.frame(8000)).toHaveLength(160);
  }
  for (let tick = 0; tick < 200; tick++) {
    for (let packet = 0; packet < 40; packet++) mouth.say(Buffer.alloc(1, 0x80));
    mouth.contributor.advance();
  }
  expect(mouth.contributor.jitter.depth).toBeLessThanOrEqual(32);
});
