import { describe, expect, test } from 'vitest';
import { EX, type ExOptions, exAudio } from '../../support/flv-bodies.ts';
import { decoderConfig, type Push, push } from '../../support/push.ts';

/* Sound of Enhanced RTMP 2: SoundFormat 9, then the type of packet and a FourCC ("ExAudioTagHeader"). */

const NANOSECONDS = Buffer.from('01e240', 'hex');
/** AudioSpecificConfig: AAC-LC, 48 kHz, stereo. */
const AAC_CONFIG = Buffer.from('1190', 'hex');
/** An identification header (RFC 7845, section 5.1): version 1, two channels. */
const OPUS_HEAD = Buffer.concat([Buffer.from('OpusHead'), Buffer.from('0102380180bb0000000000', 'hex')]);
const STREAM_INFO = Buffer.concat([Buffer.from('664c614380000022', 'hex'), Buffer.alloc(34, 1)]);
const SECONDS = 5;

interface Sent {
  readonly fourCc: string;
  readonly start?: Buffer;
  readonly frame: (number: number) => Buffer;
  readonly frameMs: number;
}

const numbered = (head: string, number: number) =>
  Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(41, 0x5a), Buffer.of(number % 250)]);

const AAC: Sent = {
  fourCc: 'mp4a',
  start: AAC_CONFIG,
  frame: (n) => numbered('2110', n),
  frameMs: 1024 / 48,
};
/** 0xfc: CELT, 20 ms, stereo, one frame (RFC 6716, section 3.1). */
const OPUS: Sent = { fourCc: 'Opus', start: OPUS_HEAD, frame: (n) => numbered('fc', n), frameMs: 20 };
const MP3: Sent = { fourCc: '.mp3', frame: (n) => numbered('fffb9064', n), frameMs: 24 };
const FLAC: Sent = { fourCc: 'fLaC', start: STREAM_INFO, frame: (n) => numbered('fff8c918', n), frameMs: 96 };
const AC3: Sent = { fourCc: 'ac-3', frame: (n) => numbered('0b77', n), frameMs: 32 };
const E_AC3: Sent = { fourCc: 'ec-3', frame: (n) => numbered('0b77', n), frameMs: 32 };

/** In real time. @returns the frames that were sent */
function play(all: Push, { fourCc, start, frame, frameMs }: Sent, options: ExOptions = {}): Buffer[] {
  if (start) all.audio(exAudio(EX.start, fourCc, start, options), 0);
  const sent: Buffer[] = [];
  for (let number = 0; number * frameMs < SECONDS * 1000; number++) {
    sent.push(frame(number));
    all.audio(exAudio(EX.frames, fourCc, sent.at(-1)!, options), Math.round(number * frameMs));
    all.clock.advance(frameMs);
  }
  return sent;
}

const WAYS: [string, ExOptions][] = [
  ['plainly', {}],
  ['with nanoseconds in front', { modEx: [NANOSECONDS] }],
  ['with two pieces of extra data in front', { modEx: [NANOSECONDS, Buffer.alloc(5)] }],
  ['with 255 bytes of extra data in front', { modEx: [Buffer.alloc(255)] }],
  ['with 256 bytes of extra data in front', { modEx: [Buffer.alloc(256)] }],
  ['with 300 bytes of extra data in front', { modEx: [Buffer.alloc(300)] }],
  ['as the one track of a multitrack', { tracks: 'one' }],
  ['as the first track of two', { tracks: 'many' }],
  ['as the first track of two with codecs of their own', { tracks: 'many codecs' }],
  ['as the first track of two, the numbers of which begin with 1', { tracks: 'many', trackId: 1 }],
  ['as the first track of two, with nanoseconds in front', { tracks: 'many', modEx: [NANOSECONDS] }],
];

describe('AAC is decoded that comes', () => {
  test.each(WAYS)('%s', (_, options) => {
    const all = push();
    all.open('audio');
    play(all, AAC, options);
    expect(all.plan('audio')).toMatchObject({ codec: 'AAC', outcome: 'transcode' });
    expect(all.statistics.audio?.format).toBe('AAC-LC 48 kHz stereo');
    expect(decoderConfig()).toEqual(AAC_CONFIG);
    const fed = all.decoders.at(-1)?.fed ?? [];
    expect(fed.length).toBeGreaterThan(200);
    // Where the frame is in what the decoder is given depends on how it is spoken to.
    for (const [index, { frame }] of fed.slice(0, 50).entries())
      expect(frame.includes(AAC.frame(index))).toBe(true);
  });
});

describe('Opus passes to browsers as it is that comes', () => {
  test.each(WAYS)('%s', (_, options) => {
    const all = push();
    all.open('audio');
    const sent = play(all, OPUS, options);
    expect(all.plan('audio')).toMatchObject({ codec: 'opus', outcome: 'pass-through' });
    const packets = all.sound();
    expect(packets.length).toBeGreaterThan(240);
    expect(packets.map(({ payload }) => payload)).toEqual(sent.slice(0, packets.length));
    for (const [index, { timestamp }] of packets.slice(1).entries()) {
      expect((timestamp - packets[index]!.timestamp) >>> 0).toBe(960);
    }
    expect(all.decoders).toEqual([]);
  });

  test('in frames of 10, 40 and 60 ms', () => {
    // Their first bytes say: CELT of 10 ms, SILK of 60 ms, two hybrid frames of 20 ms each.
    for (const [head, frameMs] of [
      ['f4', 10],
      ['5c', 60],
      ['7d', 40],
    ] as const) {
      const all = push();
      all.open('audio');
      play(all, { ...OPUS, frame: (n) => numbered(head, n), frameMs });
      const packets = all.sound();
      expect(packets.length).toBeGreaterThan((SECONDS * 1000) / frameMs - 10);
      for (const [index, { timestamp }] of packets.slice(1).entries()) {
        expect([head, (timestamp - packets[index]!.timestamp) >>> 0]).toEqual([head, frameMs * 48]);
      }
    }
  });
});

test('MP3 by its FourCC is decoded', () => {
  const all = push();
  all.open('audio');
  play(all, MP3);
  expect(all.plan('audio')).toMatchObject({ codec: 'MP3', outcome: 'transcode' });
  expect(all.decoders.at(-1)?.fed.length).toBeGreaterThan(180);
});

test.each<[string, Sent, RegExp]>([
  ['FLAC', FLAC, /FLAC/],
  ['AC-3', AC3, /\bAC-3/],
  ['E-AC-3', E_AC3, /E-AC-3/],
  ['what nobody knows', { ...AC3, fourCc: 'xyz1' }, /xyz1/],
])('%s is called by its name, whatever becomes of it', (_, sent, name) => {
  const all = push();
  all.open('audio');
  play(all, sent);
  const { outcome, reason } = all.plan('audio')!;
  expect(reason).toMatch(name);
  if (outcome === 'refused') expect(reason).toMatch(/set .*AAC/);
  expect(all.log.text).toMatch(name);
});

test('what says how channels lie, or that it ends, is no frame of sound', () => {
  const all = push();
  all.open('audio');
  all.audio(exAudio(EX.start, 'mp4a', AAC_CONFIG), 0);
  all.audio(exAudio(EX.multichannel, 'mp4a', Buffer.from('010200000003', 'hex')), 0);
  all.audio(exAudio(EX.frames, 'mp4a', AAC.frame(1)), 0);
  all.audio(exAudio(EX.end, 'mp4a', Buffer.alloc(0)), 21);
  expect(all.plan('audio')).toMatchObject({ codec: 'AAC' });
  expect(all.decoders.at(-1)?.fed).toHaveLength(1);
  expect(all.statistics.audio?.dropped).toBe(0);
});

test('tracks that come by turns, one in a message, do not mix: the first is heard', () => {
  const all = push();
  all.open('audio');
  for (const trackId of [0, 1])
    all.audio(exAudio(EX.start, 'Opus', OPUS_HEAD, { tracks: 'one', trackId }), 0);
  const sent: Buffer[] = [];
  for (let number = 0; number < 50; number++) {
    for (const trackId of [0, 1]) {
      const frame = OPUS.frame(2 * number + trackId);
      if (trackId === 0) sent.push(frame);
      all.audio(exAudio(EX.frames, 'Opus', frame, { tracks: 'one', trackId }), number * 20);
    }
    all.clock.advance(20);
  }
  expect(all.sound().map(({ payload }) => payload)).toEqual(sent);
  expect(all.plans).toHaveLength(1);
});
