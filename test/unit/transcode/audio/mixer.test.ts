import { afterEach, describe, expect, test, vi } from 'vitest';
import { createDecoder } from '../../../../transcode/audio/audio-codec.ts';
import { G711Encoder } from '../../../../transcode/audio/g711-codec.ts';
import { limit } from '../../../../transcode/audio/limiter.ts';
import type { AudioCodecName, MixRate } from '../../../../transcode/audio/mix-format.ts';
import type { MixListenerOptions } from '../../../../transcode/audio/mix-listener.ts';
import { Mixer } from '../../../../transcode/audio/mixer.ts';
import { OpusDecoder, OpusEncoder } from '../../../../transcode/audio/opus-codec.ts';
import { ToneMeter } from '../../../signals/tone-meter.ts';
import { Ear, flat, type Law, Mouth, samplesOf, throughLaw, tonePayloads } from '../../support/sounds.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A phone: speaks into a mix and hears it, all in one codec. */
function phone(mixer: Mixer, id: string, codec: AudioCodecName = 'PCMU', rate: MixRate = 8000) {
  const own = mixer.addContributor(id, codec, 'gateway');
  const ear = new Ear();
  const listener = mixer.addListener({ codec, rate, own }, ear);
  return Object.assign(new Mouth(own), { ear, listener, own });
}

function listen(mixer: Mixer, options: Partial<MixListenerOptions> = {}): Ear {
  const ear = new Ear();
  mixer.addListener({ codec: 'PCMU', rate: 8000, ...options }, ear);
  return ear;
}

function limited(sum: number): number {
  const output = new Int16Array(1);
  limit(Int32Array.of(sum), output);
  return output[0]!;
}

/** What a G.711 listener has to get of these voices together. */
function sumOf(values: readonly number[], law: Law = 'PCMU'): number[] {
  const sum = values.reduce((total, value) => total + throughLaw(value, law), 0);
  return new Array<number>(160).fill(throughLaw(limited(sum), law));
}

describe('everybody hears all others, and nobody himself', () => {
  test.each<[string, Law, number[]]>([
    ['two', 'PCMU', [3000, -5000]],
    ['three', 'PCMU', [2000, 3000, 7000]],
    ['three with A-law', 'PCMA', [2000, 3000, 7000]],
    ['five of both signs', 'PCMU', [2000, -3000, 4000, -6000, 8000]],
    ['three so loud that any two exceed 16 bits', 'PCMU', [30_000, 31_000, 32_000]],
    ['three so loud in the other direction', 'PCMA', [-30_000, -31_000, -32_000]],
    ['two loud ones who cancel each other', 'PCMU', [30_000, -30_000, 2000]],
    ['one', 'PCMU', [4000]],
  ])('%s', (_, law, values) => {
    const mixer = new Mixer();
    const phones = values.map((_value, index) => phone(mixer, `${index}`, law));
    const bystander = listen(mixer, { codec: law });
    for (let tick = 0; tick < 5; tick++) {
      for (const [index, one] of phones.entries()) one.say(flat(values[index]!, 20, law));
      mixer.tick();
      for (const [index, one] of phones.entries()) {
        const others = values.filter((_value, other) => other !== index);
        expect(samplesOf(one.ear.heard, law)).toEqual(sumOf(others, law));
      }
      expect(samplesOf(bystander.heard, law)).toEqual(sumOf(values, law));
    }
  });

  test('at three rates at once, in two codecs, from phones and from the hub', () => {
    const mixer = new Mixer();
    const tones = { law: 440, wide: 900, hub: 1500 };
    const law = phone(mixer, 'law');
    const wide = phone(mixer, 'wide', 'opus', 16_000);
    const hub = new Mouth(mixer.addContributor('hub', 'opus', 'hub'));
    const full = listen(mixer, { codec: 'opus', rate: 48_000 });
    const said = {
      law: tonePayloads('PCMU', 8000, tones.law, 40),
      wide: tonePayloads('opus', 16_000, tones.wide, 40),
      hub: tonePayloads('opus', 48_000, tones.hub, 40),
    };
    for (let tick = 0; tick < 40; tick++) {
      law.say(said.law[tick]!);
      wide.say(said.wide[tick]!);
      hub.say(said.hub[tick]!, -20);
      mixer.tick();
    }
    const heard = (ear: Ear, codec: AudioCodecName, rate: MixRate) => {
      const meter = new ToneMeter(rate);
      const decoder = createDecoder(codec, rate);
      const output = new Int16Array(5760);
      for (const frame of ear.frames) meter.push(output.subarray(0, decoder.decode(frame, output)));
      return meter.tones();
    };
    expect(heard(law.ear, 'PCMU', 8000)).toEqual([tones.wide, tones.hub]);
    expect(heard(wide.ear, 'opus', 16_000)).toEqual([tones.law, tones.hub]);
    expect(heard(full, 'opus', 48_000)).toEqual([tones.law, tones.wide, tones.hub]);
    expect(mixer.decoders).toBe(1 + 2 + 3);
  });

  test('also when somebody stops, or is gone in the middle of a word', () => {
    const mixer = new Mixer();
    const [ann, bob, eve] = [phone(mixer, 'ann'), phone(mixer, 'bob'), phone(mixer, 'eve')];
    const tick = (...speaking: [Mouth, number][]) => {
      for (const [mouth, value] of speaking) mouth.say(flat(value));
      mixer.tick();
    };
    tick([ann, 2000], [bob, 3000], [eve, 4000]);
    mixer.removeContributor('eve');
    tick([ann, 2000], [bob, 3000], [eve, 4000]);
    expect(samplesOf(ann.ear.heard)).toEqual(sumOf([3000]));
    expect(samplesOf(bob.ear.heard)).toEqual(sumOf([2000]));
    // She is not in it any more: nothing may be taken out for her.
    expect(samplesOf(eve.ear.heard)).toEqual(sumOf([2000, 3000]));
    bob.own.muted = true;
    tick([ann, 2000], [bob, 3000]);
    expect(samplesOf(ann.ear.heard)).toEqual(sumOf([]));
    expect(samplesOf(bob.ear.heard)).toEqual(sumOf([2000]));
    bob.own.muted = false;
    tick([ann, 2000], [bob, 3000]);
    expect(samplesOf(ann.ear.heard)).toEqual(sumOf([3000]));
  });

  test('one who hears only what gateways bring hears nothing of the hub', () => {
    const mixer = new Mixer();
    const ann = phone(mixer, 'ann');
    const hub = new Mouth(mixer.addContributor('hub', 'PCMU', 'hub'));
    const gateways = listen(mixer, { gatewaysOnly: true });
    const everything = listen(mixer);
    for (const mouth of [ann, hub]) mouth.say(flat(5000));
    mixer.tick();
    expect(samplesOf(gateways.heard)).toEqual(sumOf([5000]));
    expect(samplesOf(everything.heard)).toEqual(sumOf([5000, 5000]));
    expect(samplesOf(ann.ear.heard)).toEqual(sumOf([5000]));
  });
});

describe('an encode', () => {
  test('is shared by all who hear the same in one codec; speakers have their own', () => {
    const mixer = new Mixer();
    const encodes = vi.spyOn(G711Encoder.prototype, 'encode');
    const speakers = [phone(mixer, 'a'), phone(mixer, 'b')];
    const silent = ['c', 'd', 'e', 'f'].map((id) => phone(mixer, id));
    const aLaw = listen(mixer, { codec: 'PCMA' });
    for (let tick = 0; tick < 10; tick++) {
      for (const one of speakers) one.say(flat(3000));
      for (const one of silent) one.say(flat(0));
      encodes.mockClear();
      mixer.tick();
      expect(encodes).toHaveBeenCalledTimes(speakers.length + 2);
      expect(new Set(silent.map(({ ear }) => ear.memory.at(-1))).size).toBe(1);
      expect(new Set([...speakers, ...silent].map(({ ear }) => ear.memory.at(-1))).size).toBe(3);
      expect(samplesOf(aLaw.heard, 'PCMA')).toEqual(
        new Array(160).fill(throughLaw(2 * throughLaw(3000), 'PCMA')),
      );
    }
  });

  test('of G.711 is shared again in the first tick without own speech', () => {
    const mixer = new Mixer();
    const [ann, bob] = [phone(mixer, 'ann'), phone(mixer, 'bob')];
    const spoke: boolean[] = [];
    const alone: boolean[] = [];
    for (let tick = 0; tick < 40; tick++) {
      ann.say(flat(tick < 5 ? 3000 : 0));
      bob.say(flat(0));
      mixer.tick();
      spoke.push(ann.own.audible);
      alone.push(ann.ear.memory.at(-1) !== bob.ear.memory.at(-1));
    }
    expect(alone).toEqual(spoke);
    expect(new Set(spoke)).toEqual(new Set([true, false]));
  });

  test('of Opus is his own from the tick in which he speaks until he has been silent for 100', () => {
    const mixer = new Mixer();
    const ann = phone(mixer, 'ann', 'opus', 8000);
    const bob = phone(mixer, 'bob', 'opus', 8000);
    listen(mixer, { codec: 'opus' });
    const said = tonePayloads('opus', 8000, 440, 30);
    let lastSpoke = Number.NEGATIVE_INFINITY;
    const changes: number[] = [];
    for (let tick = 0; tick < 200; tick++) {
      if (tick >= 10 && tick < 40) ann.say(said[tick - 10]!);
      mixer.tick();
      if (ann.own.audible) lastSpoke = tick;
      const isAlone = ann.ear.memory.at(-1) !== bob.ear.memory.at(-1);
      expect(isAlone).toBe(tick - lastSpoke < 100);
      if (isAlone !== (changes.length % 2 === 1)) changes.push(tick);
    }
    expect(changes).toEqual([10, lastSpoke + 100]);
  });

  test('that nobody takes is not made', () => {
    const mixer = new Mixer();
    const [ann, bob] = [phone(mixer, 'ann', 'opus'), phone(mixer, 'bob', 'opus')];
    const said = tonePayloads('opus', 8000, 440, 30);
    const encodes = vi.spyOn(OpusEncoder.prototype, 'encode');
    for (let tick = 0; tick < 30; tick++) {
      for (const one of [ann, bob]) one.say(said[tick]!);
      encodes.mockClear();
      mixer.tick();
      // The first time, each is given what was before.
      expect(encodes).toHaveBeenCalledTimes(tick === 0 ? 4 : 2);
    }
  });
});

describe('decoders', () => {
  test.each<[string, [AudioCodecName, boolean][], [AudioCodecName, MixRate, number | undefined][], number]>([
    ['nobody listens', [['PCMU', false]], [], 0],
    ['only he himself would hear him', [['PCMU', false]], [['PCMU', 8000, 0]], 0],
    [
      'two hear each other',
      [
        ['PCMU', false],
        ['PCMU', false],
      ],
      [
        ['PCMU', 8000, 0],
        ['PCMU', 8000, 1],
      ],
      2,
    ],
    [
      'G.711 is decoded once for all rates',
      [['PCMA', false]],
      [
        ['PCMU', 8000, undefined],
        ['opus', 16_000, undefined],
        ['opus', 48_000, undefined],
      ],
      1,
    ],
    [
      'Opus is decoded at every rate at which somebody hears it',
      [['opus', false]],
      [
        ['PCMU', 8000, undefined],
        ['PCMA', 8000, undefined],
        ['opus', 48_000, undefined],
      ],
      2,
    ],
    [
      'not at the rate at which only he himself listens',
      [['opus', false]],
      [
        ['opus', 48_000, 0],
        ['PCMU', 8000, undefined],
      ],
      1,
    ],
  ])('%s', (_, contributors, listeners, expected) => {
    const mixer = new Mixer();
    const owns = contributors.map(([codec], index) => mixer.addContributor(`${index}`, codec, 'gateway'));
    const added = listeners.map(([codec, rate, own]) =>
      mixer.addListener({ codec, rate, ...(own === undefined ? {} : { own: owns[own]! }) }, new Ear()),
    );
    expect(mixer.decoders).toBe(expected);
    for (const listener of added) mixer.removeListener(listener);
    expect(mixer.decoders).toBe(0);
  });

  test('come with the first who hears, and go with the last', () => {
    const mixer = new Mixer();
    mixer.addContributor('hub', 'opus', 'hub');
    const counts = [mixer.decoders];
    const ann = mixer.addListener({ codec: 'PCMU', rate: 8000 }, new Ear());
    counts.push(mixer.decoders);
    const bob = mixer.addListener({ codec: 'opus', rate: 48_000 }, new Ear());
    counts.push(mixer.decoders);
    mixer.addContributor('another', 'opus', 'hub');
    counts.push(mixer.decoders);
    mixer.addListener({ codec: 'opus', rate: 16_000, gatewaysOnly: true }, new Ear());
    counts.push(mixer.decoders);
    mixer.removeListener(ann);
    mixer.removeListener(ann);
    counts.push(mixer.decoders);
    mixer.removeContributor('hub');
    mixer.removeContributor('hub');
    counts.push(mixer.decoders);
    mixer.removeListener(bob);
    counts.push(mixer.decoders);
    expect(counts).toEqual([0, 1, 2, 4, 4, 2, 1, 0]);
  });

  test('decode nothing of those who are silent', () => {
    const mixer = new Mixer();
    const decodes = vi.spyOn(OpusDecoder.prototype, 'decode');
    const hub = new Mouth(mixer.addContributor('hub', 'opus', 'hub'));
    listen(mixer);
    const silence = tonePayloads('opus', 48_000, 440, 50);
    for (const payload of silence) {
      hub.say(payload, -127);
      mixer.tick();
    }
    expect(decodes).not.toHaveBeenCalled();
    hub.say(silence[0]!, -20);
    mixer.tick();
    // The packet before it, too: the codec does not start from nothing.
    expect(decodes).toHaveBeenCalledTimes(2);
  });
});

test('skipped ticks are told to every listener, before the next frame', () => {
  const mixer = new Mixer();
  const ears = [listen(mixer), listen(mixer, { codec: 'opus', rate: 48_000 })];
  const order: string[] = [];
  for (const ear of ears) {
    vi.spyOn(ear, 'skip').mockImplementation((frames) => void order.push(`skip ${frames}`));
    vi.spyOn(ear, 'deliver').mockImplementation(() => void order.push('frame'));
  }
  mixer.tick();
  mixer.tick(7);
  expect(order).toEqual(['frame', 'frame', 'skip 7', 'skip 7', 'frame', 'frame']);
});

test('speakers are those of one origin who speak, the loudest first', () => {
  const mixer = new Mixer();
  listen(mixer);
  const add = (id: string, origin: 'gateway' | 'hub') => new Mouth(mixer.addContributor(id, 'PCMU', origin));
  const [quiet, loud, silent, muted, hub] = [
    add('quiet', 'gateway'),
    add('loud', 'gateway'),
    add('silent', 'gateway'),
    add('muted', 'gateway'),
    add('hub', 'hub'),
  ];
  for (const [mouth, value] of [
    [quiet, 2000],
    [loud, 16_000],
    [silent, 0],
    [muted, 9000],
    [hub, 9000],
  ] as const) {
    mouth.say(flat(value));
  }
  muted.contributor.muted = true;
  mixer.tick();
  expect(mixer.speakers('gateway')).toEqual([
    { id: 'loud', levelDb: expect.closeTo(-6.2, 1) },
    { id: 'quiet', levelDb: expect.closeTo(-24.4, 1) },
  ]);
  expect(mixer.speakers('hub').map(({ id }) => id)).toEqual(['hub']);
});

test('whoever stops sending in the middle of a word does not speak for ever', () => {
  const mixer = new Mixer();
  listen(mixer);
  const ann = phone(mixer, 'ann');
  ann.say(flat(5000));
  for (let tick = 0; tick < 10; tick++) mixer.tick();
  expect(mixer.speakers('gateway')).toEqual([]);
  expect(ann.own.audible).toBe(false);
});

test('comings and goings are told, and counted', () => {
  const changes: string[] = [];
  const mixer: Mixer = new Mixer(() => changes.push(`${mixer.contributorCount}/${mixer.listenerCount}`));
  const own = mixer.addContributor('ann', 'PCMU', 'gateway');
  const listener = mixer.addListener({ codec: 'PCMU', rate: 8000, own }, new Ear());
  expect(mixer.contributor('ann')).toBe(own);
  mixer.removeListener(listener);
  mixer.removeContributor('ann');
  expect(mixer.contributor('ann')).toBeUndefined();
  expect(changes).toEqual(['1/0', '1/1', '1/0', '0/0']);
});

test('a listener may go while a tick is delivered', () => {
  const mixer = new Mixer();
  const [first, second] = [new Ear(), new Ear()];
  const leaving = mixer.addListener({ codec: 'PCMU', rate: 8000 }, first);
  mixer.addListener({ codec: 'PCMU', rate: 8000 }, second);
  vi.spyOn(first, 'deliver').mockImplementation(() => mixer.removeListener(leaving));
  mixer.tick();
  mixer.tick();
  expect(first.deliver).toHaveBeenCalledOnce();
  expect(second.frames).toHaveLength(2);
});
