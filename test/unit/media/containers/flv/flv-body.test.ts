import { describe, expect, test } from 'vitest';
import { parseFlvAudio, parseFlvVideo } from '../../../../../src/media/containers/flv/flv.ts';
import {
  aacConfigBody,
  aacFrameBody,
  avcConfigBody,
  avcFrameBody,
} from '../../../../../src/media/containers/flv/flv-body.ts';

const DATA = Buffer.from('0102', 'hex');

/** FLV 10.1, sections E.4.2.1 and E.4.3.1. */
test.each<[string, Buffer, string]>([
  ["AAC's configuration", aacConfigBody(DATA), 'af00 0102'],
  ['a frame of AAC', aacFrameBody(DATA), 'af01 0102'],
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
