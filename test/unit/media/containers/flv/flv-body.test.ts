import { describe, expect, test } from 'vitest';
import type { AccessUnit, AudioUnit, MediaFormat, VideoUnit } from '../../../../../src/media/access-unit.ts';
import { parseFlvAudio, parseFlvVideo } from '../../../../../src/media/containers/flv/flv.ts';
import {
  aacConfigBody,
  aacFrameBody,
  avcConfigBody,
  avcFrameBody,
  formatBody,
  mp3FrameBody,
  unitBody,
  wholeMs,
} from '../../../../../src/media/containers/flv/flv-body.ts';

const DATA = Buffer.from('0102', 'hex');

/** FLV 10.1, sections E.4.2.1 and E.4.3.1. */
test.each<[string, Buffer, string]>([
  ["AAC's configuration", aacConfigBody(DATA), 'af00 0102'],
  ['a frame of AAC', aacFrameBody(DATA), 'af01 0102'],
  ['a frame of MP3', mp3FrameBody(DATA), '2f 0102'],
  ["H.264's configuration", avcConfigBody(DATA), '1700 000000 0102'],
  ['a key frame', avcFrameBody(DATA, true, 0), '1701 000000 0102'],
  ['another frame', avcFrameBody(DATA, false, 0), '2701 000000 0102'],
  ['one that is shown later', avcFrameBody(DATA, false, 0x01_02_03), '2701 010203 0102'],
  ['one that is shown before it is decoded', avcFrameBody(DATA, false, -40), '2701 ffffd8 0102'],
  ['an empty one', avcFrameBody(Buffer.alloc(0), true, 1), '1701 000001'],
])('%s', (_, body, hex) => {
  expect(body.toString('hex')).toBe(hex.replaceAll(' ', ''));
});

describe('composition times', () => {
  const LARGEST = 2 ** 23 - 1;
  const SMALLEST = -(2 ** 23);
  test.each([
    [0, 0],
    [200, 200],
    [LARGEST, LARGEST],
    [LARGEST + 1, LARGEST],
    [1e9, LARGEST],
    [-1, -1],
    [SMALLEST, SMALLEST],
    [SMALLEST - 1, SMALLEST],
    [-1e9, SMALLEST],
  ])('%i becomes %i', (given, expected) => {
    expect(parseFlvVideo(avcFrameBody(DATA, true, given))).toMatchObject({
      ...{ codec: 'H264', frame: 'key', packet: 'frame' },
      ...{ compositionMs: expected, data: DATA },
    });
  });
});

test('what is put together can be taken apart', () => {
  expect(parseFlvAudio(aacConfigBody(DATA))).toMatchObject({ codec: 'AAC', packet: 'config', data: DATA });
  expect(parseFlvAudio(aacFrameBody(DATA))).toMatchObject({ packet: 'frame', channels: 2, data: DATA });
  expect(parseFlvVideo(avcConfigBody(DATA))).toMatchObject({ codec: 'H264', packet: 'config', data: DATA });
});

describe('an access unit', () => {
  const RECORD = Buffer.from('0164', 'hex');
  const FLAGS = { key: true, disposable: false, discontinuity: false };
  const VIDEO: VideoUnit = {
    format: { kind: 'video', codec: 'H264', record: RECORD, lengthBytes: 4, parameterSets: [] },
    data: DATA,
    dtsUs: 1_000_000,
    ptsUs: 1_066_000,
    ...FLAGS,
  };
  const AUDIO: AudioUnit = {
    format: { kind: 'audio', codec: 'AAC', config: Buffer.from('1190', 'hex') },
    data: DATA,
    dtsUs: 1_000_000,
    ptsUs: 1_000_000,
    ...FLAGS,
  };

  test.each<[string, AccessUnit, string]>([
    ['a key frame', VIDEO, '1701 000042 0102'],
    ['another frame', { ...VIDEO, key: false }, '2701 000042 0102'],
    ['a frame that is shown when it is decoded', { ...VIDEO, ptsUs: VIDEO.dtsUs }, '1701 000000 0102'],
    ['a frame that is shown before it is decoded', { ...VIDEO, ptsUs: 960_000 }, '1701 ffffd8 0102'],
    // The tag has the time of decoding in whole ms, and together they are to be the time of showing.
    ['a frame at 30 a second', { ...VIDEO, dtsUs: 33_333, ptsUs: 66_667 }, '1701 000022 0102'],
    ['audio', AUDIO, 'af01 0102'],
  ])('that is %s becomes one body', (_, unit, hex) => {
    expect(unitBody(unit).toString('hex')).toBe(hex.replaceAll(' ', ''));
  });

  test('has one body, however many destinations it goes to', () => {
    expect(unitBody(VIDEO)).toBe(unitBody(VIDEO));
    expect(unitBody({ ...VIDEO })).not.toBe(unitBody(VIDEO));
  });

  test('says how it is decoded', () => {
    expect(formatBody(VIDEO.format).toString('hex')).toBe('17000000000164');
    expect(formatBody(AUDIO.format).toString('hex')).toBe('af001190');
  });

  test.each<[string, MediaFormat]>([
    ['H265', { ...VIDEO.format, codec: 'H265' }],
    ['H264', { kind: 'video', codec: 'H264', parameterSets: [] }],
    ['opus', { kind: 'audio', codec: 'opus' }],
    ['AAC', { kind: 'audio', codec: 'AAC' }],
  ])('of %s has no place in FLV without what says how it is decoded', (codec, format) => {
    expect(() => formatBody(format)).toThrow(`${codec} cannot be written as FLV.`);
  });

  test('over a long time keeps the distance of its times to half a millisecond', () => {
    for (let frame = 0; frame < 100_000; frame += 37) {
      const dtsUs = Math.round((frame * 1_001_000) / 30);
      const ptsUs = dtsUs + 66_733;
      const { compositionMs } = parseFlvVideo(unitBody({ ...VIDEO, dtsUs, ptsUs }))!;
      expect(Math.abs((wholeMs(dtsUs) + compositionMs) * 1000 - ptsUs)).toBeLessThanOrEqual(500);
    }
  });
});
