import { describe, expect, test } from 'vitest';
import {
  type FlvAudio,
  type FlvVideo,
  parseFlvAudio,
  parseFlvVideo,
} from '../../../../../src/media/containers/flv/flv.ts';
import {
  FlvReader,
  type FlvTag,
  flvHeader,
  flvTag,
} from '../../../../../src/media/containers/flv/flv-tags.ts';
import { mutationsOf } from '../../../support/mutations.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

const ascii = (text: string) => Buffer.from(text, 'latin1').toString('hex');

/** Codec, frame, packet, composition time, and the data in hex. */
type Video = [FlvVideo['codec'], FlvVideo['frame'], FlvVideo['packet'], number, string];

/** @param track - the one that is wanted of several */
function video(body: string, track?: number): Video | undefined {
  const read = parseFlvVideo(bytes(body), track);
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
    ['H.265 as it was before it had a FourCC', '2c 01 000021 aa', ['H265', 'inter', 'frame', 33, 'aa']],
    ['H.263', '12 aabb', ['Sorenson H.263', 'key', 'frame', 0, 'aabb']],
    ['Screen video', '13 aa', ['Screen Video', 'key', 'frame', 0, 'aa']],
    ['Screen video 2', '16 aa', ['Screen Video', 'key', 'frame', 0, 'aa']],
    ['VP6', '24 aa', ['VP6', 'inter', 'frame', 0, 'aa']],
    ['VP6 with alpha', '25 aa', ['VP6', 'inter', 'frame', 0, 'aa']],
    ['something else', '1f aa', ['codec 15', 'key', 'frame', 0, 'aa']],
  ])('%s: %s', (_, body, expected) => {
    expect(video(body)).toEqual(expected);
  });

  // Enhanced RTMP, version 1: the highest bit, then type of frame and of packet, then a FourCC.
  test.each<[string, string, Video]>([
    ['the configuration of H.265', `90 ${ascii('hvc1')} 0102`, ['H265', 'key', 'config', 0, '0102']],
    ['a key frame with a time', `91 ${ascii('hvc1')} 000021 aa`, ['H265', 'key', 'frame', 33, 'aa']],
    ['a frame with a negative time', `a1 ${ascii('hvc1')} ffffff aa`, ['H265', 'inter', 'frame', -1, 'aa']],
    ['a frame without time', `a3 ${ascii('hvc1')} aabbcc`, ['H265', 'inter', 'frame', 0, 'aabbcc']],
    ['H.264', `91 ${ascii('avc1')} 000021 aa`, ['H264', 'key', 'frame', 33, 'aa']],
    ['AV1, whose frames have no time', `91 ${ascii('av01')} aabbcc`, ['AV1', 'key', 'frame', 0, 'aabbcc']],
    [
      'VP9, whose frames have no time',
      `b1 ${ascii('vp09')} aabbcc`,
      ['VP9', 'disposable', 'frame', 0, 'aabbcc'],
    ],
    ['the end', `92 ${ascii('av01')}`, ['AV1', 'key', 'end', 0, '']],
    ['metadata', `94 ${ascii('hvc1')} 02`, ['H265', 'key', 'metadata', 0, '02']],
    ['metadata in an info frame', `d4 ${ascii('hvc1')} 02`, ['H265', 'info', 'metadata', 0, '02']],
    ['VP8', `91 ${ascii('vp08')} aa`, ['VP8', 'key', 'frame', 0, 'aa']],
    ['H.266', `91 ${ascii('vvc1')} aa`, ['H.266', 'key', 'frame', 0, 'aa']],
    ['something else', `91 ${ascii('xyz1')} aa`, ['xyz1', 'key', 'frame', 0, 'aa']],
    ['what cannot be printed', '91 00ff0102 aa', ['0x00ff0102', 'key', 'frame', 0, 'aa']],
  ])('%s, by its FourCC: %s', (_, body, expected) => {
    expect(video(body)).toEqual(expected);
  });

  test('a command of Enhanced RTMP is one byte behind the header, without a FourCC', () => {
    expect(parseFlvVideo(bytes('d1 00'))).toMatchObject({ frame: 'info', packet: 'metadata' });
  });

  test.each([
    ['nothing', ''],
    ['a header', '17'],
    ['a time that is cut off', '17 01 0000'],
    ['an unknown packet', '17 03 000000 aa'],
    ['an unknown frame', '07 01 000000 aa'],
    ['another', '67 01 000000 aa'],
    ['an unknown extended packet', `98 ${ascii('hvc1')} aa`],
    ['MPEG-2 TS', `95 ${ascii('av01')} aa`],
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
    ['A-law', '70 d5', 'PCMA', 'frame', 8_000, 1, 'd5'],
    ['µ-law', '82 ff', 'PCMU', 'frame', 8_000, 1, 'ff'],
    ['Speex', 'b2 00', 'Speex', 'frame', 16_000, 1, '00'],
    ['Nellymoser', '66 00', 'Nellymoser', 'frame', 11_025, 1, '00'],
    ['Nellymoser at 16 kHz', '42 00', 'Nellymoser', 'frame', 16_000, 1, '00'],
    ['Nellymoser at 8 kHz', '52 00', 'Nellymoser', 'frame', 8_000, 1, '00'],
    ['ADPCM', '1f 00', 'ADPCM', 'frame', 44_100, 2, '00'],
    ['something else', 'cf 00', 'format 12', 'frame', 44_100, 2, '00'],
  ])('%s: %s', (_, body, codec, packet, rate, channels, data) => {
    expect(parseFlvAudio(bytes(body))).toEqual({ codec, packet, rate, channels, data: bytes(data) });
  });

  // Enhanced RTMP, version 2: sound format 9, then type of packet, then a FourCC.
  test.each<[string, string, FlvAudio['codec'], FlvAudio['packet'], string]>([
    ['the configuration of AAC', `90 ${ascii('mp4a')} 1190`, 'AAC', 'config', '1190'],
    ['AAC', `91 ${ascii('mp4a')} 2100`, 'AAC', 'frame', '2100'],
    ['the configuration of Opus', `90 ${ascii('Opus')} 4f70`, 'opus', 'config', '4f70'],
    ['Opus', `91 ${ascii('Opus')} fc`, 'opus', 'frame', 'fc'],
    ['an empty frame', `91 ${ascii('Opus')}`, 'opus', 'frame', ''],
    ['MP3', `91 ${ascii('.mp3')} fffb`, 'MP3', 'frame', 'fffb'],
    ['FLAC', `91 ${ascii('fLaC')} 00`, 'FLAC', 'frame', '00'],
    ['AC-3', `91 ${ascii('ac-3')} 00`, 'AC-3', 'frame', '00'],
    ['E-AC-3', `91 ${ascii('ec-3')} 00`, 'E-AC-3', 'frame', '00'],
    ['something else', `91 ${ascii('spex')} 00`, 'spex', 'frame', '00'],
    ['the end', `92 ${ascii('Opus')}`, 'opus', 'end', ''],
  ])('%s, by its FourCC: %s', (_, body, codec, packet, data) => {
    const rest = { rate: 48_000, channels: 2, data: bytes(data) };
    expect(parseFlvAudio(bytes(body))).toEqual({ codec, packet, ...rest });
  });

  test.each([
    ['nothing', ''],
    ['AAC without a type', 'af'],
    ['AAC of an unknown type', 'af 02 00'],
    ['half a FourCC', '91 4f7075'],
    ['an unknown extended packet', `93 ${ascii('Opus')} 00`],
  ])('refuses %s', (_, body) => {
    expect(parseFlvAudio(bytes(body))).toBeUndefined();
  });
});

/** Enhanced RTMP, version 2, on modifiers and on several tracks in one message. */
describe('what stands in front of the FourCC', () => {
  const HVC1 = ascii('hvc1');
  const FRAME: Video = ['H265', 'key', 'frame', 33, 'aa'];

  test.each<[string, string, Video]>([
    ['a modifier of one byte', `97 00 ff 01 ${HVC1} 000021 aa`, FRAME],
    ['the nanoseconds of a time', `97 02 0f4240 01 ${HVC1} 000021 aa`, FRAME],
    ['two modifiers', `97 00 ff 07 01 ffff 01 ${HVC1} 000021 aa`, FRAME],
    ['a large modifier', `97 ff 0100 ${'ee'.repeat(257)} 01 ${HVC1} 000021 aa`, FRAME],
    ['that it is the one track', `96 01 ${HVC1} 00 000021 aa`, FRAME],
    ['that it is one of several tracks', `96 11 ${HVC1} 00 000004 000021 aa 01 000001 bb`, FRAME],
    ['that it is one of several, of several codecs', `96 21 ${HVC1} 00 000004 000021 aa`, FRAME],
    ['a modifier and tracks', `97 00 ff 06 01 ${HVC1} 00 000021 aa`, FRAME],
    ['a track, of a configuration', `96 00 ${ascii('avc1')} 00 0164`, ['H264', 'key', 'config', 0, '0164']],
  ])('may be %s: %s', (_, body, expected) => {
    expect(video(body)).toEqual(expected);
  });

  const TRACKS = `96 11 ${HVC1} 01 000001 bb 00 000004 000021 aa`;
  const TRACKS_OF_CODECS = `96 21 ${ascii('av01')} 01 000001 bb ${HVC1} 00 000004 000021 aa`;
  test.each<[string, string, number | undefined, Video]>([
    ['the wanted one of several, behind another', TRACKS, 0, FRAME],
    ['the wanted one of several of several codecs', TRACKS_OF_CODECS, 0, FRAME],
    ['the wanted one in front', TRACKS_OF_CODECS, 1, ['AV1', 'key', 'frame', 0, 'bb']],
    ['whichever is listed first', TRACKS_OF_CODECS, undefined, ['AV1', 'key', 'frame', 0, 'bb']],
    ['one with another number, when it is the one that is wanted', `96 01 ${HVC1} 01 000021 aa`, 1, FRAME],
    ['what has no number, when that is 0', `91 ${HVC1} 000021 aa`, 0, FRAME],
  ])('may be a number: %s', (_, body, track, expected) => {
    expect(video(body, track)).toEqual(expected);
  });

  test.each([
    ['of one', `96 01 ${HVC1} 01 000021 aa`, 0],
    ['of several', TRACKS, 2],
    ['that has no number', `91 ${HVC1} 000021 aa`, 1],
  ])('may be the number of a track that is not wanted, %s: nothing of it is a frame', (_, body, track) => {
    expect(video(body, track)?.[2]).toBe('metadata');
    const audio = body.replace(/^96/, '95').replaceAll(HVC1, ascii('Opus'));
    expect(parseFlvAudio(bytes(audio), track)?.packet).toBe('end');
  });

  test.each<[string, string, FlvAudio['packet']]>([
    ['a modifier', `97 02 0f4240 01 ${ascii('Opus')} fc`, 'frame'],
    ['that it is the one track', `95 01 ${ascii('Opus')} 00 fc`, 'frame'],
    ['that it is one of several tracks', `95 11 ${ascii('Opus')} 00 000001 fc 01 000001 ff`, 'frame'],
    ['a track, of a configuration', `95 00 ${ascii('Opus')} 00 fc`, 'config'],
  ])('of audio may be %s: %s', (_, body, packet) => {
    expect(parseFlvAudio(bytes(body))).toMatchObject({ codec: 'opus', packet, data: bytes('fc') });
  });

  test.each([
    ['a modifier without its size', '97'],
    ['a modifier that is cut off', '97 03 0f4240'],
    ['a modifier that nothing follows', '97 02 0f4240'],
    ['a large modifier without its size', '97 ff 01'],
    ['tracks without their kind', '96'],
    ['an unknown kind of tracks', `96 31 ${HVC1} 00 000021 aa`],
    ['a track without its number', `96 01 ${HVC1}`],
    ['a track without its size', `96 11 ${HVC1} 00 0000`],
    ['a track that is cut off', `96 11 ${HVC1} 00 000005 000021 aa`],
  ])('is refused when it is %s', (_, body) => {
    expect(video(body)).toBeUndefined();
  });
});

test('bodies of strangers do no harm', () => {
  const samples = [
    '17 01 0000c8 aabb',
    `91 ${ascii('hvc1')} 000021 aa`,
    'af 00 1190',
    '2f fffb',
    `97 02 0f4240 06 11 ${ascii('hvc1')} 00 000004 000021 aa`,
    `95 11 ${ascii('Opus')} 00 000001 fc`,
  ].map(bytes);
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
