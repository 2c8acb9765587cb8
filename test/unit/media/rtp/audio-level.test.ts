import { describe, expect, test } from 'vitest';
import { AUDIO_LEVEL_BYTES, readAudioLevel, writeAudioLevel } from '../../../../src/media/rtp/audio-level.ts';
import { parseRtp } from '../../../../src/media/rtp/rtp.ts';

const ID = 6;
/** An RTP header that says that an extension follows. */
const HEADER = '9000000100000002000000ff';

function written(levelDb: number, speaks: boolean, id = ID): Buffer {
  const packet = Buffer.alloc(12 + AUDIO_LEVEL_BYTES, 0xff);
  packet.write(HEADER, 'hex');
  writeAudioLevel(packet, 12, id, levelDb, speaks);
  return packet;
}

/** A packet with these extension elements. */
function withElements(hex: string, profile = 'bede'): Buffer {
  const words = (hex.length / 8).toString(16).padStart(4, '0');
  return Buffer.from(`${HEADER}${profile}${words}${hex}`, 'hex');
}

describe('writing', () => {
  test.each([
    [0, true, 0x80],
    [0, false, 0],
    [-1, false, 1],
    [-20.4, true, 0x80 | 20],
    [-20.6, false, 21],
    [-127, false, 127],
    [-200, true, 0xff],
    [-Infinity, false, 127],
    [3, false, 0],
  ])('%d dBFS, voice %s: %i', (levelDb, speaks, byte) => {
    expect(written(levelDb, speaks).subarray(12).toString('hex')).toBe(
      `bede000160${byte.toString(16).padStart(2, '0')}0000`,
    );
  });

  test('is an extension that RTP parsers skip', () => {
    const packet = Buffer.concat([written(-30, true), Buffer.from('payload')]);
    expect(parseRtp(packet)?.payload.toString()).toBe('payload');
  });
});

describe('reading', () => {
  test.each([0, -1, -63, -127])('gives back what was written: %i dBFS', (levelDb) => {
    for (const id of [1, 6, 14]) {
      expect(readAudioLevel(written(levelDb, true, id), id)).toBeCloseTo(levelDb, 9);
      expect(readAudioLevel(written(levelDb, false, id), id)).toBeCloseTo(levelDb, 9);
    }
  });

  test.each<[string, string, number | undefined]>([
    ['after others', '32aabbcc609e0000', -30],
    ['after padding', '00000000609e0000', -30],
    ['after an element of 16 bytes', '3f000102030405060708090a0b0c0d0e0f609e00', -30],
    ['of two bytes, of which the first counts', '619e7f00', -30],
    ['of another id only', '509e0000', undefined],
    ['without its byte', '00000060', undefined],
    ['behind the element that ends the block', 'f000609e', undefined],
    ['in no element at all', '', undefined],
  ])('%s', (_, elements, expected) => {
    expect(readAudioLevel(withElements(elements), ID)).toBe(expected);
  });

  test('goes past contributing sources', () => {
    const packet = written(-30, true);
    packet[0] = 0x92;
    const sources = Buffer.alloc(8, 0xbe);
    const both = Buffer.concat([packet.subarray(0, 12), sources, packet.subarray(12)]);
    expect(readAudioLevel(both, ID)).toBe(-30);
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', Buffer.alloc(11, 0x90)],
    ['a packet without an extension', Buffer.from('8000000100000002000000ffbede0001609e0000', 'hex')],
    ['an extension of two-byte elements', withElements('06019e00', '1000')],
    ['an extension that is cut off', written(-30, true).subarray(0, 15)],
    ['elements that are cut off', written(-30, true).subarray(0, 17)],
    ['sources that are cut off', Buffer.from('9f00000100000002000000ff', 'hex')],
  ])('%s says nothing', (_, packet) => {
    expect(readAudioLevel(packet, ID)).toBeUndefined();
  });

  test('a length beyond the end is not read', () => {
    const packet = written(-30, true);
    packet.writeUInt16BE(0xffff, 14);
    expect(readAudioLevel(packet, 7)).toBeUndefined();
    expect(readAudioLevel(packet, ID)).toBe(-30);
  });
});
