import { Encoder } from '@evan/opus';
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../../../transcode/audio/audio-codec.ts';
import { limit } from '../../../../transcode/audio/limiter.ts';
import type { MixListener } from '../../../../transcode/audio/mix-listener.ts';
import { Mixer } from '../../../../transcode/audio/mixer.ts';
import {
  OPUS_STEREO_SAMPLES,
  OpusDecoder,
  OpusStereoEncoder,
} from '../../../../transcode/audio/opus-codec.ts';
import { seededRandom } from '../../../signals/random.ts';
import { Tone } from '../../../signals/tone.ts';
import { ToneMeter } from '../../../signals/tone-meter.ts';
import { Ear, flat, Mouth, throughLaw, tonePayloads } from '../../support/sounds.ts';

const RATE = 48_000;
const BYTES = 3840;
const STEREO = { codec: 'L16', rate: RATE, channels: 2 } as const;

function samplesOf(l16: Uint8Array): number[] {
  const view = Buffer.from(l16);
  return Array.from({ length: l16.length / 2 }, (_, at) => view.readInt16BE(2 * at));
}

/** Of one channel: 0 left, 1 right. */
function channel(l16: Uint8Array, side: 0 | 1): number[] {
  return samplesOf(l16).filter((_, at) => at % 2 === side);
}

/** What is heard on the left, and on the right. */
function tones(frames: readonly Uint8Array[]): [number[], number[]] {
  const sides = ([0, 1] as const).map((side) => {
    const meter = new ToneMeter(RATE);
    for (const frame of frames) meter.push(Int16Array.from(channel(frame, side)));
    return meter.tones();
  });
  return sides as [number[], number[]];
}

/** Stereo packets of 20 ms, a tone on each side. */
function stereoPayloads(leftHz: number, rightHz: number, frames: number): Buffer[] {
  const encoder = new OpusStereoEncoder();
  const sides = [new Tone(RATE, leftHz), new Tone(RATE, rightHz)] as const;
  const [left, right] = [new Int16Array(OPUS_STEREO_SAMPLES), new Int16Array(OPUS_STEREO_SAMPLES)];
  const target = Buffer.alloc(1500);
  return Array.from({ length: frames }, () => {
    sides[0].fill(left);
    sides[1].fill(right);
    const samples = Int16Array.from({ length: 1920 }, (_, at) => (at % 2 === 0 ? left : right)[at >> 1]!);
    return Buffer.from(target.subarray(0, encoder.encode(samples, target, 0)));
  });
}

function stereoEar(mixer: Mixer): Ear {
  const ear = new Ear();
  mixer.addListener(STEREO, ear);
  return ear;
}

describe('the stereo mix', () => {
  test('keeps the two sides of a stereo stream apart', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    const music = new Mouth(mixer.addContributor('music', 'opus', 'hub'));
    for (const payload of stereoPayloads(440, 1500, 40)) {
      music.say(payload, -20);
      mixer.tick();
    }
    expect(new Set(ear.frames.map(({ length }) => length))).toEqual(new Set([BYTES]));
    expect(tones(ear.frames)).toEqual([[440], [1500]]);
  });

  test('has those who are mono on both sides, equally loud', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    const phone = new Mouth(mixer.addContributor('phone', 'PCMU', 'gateway'));
    const browser = new Mouth(mixer.addContributor('browser', 'opus', 'hub'));
    const said = [tonePayloads('PCMU', 8000, 900, 40), tonePayloads('opus', RATE, 2000, 40)] as const;
    for (let tick = 0; tick < 40; tick++) {
      phone.say(said[0][tick]!);
      browser.say(said[1][tick]!, -20);
      mixer.tick();
      expect(channel(ear.heard, 0)).toEqual(channel(ear.heard, 1));
    }
    expect(tones(ear.frames)).toEqual([
      [900, 2000],
      [900, 2000],
    ]);
    const meter = new ToneMeter(RATE);
    for (const frame of ear.frames) meter.push(Int16Array.from(channel(frame, 0)));
    expect(meter.level(900)).toBeCloseTo(-12, 0);
    expect(meter.level(2000)).toBeCloseTo(-12, 0);
  });

  test('sums them all', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    const phone = new Mouth(mixer.addContributor('phone', 'PCMA', 'gateway'));
    const music = new Mouth(mixer.addContributor('music', 'opus', 'hub'));
    const said = [tonePayloads('PCMA', 8000, 900, 40), stereoPayloads(440, 1500, 40)] as const;
    for (let tick = 0; tick < 40; tick++) {
      phone.say(said[0][tick]!);
      music.say(said[1][tick]!, -20);
      mixer.tick();
    }
    expect(tones(ear.frames)).toEqual([
      [440, 900],
      [900, 1500],
    ]);
  });

  test('goes through the limiter', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    const phones = ['a', 'b', 'c'].map((id) => new Mouth(mixer.addContributor(id, 'PCMU', 'gateway')));
    for (let tick = 0; tick < 10; tick++) {
      for (const phone of phones) phone.say(flat(20_000));
      mixer.tick();
    }
    const expected = new Int16Array(1);
    limit(Int32Array.of(3 * throughLaw(20_000)), expected);
    // The filter between the rates does not keep a steady value to the last bit.
    for (const sample of samplesOf(ear.heard)) expect(Math.abs(sample - expected[0]!)).toBeLessThanOrEqual(1);
    expect(expected[0]).toBeLessThan(32_767);
  });

  test('is silence while nobody contributes, one frame a tick', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    for (let tick = 0; tick < 3; tick++) mixer.tick();
    expect(ear.frames).toEqual(new Array(3).fill(new Uint8Array(BYTES)));
  });

  test('is silence again when the only one has stopped', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    const phone = new Mouth(mixer.addContributor('phone', 'PCMU', 'gateway'));
    for (let tick = 0; tick < 30; tick++) {
      if (tick < 10) phone.say(flat(5000));
      mixer.tick();
    }
    expect(Math.abs(samplesOf(ear.frames[9]!).at(-1)! - throughLaw(5000))).toBeLessThanOrEqual(1);
    expect(ear.heard).toEqual(new Uint8Array(BYTES));
  });

  test('is the same memory for all who hear it, and without himself for one who speaks', () => {
    const mixer = new Mixer();
    const ears = [stereoEar(mixer), stereoEar(mixer)] as const;
    const own = mixer.addContributor('music', 'opus', 'hub');
    const [music, phone] = [new Mouth(own), new Mouth(mixer.addContributor('phone', 'PCMU', 'gateway'))];
    const self = new Ear();
    mixer.addListener({ ...STEREO, own }, self);
    const said = tonePayloads('PCMU', 8000, 900, 40);
    for (const [tick, payload] of stereoPayloads(440, 1500, 40).entries()) {
      music.say(payload, -20);
      phone.say(said[tick]!);
      mixer.tick();
    }
    expect(ears[0].memory.at(-1)).toBe(ears[1].memory.at(-1));
    expect(tones(ears[0].frames)).toEqual([
      [440, 900],
      [900, 1500],
    ]);
    expect(tones(self.frames)).toEqual([[900], [900]]);
  });

  test('tells what was skipped', () => {
    const mixer = new Mixer();
    const ear = stereoEar(mixer);
    mixer.tick();
    mixer.tick(4);
    expect(ear.skipped).toEqual([4]);
    expect(ear.frames).toHaveLength(2);
  });

  test('is made only while somebody hears it', () => {
    const mixer = new Mixer();
    mixer.addContributor('music', 'opus', 'hub');
    mixer.addContributor('phone', 'PCMU', 'gateway');
    const decoders = [mixer.decoders];
    mixer.addListener({ codec: 'opus', rate: RATE }, new Ear());
    decoders.push(mixer.decoders);
    const listener = mixer.addListener(STEREO, new Ear());
    decoders.push(mixer.decoders);
    mixer.removeListener(listener);
    decoders.push(mixer.decoders);
    expect(decoders).toEqual([0, 2, 3, 2]);
  });

  test('is refused in a codec that has none, and nobody listens then', () => {
    const mixer = new Mixer();
    expect(() => mixer.addListener({ ...STEREO, codec: 'opus' }, new Ear())).toThrow(RangeError);
    expect(mixer.listenerCount).toBe(0);
  });
});

describe('mono mixes', () => {
  const TICKS = 150;

  /**
   * Phones and browsers, with losses and pauses, some of which bring no levels.
   * @param changes - what happens at which tick; -1: before anybody else listens
   * @returns all that the mono listeners heard
   */
  function run(changes: (mixer: Mixer, tick: number) => void): Uint8Array[][] {
    const mixer = new Mixer();
    const random = seededRandom(48);
    const contributors = [
      mixer.addContributor('law', 'PCMU', 'gateway'),
      mixer.addContributor('wide', 'opus', 'gateway'),
      mixer.addContributor('music', 'opus', 'hub'),
      mixer.addContributor('quiet music', 'opus', 'gateway'),
    ] as const;
    const mouths = contributors.map((one) => new Mouth(one));
    const ears = [new Ear(), new Ear(), new Ear(), new Ear(), new Ear()] as const;
    changes(mixer, -1);
    mixer.addListener({ codec: 'PCMU', rate: 8000, own: contributors[0] }, ears[0]);
    mixer.addListener({ codec: 'opus', rate: 16_000, own: contributors[1] }, ears[1]);
    mixer.addListener({ codec: 'opus', rate: RATE, gatewaysOnly: true }, ears[2]);
    mixer.addListener({ codec: 'PCMA', rate: 8000 }, ears[3]);
    mixer.addListener({ codec: 'opus', rate: 16_000 }, ears[4]);
    const opposed = new Tone(RATE, 500, -34);
    const said = [
      tonePayloads('PCMU', 8000, 440, TICKS),
      tonePayloads('opus', 16_000, 900, TICKS),
      stereoPayloads(1200, 1700, TICKS),
      // Louder on the sides than in their sum: in stereo it would count as speech for longer.
      opposedPayloads(opposed, TICKS),
    ];
    for (let tick = 0; tick < TICKS; tick++) {
      changes(mixer, tick);
      for (const [index, mouth] of mouths.entries()) {
        const speaks = (tick + 13 * index) % 60 < 40;
        if (!speaks || random() < 0.05) mouth.lose();
        else mouth.say(said[index]![tick]!, index === 2 ? -20 : undefined);
      }
      mixer.tick();
    }
    return ears.map(({ frames }) => frames);
  }

  function opposedPayloads(tone: Tone, frames: number): Buffer[] {
    const encoder = new Encoder({ channels: 2, sample_rate: RATE, application: 'audio' });
    const left = new Int16Array(OPUS_STEREO_SAMPLES);
    return Array.from({ length: frames }, () => {
      tone.fill(left);
      const samples = Int16Array.from(
        { length: 1920 },
        (_, at) => left[at >> 1]! * (at % 2 === 0 ? 1 : -0.7),
      );
      return Buffer.from(encoder.encode(samples));
    });
  }

  /** @returns the listener and the tick; undefined when both runs are the same */
  function firstDifference(one: Uint8Array[][], other: Uint8Array[][]): [number, number] | undefined {
    for (const [listener, frames] of one.entries()) {
      const tick = frames.findIndex((frame, at) => Buffer.compare(frame, other[listener]![at]!) !== 0);
      if (tick >= 0 || frames.length !== other[listener]!.length) return [listener, tick];
    }
    return undefined;
  }

  const alone = run(() => {});

  test.each<[string, number[], number[]]>([
    ['was the first', [-1], [1000]],
    ['comes in the middle', [61], [1000]],
    ['was the first and goes in the middle', [-1], [77]],
    ['comes and goes', [20, 70, 110], [33, 90, 130]],
  ])('stay the same to the bit when a stereo listener %s', (_, comes, goes) => {
    const listeners: MixListener[] = [];
    const ear = new Ear();
    const heard = run((mixer, tick) => {
      if (comes.includes(tick)) listeners.push(mixer.addListener(STEREO, ear));
      if (goes.includes(tick)) mixer.removeListener(listeners.pop()!);
    });
    expect(firstDifference(heard, alone)).toBeUndefined();
    expect(ear.frames.some((frame) => samplesOf(frame).some((sample) => Math.abs(sample) > 5000))).toBe(true);
  });

  test('of that run hold sound', () => {
    for (const frames of alone) expect(new Set(frames.map((frame) => frame.join())).size).toBeGreaterThan(50);
  });
});

describe('the stereo decoder', () => {
  test('makes up for a lost packet on both sides', () => {
    const decoder = createDecoder('opus', 'stereo');
    const output = new Int16Array(2 * 5760);
    for (const payload of stereoPayloads(440, 1500, 20)) expect(decoder.decode(payload, output)).toBe(1920);
    expect(decoder.conceal(1920, undefined, output)).toBe(1920);
    for (const side of [0, 1]) {
      const loudest = Math.max(...output.subarray(0, 1920).filter((_, at) => at % 2 === side));
      expect(loudest).toBeGreaterThan(1000);
    }
  });

  test('decodes and makes up for mono as a mono one does', () => {
    const decoders = [createDecoder('opus', RATE), createDecoder('opus', 'stereo')] as const;
    const outputs = [new Int16Array(5760), new Int16Array(2 * 5760)] as const;
    for (const [index, payload] of tonePayloads('opus', RATE, 440, 30).entries()) {
      const [mono, stereo] = decoders.map((decoder, at) => {
        const samples = (at + 1) * 960;
        if (index % 7 === 6) decoder.conceal(samples, undefined, outputs[at]!);
        else expect(decoder.decode(payload, outputs[at]!)).toBe(samples);
        return outputs[at]!.subarray(0, samples);
      });
      const differences = stereo!.map((sample, at) => Math.abs(sample - mono![at >> 1]!));
      expect(Math.max(...differences)).toBeLessThanOrEqual(2);
    }
  });

  test('takes the longest packets, in which 120 ms of both channels are', () => {
    const decoder = new OpusDecoder(RATE, 2);
    // Two frames of 60 ms that hold nothing (RFC 6716, sections 3.1 and 3.2.2): SILK, wide band, stereo.
    const payload = Buffer.of((11 << 3) | 4 | 1);
    const output = new Int16Array(2 * 5760).fill(9);
    expect(decoder.decode(payload, output)).toBe(2 * 5760);
    expect(decoder.conceal(2 * 5760, undefined, output)).toBe(2 * 5760);
    expect(output.every((sample) => Math.abs(sample) < 2)).toBe(true);
  });

  test('writes no more than there is room for', () => {
    const decoder = new OpusDecoder(RATE, 2);
    const [payload] = stereoPayloads(440, 1500, 1);
    expect(decoder.decode(payload!, new Int16Array(1918))).toBe(0);
    expect(decoder.conceal(1920, undefined, new Int16Array(960))).toBe(960);
    // What is no whole number of 2.5 ms is cut.
    expect(decoder.conceal(1000, undefined, new Int16Array(1920))).toBe(1000);
  });

  test('never throws, whatever it gets', () => {
    const random = seededRandom(7);
    const decoder = new OpusDecoder(RATE, 2);
    const output = new Int16Array(2 * 5760);
    for (let packet = 0; packet < 500; packet++) {
      const payload = Buffer.from(Array.from({ length: random() * 200 }, () => random() * 256));
      const written = decoder.decode(payload, output);
      expect(written >= 0 && written <= output.length && written % 2 === 0).toBe(true);
    }
  });
});
