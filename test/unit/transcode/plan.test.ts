import { describe, expect, test } from 'vitest';
import type { Codec, MediaKind } from '../../../src/media/codec.ts';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { mixable, plan, planMix, planPhones } from '../../../transcode/plan.ts';

function h264(packetizationMode?: number | string): Codec {
  const plain = { name: 'H264', clockRate: 90000 };
  return packetizationMode === undefined
    ? plain
    : { ...plain, parameters: { 'packetization-mode': packetizationMode } };
}

const VP8: Codec = { name: 'VP8', clockRate: 90000 };
const { opus, PCMU, G722 } = AUDIO_CODECS;

function planFor(kind: MediaKind, codec: Codec, accepts: [MediaKind, Codec][]) {
  const offers = accepts.map(([offered, one]) => ({ kind: offered, codec: one }));
  return plan({ kind, codec }, { who: 'the browser', accepts: offers });
}

describe('a listener that takes the codec gets the track as it is', () => {
  test.each<[string, MediaKind, Codec, [MediaKind, Codec][]]>([
    ['opus to a browser', 'audio', opus, [['audio', opus]]],
    [
      "a phone's codec to a browser",
      'audio',
      PCMU,
      [
        ['audio', opus],
        ['audio', PCMU],
      ],
    ],
    ['a name in other case', 'audio', opus, [['audio', { ...opus, name: 'OPUS' }]]],
    [
      'VP8',
      'video',
      VP8,
      [
        ['video', h264(1)],
        ['video', VP8],
      ],
    ],
    [
      'H.264 of one packetization mode',
      'video',
      h264(1),
      [
        ['video', h264(0)],
        ['video', h264(1)],
      ],
    ],
    ['H.264 mode as text and as number', 'video', h264('1'), [['video', h264(1)]]],
    ['H.264 without a mode, which is 0', 'video', h264(), [['video', h264(0)]]],
  ])('%s', (_, kind, codec, accepts) => {
    expect(planFor(kind, codec, accepts)).toEqual({
      outcome: 'pass-through',
      reason: `the browser takes ${codec.name} as it is`,
    });
  });
});

describe('a listener that does not take the codec is refused with what it takes', () => {
  test.each<[string, MediaKind, Codec, [MediaKind, Codec][], string]>([
    [
      'another codec',
      'audio',
      PCMU,
      [
        ['audio', opus],
        ['audio', G722],
      ],
      'PCMU, only opus, G722',
    ],
    [
      'several forms of one codec',
      'video',
      VP8,
      [
        ['video', h264(0)],
        ['video', h264(1)],
      ],
      'VP8, only H264',
    ],
    ['another packetization mode', 'video', h264(1), [['video', h264(0)]], 'H264, not in this form'],
    [
      'another clock rate',
      'audio',
      opus,
      [['audio', { ...opus, clockRate: 16000 }]],
      'opus, not in this form',
    ],
    ['the same name for another kind', 'audio', opus, [['video', opus]], 'opus'],
    ['nothing of this kind', 'video', VP8, [['audio', opus]], 'VP8, nor any other video'],
    ['nothing at all', 'audio', opus, [], 'opus, nor any other audio'],
  ])('%s', (_, kind, codec, accepts, reason) => {
    const answer = planFor(kind, codec, accepts);
    expect(answer.outcome).toBe('refused');
    expect(answer.reason).toContain(`the browser cannot take ${reason}`);
  });
});

describe('a track that reaches the hub by a route', () => {
  const steps = [{ action: 'mix', detail: 'all phones' }] as const;
  const route = { codec: opus, reason: 'many phones', steps };

  test('is planned as what it is there, with the steps of its route', () => {
    const answer = plan(
      { kind: 'audio', codec: PCMU, route },
      { who: 'the browser', accepts: [{ kind: 'audio', codec: opus }] },
    );
    expect(answer).toEqual({ outcome: 'transcode', reason: 'many phones', steps });
  });

  test('is refused for what it is there', () => {
    const accepts = [{ kind: 'audio' as const, codec: PCMU }];
    expect(plan({ kind: 'audio', codec: PCMU, route }, { who: 'the browser', accepts })).toEqual({
      outcome: 'refused',
      reason: 'the browser cannot take opus, only PCMU',
    });
  });
});

describe('into a mix', () => {
  const phone = { who: 'the phone', codec: PCMU, rate: 8000 };

  test.each<[MediaKind, Codec, string | undefined]>([
    ['audio', PCMU, 'PCMU'],
    ['audio', AUDIO_CODECS.PCMA, 'PCMA'],
    ['audio', opus, 'opus'],
    ['audio', G722, undefined],
    ['video', VP8, undefined],
    ['video', { ...opus }, undefined],
  ])('%s %o goes as %s', (kind, codec, expected) => {
    expect(mixable({ kind, codec })).toBe(expected);
    expect(planMix({ kind, codec }, phone).outcome).toBe(expected ? 'transcode' : 'refused');
  });

  test.each<[string, Codec, Codec | undefined, string | undefined]>([
    ['AAC that comes to the hub as Opus', { name: 'AAC', clockRate: 48_000 }, opus, 'opus'],
    ['AAC as it is', { name: 'AAC', clockRate: 48_000 }, undefined, undefined],
    ['AAC that comes as what cannot be mixed either', { name: 'AAC', clockRate: 48_000 }, G722, undefined],
    // The phone's own sound is mixed where it comes in, before its way to the hub.
    ['PCMU that comes to the hub in a mix', PCMU, opus, 'PCMU'],
  ])('%s goes as what it is there', (_, codec, there, expected) => {
    const route = there && { codec: there, reason: 'a reason', steps: [] };
    const source = { kind: 'audio', codec, route } as const;
    expect(mixable(source)).toBe(expected);
    const answer = planMix(source, phone);
    expect(answer.outcome).toBe(expected ? 'transcode' : 'refused');
    if (answer.outcome === 'transcode') {
      expect(answer.steps[0]).toEqual({ action: 'decode', detail: `${expected}, only while it is heard` });
    } else expect(answer.reason).toBe('AAC cannot be mixed, only PCMU, PCMA, opus');
  });

  test('it is decoded, mixed at the rate of the listener and encoded for him', () => {
    expect(planMix({ kind: 'audio', codec: opus }, { ...phone, rate: 16_000 })).toEqual({
      outcome: 'transcode',
      reason: 'the phone gets one sound: a mix of everybody else',
      steps: [
        { action: 'decode', detail: 'opus, only while it is heard' },
        { action: 'mix', detail: 'at 16 kHz, without its own voice' },
        { action: 'encode', detail: 'PCMU, once for all who hear the same' },
      ],
    });
  });

  test.each<[MediaKind, Codec, string]>([
    ['video', VP8, 'the phone takes no video'],
    ['audio', G722, 'G722 cannot be mixed, only PCMU, PCMA, opus'],
  ])('%s of %o is refused', (kind, codec, reason) => {
    expect(planMix({ kind, codec }, phone)).toEqual({ outcome: 'refused', reason });
  });
});

describe('phones of a room', () => {
  /** For each number of phones that comes, whether they are mixed. */
  function mixedFor(limit: number, counts: readonly number[]): boolean[] {
    let mixed = false;
    return counts.map((phones) => {
      mixed = planPhones({ phones, limit, mixed }) !== undefined;
      return mixed;
    });
  }

  const T = true;
  const F = false;
  test.each<[number, number[], boolean[]]>([
    [8, [1, 7, 8, 9, 10, 9, 8, 7, 6, 7, 8, 9], [F, F, F, T, T, T, T, T, F, F, F, T]],
    [3, [3, 4, 3, 2, 1, 0], [F, T, T, T, F, F]],
    [2, [2, 3, 2, 1], [F, T, T, F]],
    [1, [1, 2, 1, 0], [F, T, F, F]],
    [0, [0, 1, 2, 1, 0], [F, T, T, T, F]],
  ])('with a limit of %i: %j phones: %j', (limit, counts, expected) => {
    expect(mixedFor(limit, counts)).toEqual(expected);
  });

  test('come in Opus, with the reason', () => {
    const route = planPhones({ phones: 9, limit: 8, mixed: false });
    expect(route?.codec).toBe(opus);
    expect(route?.reason).toBe('more than 8 phones: browsers get one mix of all of them');
    expect(route?.steps.map(({ action }) => action)).toEqual(['decode', 'mix', 'encode']);
  });
});
