import { describe, expect, test } from 'vitest';
import {
  avcBody,
  EX,
  type ExOptions,
  exVideo,
  interSlice,
  keySlice,
  LARGE,
  PLAIN,
  pictureBody,
  recordOf,
  sequenceHeader,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';
import { GROUP, sliceNumbers, stream, wholePictures } from '../../support/picture-stream.ts';
import { type Push, push } from '../../support/push.ts';

/* Pictures of Enhanced RTMP 2 with what its second version added: extra data in front (ModEx), and several tracks. */

const NANOSECONDS = Buffer.from('01e240', 'hex');
const SECONDS = 3;
const SENT = SECONDS * GROUP;

const WAYS: [string, ExOptions][] = [
  ['with nanoseconds in front', { modEx: [NANOSECONDS] }],
  ['with two pieces of extra data in front', { modEx: [NANOSECONDS, Buffer.alloc(5)] }],
  ['with 256 bytes of extra data in front', { modEx: [Buffer.alloc(256)] }],
  ['as the one track of a multitrack', { tracks: 'one' }],
  ['as the first track of two', { tracks: 'many' }],
  ['as the first track of two with codecs of their own', { tracks: 'many codecs' }],
  ['as the first track of two, the numbers of which begin with 1', { tracks: 'many', trackId: 1 }],
  ['as the first track of two, with nanoseconds in front', { tracks: 'many', modEx: [NANOSECONDS] }],
];

const slice = (key: boolean, number: number) => withLengths([key ? keySlice(number) : interSlice(number)]);

function play(all: Push, options: ExOptions): void {
  all.video(exVideo(EX.start, 'avc1', recordOf(PLAIN), options), 0);
  const send = (key: boolean, number: number, ms: number) => {
    const frame = key ? 'key' : 'inter';
    // With a composition time, and without one by turns.
    const packet = number % 2 === 0 ? EX.frames : EX.framesX;
    const composition = number % 2 === 0 ? { compositionMs: 0 } : {};
    all.video(exVideo(packet, 'avc1', slice(key, number), { ...options, ...composition, frame }), ms);
  };
  stream(all, send, { seconds: SECONDS });
}

describe('H.264 passes through that comes', () => {
  test.each(WAYS)('%s', (_, options) => {
    const all = push();
    all.open('video');
    play(all, options);
    expect(all.plan('video')).toMatchObject({
      codec: 'H264',
      outcome: 'pass-through',
      width: 640,
      height: 360,
    });
    const shown = sliceNumbers(all.pictures()).filter(([number]) => number! < SENT - 1);
    expect(shown).toEqual(wholePictures(0, SENT - 1));
    expect(all.statistics.video?.dropped).toBe(0);
  });
});

test('a composition time is read behind extra data and within a track', () => {
  for (const [, options] of WAYS) {
    const all = push();
    const program = all.program();
    all.video(exVideo(EX.start, 'avc1', recordOf(PLAIN), options), 0);
    stream(all, (key, number, ms) => {
      const of = { ...options, compositionMs: 80, frame: key ? ('key' as const) : ('inter' as const) };
      all.video(exVideo(EX.frames, 'avc1', slice(key, number), of), ms);
    });
    const plain = push();
    const expected = plain.program();
    plain.video(sequenceHeader(recordOf(PLAIN)), 0);
    stream(plain, (key, number, ms) => plain.video(pictureBody(key, number, { compositionMs: 80 }), ms));
    const times = (pictures: typeof program) => pictures.slice(0, 50).map(({ showMs }) => showMs);
    expect(times(program)).toEqual(times(expected));
  }
});

describe('tracks that come by turns do not mix', () => {
  const second = (packet: number, key: boolean, data: Buffer) =>
    exVideo(packet, 'avc1', data, { tracks: 'one', trackId: 1, frame: key ? 'key' : 'inter' });

  test('where the first is a multitrack of one, too', () => {
    const all = push();
    all.open('video');
    all.video(exVideo(EX.start, 'avc1', recordOf(PLAIN), { tracks: 'one' }), 0);
    all.video(second(EX.start, true, recordOf(LARGE)), 0);
    stream(all, (key, number, ms) => {
      const frame = key ? 'key' : 'inter';
      all.video(exVideo(EX.framesX, 'avc1', slice(key, number), { tracks: 'one', frame }), ms);
      all.video(second(EX.framesX, key, slice(key, number + 100)), ms);
    });
    expect(all.plans.map(({ width }) => width)).toEqual([640]);
    const shown = sliceNumbers(all.pictures()).filter(([number]) => number! < SENT - 1);
    expect(shown).toEqual(wholePictures(0, SENT - 1));
  });

  test('where the first is none, and the others do not count as malformed', () => {
    const all = push();
    all.open('video');
    all.video(sequenceHeader(recordOf(PLAIN)), 0);
    all.video(second(EX.start, true, recordOf(LARGE)), 0);
    stream(all, (key, number, ms) => {
      all.video(avcBody(slice(key, number), { frame: key ? 'key' : 'inter' }), ms);
      all.video(second(EX.framesX, key, slice(key, number + 100)), ms);
    });
    const shown = sliceNumbers(all.pictures()).filter(([number]) => number! < SENT - 1);
    expect([shown, all.statistics.video?.dropped]).toEqual([wholePictures(0, SENT - 1), 0]);
  });
});
