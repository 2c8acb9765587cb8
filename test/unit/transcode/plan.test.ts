import { describe, expect, test } from 'vitest';
import type { Codec, MediaKind } from '../../../src/media/codec.ts';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { plan } from '../../../transcode/plan.ts';

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
