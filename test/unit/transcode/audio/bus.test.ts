import { afterEach, describe, expect, test, vi } from 'vitest';
import { createDecoder } from '../../../../transcode/audio/audio-codec.ts';
import { Bus } from '../../../../transcode/audio/bus.ts';
import { Contributor, type Origin } from '../../../../transcode/audio/contributor.ts';
import type { AudioCodecName, MixRate } from '../../../../transcode/audio/mix-format.ts';
import { MixListener } from '../../../../transcode/audio/mix-listener.ts';
import { OpusEncoder } from '../../../../transcode/audio/opus-codec.ts';
import { ToneMeter } from '../../../signals/tone-meter.ts';
import { Ear, flat, Mouth, samplesOf, throughLaw, tonePayloads } from '../../support/sounds.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

function contributor(origin: Origin = 'gateway', rates: MixRate[] = [8000], codec: AudioCodecName = 'PCMU') {
  const made = new Contributor(codec, origin);
  made.setRates(new Set(rates));
  return made;
}

function addTo(bus: Bus, options: { own?: Contributor; codec?: AudioCodecName } = {}): Ear {
  const ear = new Ear();
  bus.listeners.add(new MixListener({ codec: 'PCMU', rate: bus.rate, ...options }, ear));
  return ear;
}

test.each<[Origin | undefined, Origin, boolean]>([
  [undefined, 'gateway', true],
  [undefined, 'hub', true],
  ['gateway', 'gateway', true],
  ['gateway', 'hub', false],
])('a bus of origin %s hears one from the %s: %s', (of, origin, expected) => {
  const bus = new Bus(8000, of);
  const one = contributor(origin);
  expect(bus.hears(one)).toBe(expected);
  expect(bus.wants(one)).toBe(false); // nobody listens
  addTo(bus, { own: one });
  expect(bus.wants(one)).toBe(false); // only he himself
  addTo(bus);
  expect(bus.wants(one)).toBe(expected);
});

describe('the sum', () => {
  test('is that of those who have a frame at its rate and whom it hears', () => {
    const bus = new Bus(8000, 'gateway');
    const ear = addTo(bus);
    const speaking = [
      contributor(),
      contributor('gateway', [48_000], 'opus'),
      contributor('hub'),
      contributor(),
    ];
    const [opus] = tonePayloads('opus', 48_000, 440, 1);
    for (const [index, one] of speaking.entries()) {
      new Mouth(one).say(one.codec === 'opus' ? opus! : flat((index + 2) * 1000), -10);
      expect(one.advance()).toBe(true);
    }
    bus.tick(speaking);
    const expected = throughLaw(throughLaw(2000) + throughLaw(5000));
    expect(samplesOf(ear.heard)).toEqual(new Array(160).fill(expected));
  });

  test('is silence when nobody speaks, whatever was there before', () => {
    const bus = new Bus(8000, undefined);
    const ear = addTo(bus);
    const one = contributor();
    new Mouth(one).say(flat(5000));
    one.advance();
    for (const audible of [[one], [one], [], []]) bus.tick(audible);
    expect(ear.frames.map((frame) => samplesOf(frame)[0])).toEqual([
      throughLaw(5000),
      throughLaw(5000),
      0,
      0,
    ]);
  });

  test('is not taken from by one who is not in it', () => {
    const bus = new Bus(8000, 'gateway');
    const [phone, browser] = [contributor(), contributor('hub')];
    const ear = addTo(bus, { own: browser });
    for (const one of [phone, browser]) {
      new Mouth(one).say(flat(5000));
      one.advance();
    }
    bus.tick([phone, browser]);
    expect(samplesOf(ear.heard)[0]).toBe(throughLaw(5000));
  });
});

describe('a codec with memory', () => {
  const frames = 160;

  /** One phone with Opus hears a tone; he speaks himself in one tick of these. @returns what he gets */
  function hearing(rate: MixRate, speaksAt: number): { ear: Ear; mix: Int16Array[] } {
    const bus = new Bus(rate, undefined);
    const own = contributor('gateway', [rate], 'opus');
    const other = new Mouth(contributor('hub', [rate], 'opus'));
    const ear = addTo(bus, { own, codec: 'opus' });
    const mix: Int16Array[] = [];
    for (const [tick, payload] of tonePayloads('opus', rate, 300, frames).entries()) {
      other.say(payload, -20);
      if (tick === speaksAt) new Mouth(own).say(payload, -20);
      const audible = [other.contributor, own].filter((one) => one.advance());
      bus.tick(audible);
      mix.push(other.contributor.frame(rate)!.slice());
    }
    return { ear, mix };
  }

  test.each<MixRate>([8000, 16_000, 48_000])('changes encoders without a click at %i Hz', (rate) => {
    const { ear, mix } = hearing(rate, 30);
    const steps = (samples: Int16Array) =>
      Math.max(...samples.subarray(1).map((sample, at) => Math.abs(sample - samples[at]!)));
    const decoder = createDecoder('opus', rate);
    const output = new Int16Array(5760);
    const heard = ear.frames.map((frame) => output.slice(0, decoder.decode(frame, output)));
    expect(new Set(ear.memory).size).toBe(2);
    const usual = Math.max(...mix.slice(20).map(steps));
    for (const frame of heard.slice(20)) expect(steps(frame)).toBeLessThan(2 * usual);
    const meter = new ToneMeter(rate);
    for (const frame of heard) meter.push(frame);
    expect(meter.tones()).toEqual([300]);
  });

  test('starts from the tick before when nobody took the shared encode then', () => {
    const resets = vi.spyOn(OpusEncoder.prototype, 'reset');
    const encodes = vi.spyOn(OpusEncoder.prototype, 'encode');
    hearing(8000, 30);
    // At the start, to his own encoder and back again; never in between. (The other's frames were encoded, too.)
    expect(resets).toHaveBeenCalledTimes(3);
    expect(encodes).toHaveBeenCalledTimes(2 * frames + 3);
  });
});
