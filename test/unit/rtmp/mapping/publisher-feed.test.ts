import { describe, expect, test } from 'vitest';
import { PublisherFeed } from '../../../../gateways/rtmp/mapping/publisher-feed.ts';
import type { AmfValue } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { RtmpError } from '../../../../gateways/rtmp/protocol/rtmp-error.ts';
import { type AccessUnit, isVideo } from '../../../../src/media/access-unit.ts';
import {
  aacConfigBody,
  aacFrameBody,
  avcConfigBody,
  avcFrameBody,
  mp3FrameBody,
} from '../../../../src/media/containers/flv/flv-body.ts';
import type { Ingest } from '../../../../transcode/ingest/ingest.ts';
import { withLengths } from '../../support/nal-units.ts';
import { formatOf, PLAIN } from '../../support/picture-path.ts';

const AVC_CONFIG = avcConfigBody(formatOf(PLAIN).record!);
const AAC_CONFIG = aacConfigBody(Buffer.from('1190', 'hex'));
const AAC_FRAME = aacFrameBody(Buffer.from('2100', 'hex'));
/** Slices whose second byte says that they are the first of their picture. */
const KEY = avcFrameBody(withLengths([Buffer.from('6588aa', 'hex')]), true, 0);
const INTER = avcFrameBody(withLengths([Buffer.from('4188bb', 'hex')]), false, 80);
/** Headers of other codecs, each with a byte behind them: FLV 10.1, sections E.4.2 and E.4.3. */
const VP6 = Buffer.from('1400', 'hex');
const SPEEX = Buffer.from('b600', 'hex');

/** As Enhanced RTMP has a key frame of VP9. */
const VP9 = Buffer.concat([Buffer.of(0x91), Buffer.from('vp09'), Buffer.from('aabb', 'hex')]);

/** A publisher's messages, and what its ingest is told of them. */
function feed() {
  const units: AccessUnit[] = [];
  const told: string[] = [];
  const ingest = { isSteady: true };
  const note = (text: string) => {
    told.push(text);
    return ingest.isSteady;
  };
  const one = new PublisherFeed({
    receive: (unit) => {
      units.push(unit);
      return ingest.isSteady;
    },
    refuse: (kind, codec, why) => note(`refused ${kind}: ${codec}${why ? ` ${why}` : ''}`),
    rename: (encoder) => note(`named ${encoder}`),
  } as Partial<Ingest> as Ingest);
  return { feed: one, units, told, ingest };
}

describe('messages become access units', () => {
  test('of video, with the times of decoding and showing', () => {
    const { feed: one, units } = feed();
    one.video(AVC_CONFIG, 0);
    one.video(KEY, 1_000);
    one.video(INTER, 1_040);
    one.end();
    expect(units.map(({ dtsUs, ptsUs, key }) => [dtsUs, ptsUs, key])).toEqual([
      [1_000_000, 1_000_000, true],
      [1_040_000, 1_120_000, false],
    ]);
    expect(units[0]!.format).toMatchObject({ codec: 'H264', lengthBytes: 4, width: 640, height: 360 });
    expect(units[1]!.format).toBe(units[0]!.format);
  });

  test('of audio', () => {
    const { feed: one, units } = feed();
    one.audio(AAC_CONFIG, 0);
    one.audio(AAC_FRAME, 2 ** 32 - 1);
    one.audio(mp3FrameBody(Buffer.from('fffb9064', 'hex')), 5);
    expect(units.map(({ format, dtsUs }) => [format.codec, dtsUs])).toEqual([
      ['AAC', (2 ** 32 - 1) * 1000],
      ['MP3', 5_000],
    ]);
  });

  test('of both in the order in which they came, a picture with the audio behind it at the latest', () => {
    const { feed: one, units } = feed();
    one.video(AVC_CONFIG, 0);
    one.audio(AAC_CONFIG, 0);
    for (let ms = 0; ms < 200; ms += 40) {
      one.video(ms === 0 ? KEY : INTER, ms);
      one.audio(AAC_FRAME, ms + 20);
    }
    expect(units.map((unit) => (isVideo(unit) ? 'v' : 'a')).join('')).toBe('vavavavava');
  });

  test('and the last picture comes out when nothing more does', () => {
    const { feed: one, units } = feed();
    one.video(AVC_CONFIG, 0);
    one.video(KEY, 0);
    expect(units).toEqual([]);
    one.end();
    expect(units).toHaveLength(1);
  });

  test('but not those that say how to decode them, whatever their times and however often they come', () => {
    const { feed: one, units } = feed();
    for (const ms of [0, 40, 80]) {
      one.video(AVC_CONFIG, 0);
      one.video(KEY, ms);
      one.audio(AAC_CONFIG, 0);
      one.audio(AAC_FRAME, ms + 1);
    }
    expect(units).toHaveLength(6);
    expect(new Set(units.map(({ format }) => format)).size).toBe(2);
  });
});

describe('what no unit can be made of', () => {
  test('is told once as long as it goes on: its codec is not taken', () => {
    const { feed: one, units, told } = feed();
    for (let index = 0; index < 3; index++) {
      one.video(VP6, 40 * index);
      one.audio(SPEEX, 40 * index);
    }
    expect([told, units]).toEqual([['refused video: VP6', 'refused audio: Speex'], []]);
  });

  test('is told with what is the matter once that is plain: it never says how to decode it', () => {
    const { feed: one, units, told } = feed();
    for (let index = 0; index < 60; index++) {
      one.video(index % 10 === 0 ? KEY : INTER, 40 * index);
      one.audio(AAC_FRAME, 40 * index);
    }
    expect(told.map((text) => text.split(' without')[0]).sort()).toEqual([
      'refused audio: AAC',
      'refused video: H264',
    ]);
    expect(units).toEqual([]);
  });

  test('counts when it makes no sense, and not when it is empty', () => {
    const { feed: one, units } = feed();
    for (let index = 0; index < 3; index++) one.video(Buffer.from('17', 'hex'), 0);
    one.video(avcConfigBody(Buffer.from('0164', 'hex')), 0);
    for (let index = 0; index < 2; index++) one.audio(Buffer.from('af', 'hex'), 0);
    one.video(Buffer.alloc(0), 0);
    one.audio(Buffer.alloc(0), 0);
    expect([one.malformed, units]).toEqual([6, []]);
  });

  test('does not undo what said how to decode the rest', () => {
    const { feed: one, units } = feed();
    one.video(AVC_CONFIG, 0);
    one.video(avcConfigBody(Buffer.from('0164', 'hex')), 0);
    one.video(KEY, 0);
    one.end();
    expect(units[0]!.format).toMatchObject({ codec: 'H264', width: 640 });
  });
});

describe('metadata', () => {
  test('tells what the encoder calls itself', () => {
    const { feed: one, told } = feed();
    one.metadata({ encoder: 'obs-output module' });
    expect(told).toEqual(['named obs-output module']);
  });

  test.each<[AmfValue | undefined]>([[5], [null], [undefined], [{}], [true]])(
    'tells nothing of that if it says %j',
    (encoder) => {
      const { feed: one, told } = feed();
      one.metadata({ encoder: encoder as AmfValue });
      expect(told).toEqual([]);
    },
  );

  test.each<[string, AmfValue | undefined, AmfValue | undefined, boolean]>([
    ['known', 1_280, 720, true],
    ['the largest', 16_384, 16_384, true],
    ['not known', undefined, undefined, false],
    ['none', 0, 720, false],
    ['below nothing', -1_280, 720, false],
    ['no number', '1280', '720', false],
    ['not whole', 1_280.5, 720, false],
    ['not finite', Number.POSITIVE_INFINITY, 720, false],
    ['too large', 1e6, 720, false],
  ])('tells the size where the codec is not read: %s', (_, width, height, isTaken) => {
    const { feed: one, units } = feed();
    one.metadata({ width, height } as Record<string, AmfValue>);
    one.video(VP9, 0);
    const { format } = units[0]!;
    expect(format).toMatchObject({ codec: 'VP9' });
    expect([('width' in format && format.width) || undefined]).toEqual([isTaken ? width : undefined]);
  });

  test('does not change the size that the parameter sets say', () => {
    const { feed: one, units } = feed();
    one.metadata({ width: 1_280, height: 720 });
    one.video(AVC_CONFIG, 0);
    one.video(KEY, 0);
    one.end();
    expect(units[0]!.format).toMatchObject({ width: 640, height: 360 });
  });
});

describe('a publisher that changes all the time', () => {
  const acts: [string, (one: PublisherFeed) => void][] = [
    ['video', (one) => one.video(VP9, 0)],
    ['audio', (one) => one.audio(mp3FrameBody(Buffer.from('fffb9064', 'hex')), 0)],
    ['what is not taken', (one) => one.audio(SPEEX, 0)],
    ['its name', (one) => one.metadata({ encoder: 'x' })],
  ];

  test.each(acts)('ends its connection: %s', (_, act) => {
    const { feed: one, ingest } = feed();
    ingest.isSteady = false;
    expect(() => act(one)).toThrow(new RtmpError('format', 'The encoder keeps changing what it sends.'));
  });

  test('is not heard of again, whatever it does', () => {
    const { feed: one, ingest } = feed();
    ingest.isSteady = false;
    expect(() => one.video(VP9, 0)).toThrow(RtmpError);
    ingest.isSteady = true;
    expect(() => one.audio(AAC_CONFIG, 0)).toThrow(RtmpError);
  });

  test('can end without another word', () => {
    const { feed: one, ingest } = feed();
    one.video(AVC_CONFIG, 0);
    one.video(KEY, 0);
    ingest.isSteady = false;
    expect(() => one.end()).not.toThrow();
  });
});
