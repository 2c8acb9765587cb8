import { describe, expect, test } from 'vitest';
import {
  type FlvAudio,
  FlvReader,
  type FlvTag,
  type FlvVideo,
  flvHeader,
  flvTag,
  parseFlvAudio,
  parseFlvVideo,
} from '../../../../../src/media/containers/flv/flv.ts';
import { mutationsOf } from '../../../support/mutations.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

const ascii = (text: string) => Buffer.from(text, 'latin1').toString('hex');

/** Codec, frame, packet, composition time, and the data in hex. */
type Video = [FlvVideo['codec'], FlvVideo['frame'], FlvVideo['packet'], number, string];

function video(body: string): Video | undefined {
  const read = parseFlvVideo(bytes(body));
  return read && [read.codec, read.frame, read.packet, read.compositionMs, read.data.toString('hex')];
}

describe('a body of video', () => {
  test.each<[string, string, Video]>([
    ['the configuration of H.264', '17 00 000000 0164', ['H264', 'key', 'config', 0, '0164']],
    ['a key frame', '17 01 000000 00000001', ['H264', 'key', 'frame', 0, '00000001']],
    ['a frame that is shown later', '27 01 0000c8 aa', ['H264', 'inter', 'frame', 200, 'aa']],
    ['a frame that is shown earlier', '27 01 ffffdf aa', ['H264', 'inter', 'frame', -33, 'aa']],
    ['the latest', '27 01 7fffff aa', ['H264', 'inter', 'frame', 8_388_607, 'aa']],
    ['the earliest', '27 01 800000 aa', ['H264', 'inter', 'frame', -8_388_608, 'aa']],
    ['a frame that nothing needs', '37 01 000000 aa', ['H264', 'disposable', 'frame', 0, 'aa']],
    ['a key frame made by a server', '47 01 000000 aa', ['H264', 'key', 'frame', 0, 'aa']],
    ['an empty frame', '27 01 000000', ['H264', 'inter', 'frame', 0, '']],
    ['the end', '17 02 000000', ['H264', 'key', 'end', 0, '']],
    ['a time where there is none', '17 00 000005 01', ['H264', 'key', 'config', 0, '01']],
    ['a command', '57 00', ['H264', 'info', 'metadata', 0, '00']],
    ['H.265 as it was before it had a FourCC', '2c 01 000021 aa', ['HEVC', 'inter', 'frame', 33, 'aa']],
    ['H.263', '12 aabb', ['H263', 'key', 'frame', 0, 'aabb']],
    ['Screen video', '13 aa', ['Screen', 'key', 'frame', 0, 'aa']],
    ['Screen video 2', '16 aa', ['Screen', 'key', 'frame', 0, 'aa']],
    ['VP6', '24 aa', ['VP6', 'inter', 'frame', 0, 'aa']],
    ['VP6 with alpha', '25 aa', ['VP6', 'inter', 'frame', 0, 'aa']],
    ['something else', '1f aa', ['other', 'key', 'frame', 0, 'aa']],
  ])('%s: %s', (_, body, expected) => {
    expect(video(body)).toEqual(expected);
  });

  // Enhanced RTMP, version 1: the highest bit, then type of frame and of packet, then a FourCC.
  test.each<[string, string, Video]>([
    ['the configuration of H.265', `90 ${ascii('hvc1')} 0102`, ['HEVC', 'key', 'config', 0, '0102']],
    ['a key frame with a time', `91 ${ascii('hvc1')} 000021 aa`, ['HEVC', 'key', 'frame', 33, 'aa']],
    ['a frame with a negative time', `a1 ${ascii('hvc1')} ffffff aa`, ['HEVC', 'inter', 'frame', -1, 'aa']],
    ['a frame without time', `a3 ${ascii('hvc1')} aabbcc`, ['HEVC', 'inter', 'frame', 0, 'aabbcc']],
    ['H.264', `91 ${ascii('avc1')} 000021 aa`, ['H264', 'key', 'frame', 33, 'aa']],
    ['AV1, whose frames have no time', `91 ${ascii('av01')} aabbcc`, ['AV1', 'key', 'frame', 0, 'aabbcc']],
    [
      'VP9, whose frames have no time',
      `b1 ${ascii('vp09')} aabbcc`,
      ['VP9', 'disposable', 'frame', 0, 'aabbcc'],
    ],
    ['the end', `92 ${ascii('av01')}`, ['AV1', 'key', 'end', 0, '']],
    ['metadata', `94 ${ascii('hvc1')} 02`, ['HEVC', 'key', 'metadata', 0, '02']],
    ['metadata in an info frame', `d4 ${ascii('hvc1')} 02`, ['HEVC', 'info', 'metadata', 0, '02']],
    ['a command', 'd1 00', ['other', 'info', 'metadata', 0, '00']],
    ['something else', `91 ${ascii('vp08')} aa`, ['other', 'key', 'frame', 0, 'aa']],
  ])('%s, by its FourCC: %s', (_, body, expected) => {
    expect(video(body)).toEqual(expected);
  });

  test.each([
    ['nothing', ''],
    ['a header', '17'],
    ['a time that is cut off', '17 01 0000'],
    ['an unknown packet', '17 03 000000 aa'],
    ['an unknown frame', '07 01 000000 aa'],
    ['another', '67 01 000000 aa'],
    ['an unknown extended packet', `96 ${ascii('hvc1')} aa`],
    ['several tracks', `95 ${ascii('av01')} aa`],
    ['half a FourCC', '90 687663'],
    ['an extended time that is cut off', `91 ${ascii('hvc1')} 0000`],
    ['an extended unknown frame', `81 ${ascii('hvc1')} 000000`],
  ])('refuses %s', (_, body) => {
    expect(video(body)).toBeUndefined();
  });

  test('copies nothing', () => {
    const body = bytes('17 01 000000 aa');
    parseFlvVideo(body)!.data[0] = 0x11;
    expect(body[5]).toBe(0x11);
  });
});

describe('a body of audio', () => {
  test.each<[string, string, FlvAudio['codec'], FlvAudio['packet'], number, 1 | 2, string]>([
    ['the configuration of AAC', 'af 00 1190', 'AAC', 'config', 44_100, 2, '1190'],
    ['AAC', 'af 01 2100', 'AAC', 'frame', 44_100, 2, '2100'],
    ['an empty frame', 'af 01', 'AAC', 'frame', 44_100, 2, ''],
    ['MP3', '2f fffb', 'MP3', 'frame', 44_100, 2, 'fffb'],
    ['MP3 at 22 kHz, mono', '2a fffb', 'MP3', 'frame', 22_050, 1, 'fffb'],
    ['MP3 at 8 kHz', 'e2 ffe3', 'MP3', 'frame', 8_000, 1, 'ffe3'],
    ['PCM', '06 00', 'PCM', 'frame', 11_025, 1, '00'],
    ['PCM that is little-endian', '33 00', 'PCM', 'frame', 5_512, 2, '00'],
    ['A-law', '70 d5', 'G711A', 'frame', 8_000, 1, 'd5'],
    ['µ-law', '82 ff', 'G711U', 'frame', 8_000, 1, 'ff'],
    ['Speex', 'b2 00', 'Speex', 'frame', 16_000, 1, '00'],
    ['Nellymoser', '66 00', 'Nellymoser', 'frame', 11_025, 1, '00'],
    ['Nellymoser at 16 kHz', '42 00', 'Nellymoser', 'frame', 16_000, 1, '00'],
    ['Nellymoser at 8 kHz', '52 00', 'Nellymoser', 'frame', 8_000, 1, '00'],
    ['ADPCM', '1f 00', 'other', 'frame', 44_100, 2, '00'],
    ['a format by FourCC', `91 ${ascii('Opus')}`, 'other', 'frame', 5_512, 2, ascii('Opus')],
  ])('%s: %s', (_, body, codec, packet, rate, channels, data) => {
    expect(parseFlvAudio(bytes(body))).toEqual({ codec, packet, rate, channels, data: bytes(data) });
  });

  test.each([
    ['nothing', ''],
    ['AAC without a type', 'af'],
    ['AAC of an unknown type', 'af 02 00'],
  ])('refuses %s', (_, body) => {
    expect(parseFlvAudio(bytes(body))).toBeUndefined();
  });
});

test('bodies of strangers do no harm', () => {
  const samples = ['17 01 0000c8 aabb', `91 ${ascii('hvc1')} 000021 aa`, 'af 00 1190', '2f fffb'].map(bytes);
  for (const body of mutationsOf(samples, 20_000)) {
    const read = parseFlvVideo(body);
    expect(read?.data.length ?? 0).toBeLessThanOrEqual(body.length);
    expect(Math.abs(read?.compositionMs ?? 0)).toBeLessThanOrEqual(2 ** 23);
    expect(parseFlvAudio(body)?.data.length ?? 0).toBeLessThanOrEqual(body.length);
  }
});

describe('writing', () => {
  test.each([
    [true, true, 5],
    [true, false, 4],
    [false, true, 1],
    [false, false, 0],
  ])('a header with audio %o and video %o', (hasAudio, hasVideo, flags) => {
    expect(flvHeader(hasAudio, hasVideo)).toEqual(bytes(`464c5601 0${flags} 00000009 00000000`));
  });

  test.each<[FlvTag['type'], number, string, string]>([
    ['audio', 0, 'af001190', '08 000004 000000 00 000000 af001190 0000000f'],
    ['video', 0x123456, '17', '09 000001 123456 00 000000 17 0000000c'],
    ['script', 0xfedcba98, '', '12 000000 dcba98 fe 000000 0000000b'],
  ])('a tag of %s at %i', (type, timestampMs, body, expected) => {
    expect(flvTag(type, timestampMs, bytes(body)).toString('hex')).toBe(bytes(expected).toString('hex'));
  });

  test('refuses what is too large for a tag', () => {
    expect(() => flvTag('video', 0, Buffer.alloc(2 ** 24))).toThrow(RangeError);
  });
});

describe('reading', () => {
  const tags: FlvTag[] = [
    { type: 'script', timestampMs: 0, body: bytes('02000a') },
    { type: 'audio', timestampMs: 0, body: bytes('af001190') },
    { type: 'video', timestampMs: 40, body: Buffer.alloc(300, 0x17) },
    { type: 'audio', timestampMs: 2 ** 24 + 7, body: Buffer.alloc(0) },
    { type: 'video', timestampMs: 2 ** 32 - 1, body: bytes('27') },
  ];
  const stream = Buffer.concat([
    flvHeader(true, true),
    ...tags.map(({ type, timestampMs, body }) => flvTag(type, timestampMs, body)),
  ]);

  function read(chunks: Iterable<Buffer>, maxTagBytes = 1_000): FlvTag[] {
    const reader = new FlvReader(maxTagBytes);
    const found: FlvTag[] = [];
    for (const chunk of chunks) reader.read(chunk, (tag) => found.push(tag));
    return found;
  }

  test('gives the tags that were written, wherever the stream is split', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(read([stream.subarray(0, at), stream.subarray(at)])).toEqual(tags);
    }
  });

  test.each([1, 2, 7, 16, 100])('also in pieces of %i bytes', (size) => {
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, piece) =>
      stream.subarray(piece * size, (piece + 1) * size),
    );
    expect(read(pieces)).toEqual(tags);
  });

  test('gives a tag with its last byte, without the size behind it', () => {
    const [, ...rest] = tags;
    expect(rest.length).toBe(4);
    expect(read([stream.subarray(0, 13 + 11 + 3)])).toEqual(tags.slice(0, 1));
    expect(read([stream.subarray(0, 13 + 11 + 2)])).toEqual([]);
  });

  test('does not hold on to what it was given', () => {
    const chunk = Buffer.from(stream);
    const found = read([chunk]);
    chunk.fill(0);
    expect(found).toEqual(tags);
  });

  test('passes over the bits of a type that are reserved', () => {
    const tag = flvTag('audio', 1, bytes('2f'));
    tag[0]! |= 0xc0;
    expect(read([flvHeader(true, false), tag])).toMatchObject([{ type: 'audio' }]);
  });

  test.each([
    [
      'something else',
      bytes('0000001c667479706d703432'),
      'no FLV: it begins with the bytes 0000001c667479706d',
    ],
    ['another version', bytes('464c5602 05 00000009 00000000'), 'no FLV'],
    ['a longer header', bytes('464c5601 05 0000000a 00000000'), 'no FLV'],
    [
      'an unknown type',
      Buffer.concat([flvHeader(true, true), bytes('0a 000001 000000 00 000000 00')]),
      'type 10',
    ],
    [
      'an encrypted tag',
      Buffer.concat([flvHeader(true, true), bytes('28 000001 000000 00 000000 00')]),
      'type 40',
    ],
    [
      'a large tag',
      Buffer.concat([flvHeader(true, true), bytes('09 0003e9 000000 00 000000 00')]),
      '1001 bytes, and at most 1000',
    ],
  ])('breaks at %s, once', (_, input, words) => {
    const reader = new FlvReader(1_000);
    const onTag = () => expect.unreachable('a tag');
    expect(() => reader.read(input, onTag)).toThrow(words);
    expect(() => reader.read(stream, onTag)).not.toThrow();
  });

  test('takes the largest tag that is permitted', () => {
    expect(read([flvHeader(true, true), flvTag('video', 0, Buffer.alloc(1_000))]).length).toBe(1);
  });

  test('bytes of strangers do no harm', () => {
    let broken = 0;
    for (const input of mutationsOf([stream], 5_000)) {
      try {
        for (const { body } of read([input.subarray(0, 20), input.subarray(20)])) {
          expect(body.length).toBeLessThanOrEqual(input.length);
        }
      } catch (error) {
        expect(String(error)).toMatch(/^Error: What was read as FLV is /);
        broken++;
      }
    }
    expect(broken).toBeGreaterThan(500);
  });
});
