import { Encoder } from '@evan/opus';
import { describe, expect, test } from 'vitest';
import { opusHasVoice, opusSamples } from '../../../src/media/opus-packet.ts';

type Application = 'voip' | 'audio' | 'restricted_lowdelay';

/** Syllables of a voice with pauses of half a second in between. */
function speech(rate: number): Int16Array {
  return Int16Array.from({ length: rate * 4 }, (_, index) => {
    const time = index / rate;
    if (Math.floor(time) % 2 === 1) return 0;
    const pitch = 2 * Math.PI * (120 + ((Math.floor(time / 0.2) * 37) % 60)) * time;
    const loudness = 0.3 + 0.7 * Math.sin((Math.PI * (time % 0.2)) / 0.2);
    return Math.round(
      4000 * loudness * (Math.sin(pitch) + 0.6 * Math.sin(3 * pitch) + 0.4 * Math.sin(7 * pitch)),
    );
  });
}

interface Coding {
  readonly application: Application;
  readonly rate: 8000 | 16_000 | 48_000;
  readonly ms: number;
  readonly bitrate: number;
  readonly channels?: 1 | 2;
}

/** @returns for each second, of what part of its packets it is said that they have voice; and their configurations */
function judged({ application, rate, ms, bitrate, channels = 1 }: Coding) {
  const encoder = new Encoder({ channels, sample_rate: rate, application });
  encoder.bitrate = bitrate;
  const frame = (rate * ms) / 1000;
  const samples = speech(rate);
  const voiced = [0, 0, 0, 0];
  const seconds = [0, 0, 0, 0];
  const configurations = new Set<string>();
  for (let at = 0; at + frame <= samples.length; at += frame) {
    const mono = samples.subarray(at, at + frame);
    const input =
      channels === 1 ? mono : Int16Array.from({ length: 2 * frame }, (_, index) => mono[index >> 1]!);
    const packet = encoder.encode(input);
    const second = Math.floor(at / rate);
    // The codec's voice detection has a hangover of its own, and a packet may be in two seconds.
    if (at % rate < rate / 4 || (at % rate) + frame > rate) continue;
    seconds[second]!++;
    if (opusHasVoice(packet)) voiced[second]!++;
    configurations.add(`${packet[0]! >> 3}/${packet[0]! & 3}`);
  }
  return {
    parts: voiced.map((count, second) => count / seconds[second]!),
    configurations: [...configurations],
  };
}

describe('what libopus makes of speech has voice, and what it makes of pauses has none', () => {
  test.each<[string, string, Coding]>([
    ['SILK, 10 ms', '0/0', { application: 'voip', rate: 8000, ms: 10, bitrate: 12_000 }],
    ['SILK, 20 ms', '1/0', { application: 'voip', rate: 8000, ms: 20, bitrate: 16_000 }],
    ['SILK, 40 ms: two flags', '2/0', { application: 'voip', rate: 8000, ms: 40, bitrate: 16_000 }],
    ['SILK, 60 ms: three flags', '3/0', { application: 'voip', rate: 8000, ms: 60, bitrate: 16_000 }],
    ['SILK at wide band', '9/0', { application: 'voip', rate: 16_000, ms: 20, bitrate: 12_000 }],
    ['SILK at wide band, 60 ms', '11/0', { application: 'voip', rate: 16_000, ms: 60, bitrate: 12_000 }],
    ['SILK, stereo', '1/0', { application: 'voip', rate: 8000, ms: 20, bitrate: 24_000, channels: 2 }],
    ['hybrid, two frames', '13/1', { application: 'voip', rate: 48_000, ms: 40, bitrate: 12_000 }],
    ['hybrid, three frames', '13/3', { application: 'voip', rate: 48_000, ms: 60, bitrate: 12_000 }],
    ['CELT, 10 ms', '18/0', { application: 'restricted_lowdelay', rate: 8000, ms: 10, bitrate: 24_000 }],
    ['CELT, 20 ms', '31/0', { application: 'restricted_lowdelay', rate: 48_000, ms: 20, bitrate: 48_000 }],
    [
      'CELT, two frames',
      '31/1',
      { application: 'restricted_lowdelay', rate: 48_000, ms: 40, bitrate: 48_000 },
    ],
    [
      'CELT, three frames',
      '31/3',
      { application: 'restricted_lowdelay', rate: 48_000, ms: 60, bitrate: 48_000 },
    ],
    ['what it likes', '31/0', { application: 'audio', rate: 48_000, ms: 20, bitrate: 24_000 }],
  ])('%s (%s)', (_, configuration, coding) => {
    const { parts, configurations } = judged(coding);
    expect(configurations).toContain(configuration);
    expect([parts[0]! > 0.6, parts[1], parts[2]! > 0.6, parts[3]]).toEqual([true, 0, true, 0]);
  });
});

/** RFC 6716, section 4.2.3: the flags are the first bits of the frame. Narrow band: 10, 20, 40, 60 ms are 0 to 3. */
describe('the flags', () => {
  test.each<[string, number, number, boolean]>([
    ['one of one', 1, 0b1000_0000, true],
    ['none of one, with others behind it', 1, 0b0111_1111, false],
    ['the first of two', 2, 0b1000_0000, true],
    ['the second of two', 2, 0b0100_0000, true],
    ['none of two', 2, 0b0011_1111, false],
    ['the third of three', 3, 0b0010_0000, true],
    ['none of three', 3, 0b0001_1111, false],
    ['one of one at wide band', 9, 0b1000_0000, true],
    ['the third of three at wide band', 11, 0b0010_0000, true],
    ['a hybrid frame has one, at 10 ms', 12, 0b0100_0000, false],
    ['a hybrid frame has one, at 20 ms', 15, 0b0110_0000, false],
    ['a hybrid frame that has it', 15, 0b1000_0000, true],
  ])('%s', (_, config, first, expected) => {
    expect(opusHasVoice(Uint8Array.of(config << 3, first, 0, 0, 0))).toBe(expected);
  });

  const VOICE = 0x80;
  test.each<[string, number[], boolean]>([
    ['two equal frames', [1, VOICE, 0], true],
    ['two frames, the first of them long', [2, 252, 0, VOICE, ...new Array(252).fill(0)], true],
    ['two frames, the first of them short', [2, 1, VOICE, 0], true],
    ['two frames, the flag looks like a length', [2, VOICE, 0, 0], false],
    ['equal frames', [3, 2, VOICE, 0], true],
    ['frames of different lengths', [3, 0x80 | 3, 1, 1, VOICE, 0, 0], true],
    ['frames of different and long lengths', [3, 0x80 | 3, 252, 0, 1, VOICE, 0, 0], true],
    ['padding', [3, 0x40 | 1, 2, VOICE, 0, 0], true],
    ['much padding', [3, 0x40 | 1, 255, 255, 2, VOICE, 0], true],
    ['padding and lengths', [3, 0xc0 | 2, 255, 0, 1, VOICE, 0], true],
  ])('are found behind %s', (_, [code, ...rest], expected) => {
    expect(opusHasVoice(Uint8Array.of((1 << 3) | code!, ...rest))).toBe(expected);
    if (!expected) return;
    const without = rest.map((byte, at) => (byte === VOICE && at === rest.indexOf(VOICE) ? 0 : byte));
    expect(opusHasVoice(Uint8Array.of((1 << 3) | code!, ...without))).toBe(false);
  });
});

describe('no voice, and no harm, in', () => {
  test.each<[string, number[]]>([
    ['nothing', []],
    ['a header', [0x08]],
    ['what says "still silent"', [0x08, 0xff]],
    ['lengths to the very end', [0x0b, 0x83, 1]],
    ['many frames and no lengths', [0x0b, 0xbf, 0xff]],
    ['padding without end', [0x0b, 0x7f, ...new Array(100).fill(255)]],
    ['a small packet of CELT', [0xf8, ...new Array(11).fill(0xff)]],
  ])('%s', (_, bytes) => {
    expect(opusHasVoice(Uint8Array.from(bytes))).toBe(false);
  });

  test('bytes of any kind', () => {
    let state = 3;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return Math.floor(((state >>> 0) / 2 ** 32) * below);
    };
    for (let round = 0; round < 20_000; round++) {
      const packet = Uint8Array.from({ length: random(40) }, () => random(256));
      expect(() => opusHasVoice(packet)).not.toThrow();
    }
  });
});

describe('the length of a packet is', () => {
  test.each<[string, number, number]>([
    ['10 ms of SILK at narrow band', 0, 480],
    ['20 ms of SILK', 1, 960],
    ['40 ms of SILK', 2, 1_920],
    ['60 ms of SILK at wide band', 11, 2_880],
    ['10 ms of hybrid', 12, 480],
    ['20 ms of hybrid', 15, 960],
    ['2.5 ms of CELT', 16, 120],
    ['5 ms of CELT', 21, 240],
    ['10 ms of CELT', 26, 480],
    ['20 ms of CELT at full band', 31, 960],
  ])('%s, as its first byte says it (RFC 6716, section 3.1)', (_, config, samples) => {
    const packet = (code: number, ...rest: number[]) => Uint8Array.of((config << 3) | code, ...rest);
    const STEREO = 4;
    expect([opusSamples(packet(0)), opusSamples(packet(STEREO))]).toEqual([samples, samples]);
    expect([opusSamples(packet(1)), opusSamples(packet(2, 0))]).toEqual([2 * samples, 2 * samples]);
    // Of the second byte the lower six bits count: the others say how the frames are packed.
    expect(opusSamples(packet(3, 0xc0 | 2))).toBe(2 * samples);
  });

  test.each<Coding>([
    { application: 'voip', rate: 48_000, ms: 60, bitrate: 12_000 },
    { application: 'voip', rate: 8_000, ms: 10, bitrate: 12_000 },
    { application: 'voip', rate: 16_000, ms: 40, bitrate: 16_000 },
    { application: 'restricted_lowdelay', rate: 48_000, ms: 2.5, bitrate: 48_000 },
    { application: 'restricted_lowdelay', rate: 48_000, ms: 60, bitrate: 48_000 },
    { application: 'audio', rate: 48_000, ms: 20, bitrate: 96_000, channels: 2 },
  ])('what libopus put into it: $application, $rate Hz, $ms ms', (coding) => {
    const { application, rate, ms, bitrate, channels = 1 } = coding;
    const encoder = new Encoder({ channels, sample_rate: rate, application });
    encoder.bitrate = bitrate;
    const packet = encoder.encode(new Int16Array((channels * rate * ms) / 1000).fill(500));
    expect(opusSamples(packet)).toBe(48 * ms);
  });

  test.each<[string, number[]]>([
    ['nothing', []],
    ['one that should say how many frames it has, and ends', [0xff]],
    ['one of no frames', [0xff, 0]],
  ])('none: %s', (_, bytes) => {
    expect(opusSamples(Uint8Array.from(bytes))).toBe(0);
  });
});
