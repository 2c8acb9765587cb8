import { describe, expect, test } from 'vitest';
import { createEncoder } from '../../../../transcode/audio/audio-codec.ts';
import { MAX_L16_BYTES } from '../../../../transcode/audio/l16-codec.ts';
import {
  channelsOf,
  type MixFormat,
  mixFormat,
  rateOf,
  samplesPerFrame,
} from '../../../../transcode/audio/mix-format.ts';
import { MixListener } from '../../../../transcode/audio/mix-listener.ts';
import { seededRandom } from '../../../signals/random.ts';
import { Ear } from '../../support/sounds.ts';

test.each<[string, number[], number[]]>([
  ['nothing', [], []],
  ['the high byte first', [0x0102, 0x7fff], [1, 2, 0x7f, 0xff]],
  ['two’s complement', [-1, -2, -32_768, -256], [0xff, 0xff, 0xff, 0xfe, 0x80, 0, 0xff, 0]],
  ['zero', [0], [0, 0]],
])('L16 is %s', (_, samples, bytes) => {
  const target = new Uint8Array(bytes.length + 4).fill(7);
  expect(createEncoder('L16', 'stereo').encode(Int16Array.from(samples), target, 3)).toBe(bytes.length);
  expect([...target]).toEqual([7, 7, 7, ...bytes, 7]);
});

test.each<[MixFormat, number, number]>([
  [8000, 320, 160],
  [16_000, 640, 320],
  [48_000, 1920, 960],
  ['stereo', MAX_L16_BYTES, 960],
])('20 ms of %s are %i bytes and %i units of time', (format, bytes, step) => {
  const random = seededRandom(16);
  const samples = Int16Array.from({ length: samplesPerFrame(format) }, () => random() * 65_536 - 32_768);
  const encoder = createEncoder('L16', format);
  const target = Buffer.alloc(MAX_L16_BYTES);
  expect(encoder.encode(samples, target, 0)).toBe(bytes);
  expect(Array.from(samples, (_, at) => target.readInt16BE(2 * at))).toEqual([...samples]);
  expect(encoder).toMatchObject({ rate: rateOf(format), timestampStep: step, hasMemory: false });
});

describe('stereo', () => {
  test('is a format of 48 kHz only', () => {
    expect([mixFormat(8000, 1), mixFormat(48_000, 1), mixFormat(48_000, 2)]).toEqual([
      8000,
      48_000,
      'stereo',
    ]);
    expect([rateOf('stereo'), channelsOf('stereo'), samplesPerFrame('stereo')]).toEqual([48_000, 2, 1920]);
    expect(() => mixFormat(16_000, 2)).toThrow('Stereo mixes are made at 48000 Hz, not at 16000.');
  });

  test.each(['opus', 'PCMU'] as const)('is not delivered as %s', (codec) => {
    const listen = () => new MixListener({ codec, rate: 48_000, channels: 2 }, new Ear());
    expect(listen).toThrow(`Stereo mixes are delivered as L16, not as ${codec}.`);
  });
});
