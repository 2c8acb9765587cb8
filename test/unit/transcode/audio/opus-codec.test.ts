import { describe, expect, test } from 'vitest';
import { createDecoder, createEncoder, decodingRate } from '../../../../transcode/audio/audio-codec.ts';
import { type MixDecoder, type MixRate, samplesPerFrame } from '../../../../transcode/audio/mix-format.ts';
import { OPUS_STEREO_SAMPLES, OpusStereoEncoder } from '../../../../transcode/audio/opus-codec.ts';
import { seededRandom } from '../../../signals/random.ts';
import { ToneMeter } from '../../../signals/tone-meter.ts';

const RATES: MixRate[] = [8000, 16_000, 48_000];
/** libopus's delay, encoder and decoder together. */
const DELAY_MS = 6.5;

/** A voice whose pitch and loudness change from syllable to syllable. */
function voice(rate: number, seconds: number, syllableSeconds = 0.2): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: rate * seconds }, (_, index) => {
    const time = index / rate;
    const syllable = Math.floor(time / syllableSeconds);
    phase += (2 * Math.PI * (110 + ((syllable * 37) % 60))) / rate;
    const loudness = 5000 * Math.sin((Math.PI * (time % syllableSeconds)) / syllableSeconds);
    const color = 2 + (syllable % 5);
    return Math.round(
      loudness * (Math.sin(phase) + 0.7 * Math.sin(color * phase) + 0.3 * Math.sin(9 * phase)),
    );
  });
}

function encodeAll(rate: MixRate, samples: Int16Array): Uint8Array[] {
  const encoder = createEncoder('opus', rate);
  const frame = samplesPerFrame(rate);
  const target = new Uint8Array(1500);
  return Array.from({ length: samples.length / frame }, (_, index) => {
    const bytes = encoder.encode(samples.subarray(index * frame, (index + 1) * frame), target, 12);
    return target.slice(12, 12 + bytes);
  });
}

function decodeAll(rate: MixRate, payloads: readonly Uint8Array[]): Int16Array {
  const decoder = createDecoder('opus', rate);
  const frame = samplesPerFrame(rate);
  const all = new Int16Array(payloads.length * frame);
  const output = new Int16Array(5760);
  for (const [index, payload] of payloads.entries()) {
    expect(decoder.decode(payload, output)).toBe(frame);
    all.set(output.subarray(0, frame), index * frame);
  }
  return all;
}

/** How like each other two signals are, 1 being the same, when one is late by so many samples. */
function likeness(first: Int16Array, second: Int16Array, late: number): number {
  let [product, power, otherPower] = [0, 0, 0];
  for (let index = 0; index + late < second.length; index++) {
    const [sample, other] = [first[index]!, second[index + late]!];
    product += sample * other;
    power += sample * sample;
    otherPower += other * other;
  }
  return product / Math.sqrt(power * otherPower);
}

describe.each(RATES)('Opus at %i Hz', (rate) => {
  const frame = samplesPerFrame(rate);

  test('decodes at the rate of the mix what it encodes', () => {
    expect(decodingRate('opus', rate)).toBe(rate);
    const spoken = voice(rate, 2);
    const heard = decodeAll(rate, encodeAll(rate, spoken));
    const best = Math.max(
      ...[-1, -0.5, 0, 0.5, 1].map((ms) =>
        likeness(spoken, heard, Math.round(((DELAY_MS + ms) * rate) / 1000)),
      ),
    );
    expect(best).toBeGreaterThan(0.7);
  });

  test('keeps to its bit rate', () => {
    const bytes = encodeAll(rate, voice(rate, 4)).reduce((sum, { length }) => sum + length, 0);
    expect((bytes * 8) / 4).toBeLessThan({ 8000: 26_000, 16000: 35_000, 48000: 53_000 }[rate]);
  });

  test('has a 48000 Hz clock and memory', () => {
    const encoder = createEncoder('opus', rate);
    expect([encoder.rate, encoder.timestampStep, encoder.hasMemory]).toEqual([rate, 960, true]);
    expect(createDecoder('opus', rate).rate).toBe(rate);
  });

  test('forgets its memory at a reset', () => {
    const spoken = voice(rate, 1);
    const encoder = createEncoder('opus', rate);
    const target = new Uint8Array(1500);
    const first = target.slice(0, encoder.encode(spoken.subarray(0, frame), target, 0));
    encoder.encode(spoken.subarray(30 * frame, 31 * frame), target, 0);
    encoder.reset();
    expect(target.slice(0, encoder.encode(spoken.subarray(0, frame), target, 0))).toEqual(first);

    const payloads = encodeAll(rate, spoken);
    const decoder = createDecoder('opus', rate);
    const output = new Int16Array(frame);
    for (const payload of payloads) decoder.decode(payload, output);
    decoder.reset();
    decoder.decode(payloads[0]!, output);
    expect(output).toEqual(decodeAll(rate, [payloads[0]!]));
  });

  test.each([2.5, 5, 10, 20, 40, 60, 120])('decodes packets of %f ms, and makes up for as much', (ms) => {
    const samples = (rate * ms) / 1000;
    const decoder = createDecoder('opus', rate);
    const output = new Int16Array(5760);
    expect(decoder.decode(silentPacket(ms), output)).toBe(samples);
    expect(decoder.conceal(samples, undefined, output)).toBe(samples);
  });

  test('makes up for other durations, and never more than there is room for', () => {
    const decoder = createDecoder('opus', rate);
    expect(decoder.conceal(frame - 3, undefined, new Int16Array(5760))).toBe(frame - 3);
    expect(decoder.conceal(frame, undefined, new Int16Array(frame - 5))).toBe(frame - 5);
    expect(decoder.conceal(0, undefined, new Int16Array(frame))).toBe(0);
    expect(decoder.conceal(48_000, undefined, new Int16Array(48_000))).toBe(rate * 0.12);
  });
});

/** A packet of nothing but frames without data (RFC 6716, section 3.2): CELT at wide bandwidth up to 20 ms, then several frames. */
function silentPacket(ms: number): Uint8Array {
  const single = [2.5, 5, 10, 20].indexOf(ms);
  if (single >= 0) return Uint8Array.of((28 + single) << 3);
  const frames = ms / 20;
  return Uint8Array.of((31 << 3) | 3, frames);
}

describe('a lost packet', () => {
  const rate = 16_000;
  const frame = samplesPerFrame(rate);
  const payloads = encodeAll(rate, voice(rate, 8, 0.05));
  const whole = decodeAll(rate, payloads);

  /** Loses every tenth packet. @returns how far what was made up is above its error, dB */
  function concealed(nextOf: (index: number) => Uint8Array | undefined): number {
    const decoder = createDecoder('opus', rate);
    const output = new Int16Array(frame);
    let [power, error] = [0, 0];
    for (const [index, payload] of payloads.entries()) {
      if (index % 10 !== 9 || index + 1 === payloads.length) {
        decoder.decode(payload, output);
        continue;
      }
      expect(decoder.conceal(frame, nextOf(index), output)).toBe(frame);
      for (const [place, sample] of output.entries()) {
        const original = whole[index * frame + place]!;
        power += original ** 2;
        error += (sample - original) ** 2;
      }
    }
    return 10 * Math.log10(power / error);
  }

  test('is made up for from what came before', () => {
    expect(concealed(() => undefined)).toBeGreaterThan(0.5);
  });

  test('is made up for much better from the copy in the packet after it', () => {
    const better = concealed((index) => payloads[index + 1]);
    expect(better).toBeGreaterThan(concealed(() => undefined) + 5);
  });

  test('is made up for without the packet after it if that is broken', () => {
    const without = concealed(() => undefined);
    expect(concealed(() => Uint8Array.of(0xff, 0xff))).toBe(without);
    expect(concealed(() => new Uint8Array(0))).toBe(without);
    expect(concealed(() => new Uint8Array(9000))).toBe(without);
  });
});

describe('what is no Opus packet', () => {
  test.each([
    ['nothing', Uint8Array.of()],
    ['two frames of unequal length where they must be equal', Uint8Array.of((31 << 3) | 1, 0)],
    ['more than 120 ms', Uint8Array.of((31 << 3) | 3, 7)],
    ['no frames at all', Uint8Array.of((31 << 3) | 3, 0)],
    ['a frame of more than 1275 bytes', new Uint8Array(2000)],
    ['a length beyond its end', Uint8Array.of((31 << 3) | 2, 200, 1)],
    ['more than any packet has', new Uint8Array(9000)],
  ])('%s: no samples, no error', (_, payload) => {
    expect(createDecoder('opus', 48_000).decode(payload, new Int16Array(5760))).toBe(0);
  });

  test('a packet longer than the output', () => {
    expect(createDecoder('opus', 8000).decode(silentPacket(40), new Int16Array(160))).toBe(0);
  });

  test('bytes of any kind never throw, and the decoder goes on afterwards', () => {
    const output = new Int16Array(5760);
    const decoders: MixDecoder[] = RATES.map((rate) => createDecoder('opus', rate));
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return Math.floor(((state >>> 0) / 2 ** 32) * below);
    };
    for (let round = 0; round < 3000; round++) {
      const payload = Uint8Array.from({ length: random(120) }, () => random(256));
      const decoder = decoders[round % 3]!;
      const samples = random(4)
        ? decoder.decode(payload, output)
        : decoder.conceal(random(6000), payload, output);
      expect(samples).toBeGreaterThanOrEqual(0);
      expect(samples).toBeLessThanOrEqual(decoder.rate * 0.12);
    }
    const payloads = encodeAll(8000, voice(8000, 1));
    const [decoder] = decoders;
    const levels = payloads.map((payload) => {
      decoder!.decode(payload, output);
      return Math.max(...output.subarray(0, 160));
    });
    expect(Math.max(...levels.slice(-10))).toBeGreaterThan(3000);
  });
});

describe('stereo', () => {
  const RATE = 48_000;
  const SAMPLES = OPUS_STEREO_SAMPLES;

  /** A tone on the left, another one on the right. */
  function tones(packets: number): Int16Array {
    return Int16Array.from({ length: packets * SAMPLES * 2 }, (_, index) => {
      const hz = index % 2 === 0 ? 440 : 1000;
      return Math.round(8000 * Math.sin((2 * Math.PI * hz * (index >> 1)) / RATE));
    });
  }

  function packets(encoder: OpusStereoEncoder, samples: Int16Array): Uint8Array[] {
    const target = new Uint8Array(1500);
    return Array.from({ length: samples.length / SAMPLES / 2 }, (_, index) => {
      const frame = samples.subarray(index * SAMPLES * 2, (index + 1) * SAMPLES * 2);
      const bytes = encoder.encode(frame, target, 12);
      return target.slice(12, 12 + bytes);
    });
  }

  const noise = (packets: number) => {
    const random = seededRandom(1);
    return Int16Array.from({ length: packets * SAMPLES * 2 }, () => (random() - 0.5) * 8000);
  };

  test('packets are stereo, of 20 ms, and tones do not stay in the codec for speech', () => {
    const all = packets(new OpusStereoEncoder(), tones(100));
    // RFC 6716, section 3.1: configuration 31 is CELT, full band, 20 ms; then the flag for stereo and one frame.
    for (const packet of all.slice(50)) expect(packet[0]).toBe((31 << 3) | 4);
  });

  test('both channels are in it', () => {
    const decoder = createDecoder('opus', RATE);
    const meter = new ToneMeter(RATE);
    const output = new Int16Array(5760);
    for (const packet of packets(new OpusStereoEncoder(), tones(50))) {
      meter.push(output.subarray(0, decoder.decode(packet, output)));
    }
    expect(meter.tones()).toEqual([440, 1000]);
  });

  test.each([[64_000], [96_000], [160_000]])('keeps to %i bit/s', (bitrateBps) => {
    const all = packets(new OpusStereoEncoder(bitrateBps), noise(250));
    const bits = all.reduce((sum, packet) => sum + packet.length * 8, 0);
    expect(bits / 5 / bitrateBps).toBeGreaterThan(0.8);
    expect(bits / 5 / bitrateBps).toBeLessThan(1.1);
  });

  test.each([960, 961, 3840])('throws when it is given anything but 20 ms: %i', (length) => {
    const target = new Uint8Array(1500);
    expect(() => new OpusStereoEncoder().encode(new Int16Array(length), target, 0)).toThrow('960');
  });
});
