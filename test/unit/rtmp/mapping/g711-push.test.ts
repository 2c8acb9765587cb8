import { describe, expect, test } from 'vitest';
import { PLAIN, pictureBody, recordOf, sequenceHeader, soundBody } from '../../support/flv-bodies.ts';
import { push } from '../../support/push.ts';

/* G.711 in FLV (codecs 7 and 8): what cameras and SIP gateways push, and what phones and browsers take as it is. */

const BYTES_PER_MS = 8;

interface Law {
  readonly name: 'PCMA' | 'PCMU';
  /** First byte of its messages. */
  readonly header: number;
}

/** FFmpeg says 5.5 kHz, 16 bits and mono; others say other things of what always has 8 kHz. */
const LAWS: [string, Law][] = [
  ['A-law as FFmpeg sends it', { name: 'PCMA', header: 0x72 }],
  ['µ-law as FFmpeg sends it', { name: 'PCMU', header: 0x82 }],
  ['A-law with 8 bits', { name: 'PCMA', header: 0x70 }],
  ['µ-law with a rate of 44 kHz', { name: 'PCMU', header: 0x8e }],
  ['A-law with a rate of 11 kHz', { name: 'PCMA', header: 0x76 }],
];

/** Bytes that tell where they are from. */
function samples(bytes: number, from: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => ((from + index) * 7) & 0xff));
}

/** So many bytes a message, in real time. */
function play(all: ReturnType<typeof push>, header: number, bytes: number, seconds = 2, startMs = 0): Buffer {
  const sent: Buffer[] = [];
  const messages = Math.floor((seconds * 1000 * BYTES_PER_MS) / bytes);
  for (let index = 0; index < messages; index++) {
    const body = samples(bytes, index * bytes);
    sent.push(body);
    all.audio(soundBody(header, body), startMs + Math.round((index * bytes) / BYTES_PER_MS));
    all.clock.advance(bytes / BYTES_PER_MS);
  }
  all.clock.advance(40);
  return Buffer.concat(sent);
}

describe('G.711 goes to the hub as it came', () => {
  test.each(LAWS)('and is told as what it is: %s', (_, { name, header }) => {
    const all = push();
    play(all, header, 160);
    expect(all.plans).toEqual([
      { kind: 'audio', codec: name, outcome: 'pass-through', reason: expect.any(String) },
    ]);
    expect(all.statistics.audio).toMatchObject({ dropped: 0 });
    expect(all.statistics.audio?.format).toMatch(name === 'PCMA' ? /A-law|PCMA/ : /[uµ]-law|PCMU/);
  });

  test.each([[80], [160], [320], [400], [1_000], [1_024], [2_048]])(
    'byte by byte, and in step, in messages of %i bytes',
    (bytes) => {
      for (const [, { header }] of LAWS) {
        const all = push();
        all.open('audio');
        const sent = play(all, header, bytes);
        const packets = all.sound();
        const came = Buffer.concat(packets.map(({ payload }) => payload));
        // What does not fill a packet may wait for more.
        expect(came.length).toBeGreaterThan(sent.length - 1_400);
        expect(came.equals(sent.subarray(0, came.length))).toBe(true);
        let next = packets[0]!.timestamp;
        for (const { timestamp, payload } of packets) {
          expect(timestamp).toBe(next);
          next = (timestamp + payload.length) % 2 ** 32;
          expect(payload.length).toBeLessThanOrEqual(1_200);
        }
        expect(all.decoders).toEqual([]);
      }
    },
  );

  test('in packets that do not come in bursts, however large the messages are', () => {
    const all = push();
    all.open('audio');
    play(all, 0x72, 2_048);
    const lengths = all.sound().map(({ payload }) => payload.length / BYTES_PER_MS);
    expect(lengths.length).toBeGreaterThan(0);
    // A phone's jitter buffer and a browser expect frames of some tens of milliseconds.
    expect(Math.max(...lengths)).toBeLessThanOrEqual(60);
  });

  test('again after it was not wanted for a while', () => {
    const all = push();
    all.open('audio');
    play(all, 0x72, 160);
    const { length } = all.sound();
    all.close('audio');
    play(all, 0x72, 160, 2, 2_000);
    expect(all.sound()).toHaveLength(length);
    all.open('audio');
    play(all, 0x72, 160, 2, 4_000);
    expect(all.sound().length).toBeGreaterThan(1.5 * length);
  });

  test('with times that go on over what did not come', () => {
    const all = push();
    all.open('audio');
    play(all, 0x72, 160, 1);
    const before = all.sound().at(-1)!;
    all.clock.advance(1_000);
    play(all, 0x72, 160, 1, 2_000);
    const after = all.sound().find(({ sentAt }) => sentAt >= 2_000)!;
    const ticks = (after.timestamp - before.timestamp) >>> 0;
    expect(ticks).toBeGreaterThan(1_000 * BYTES_PER_MS);
    expect(ticks).toBeLessThan(1_100 * BYTES_PER_MS);
  });

  test('with the pictures that it belongs to', () => {
    const all = push();
    all.open('audio', 'video');
    all.video(sequenceHeader(recordOf(PLAIN)), 0);
    for (let index = 0; index < 50; index++) {
      all.video(pictureBody(index % 25 === 0, index), index * 40);
      all.audio(soundBody(0x72, samples(320, index * 320)), index * 40);
      all.clock.advance(40);
    }
    const sound = all.sound();
    expect(sound.length).toBeGreaterThanOrEqual(49);
    // Nothing has to be decoded, so it goes out as soon as the pictures do.
    const [{ timestamp, sentAt }] = [sound.at(-1)!];
    const sentMs = ((timestamp - sound[0]!.timestamp) >>> 0) / BYTES_PER_MS;
    expect(sentAt - sentMs).toBeLessThan(100);
    expect(all.statistics.audio?.delayMs).toBeLessThan(50);
  });
});

test.each<[string, number, number]>([
  ['A-law', 0x72, 0x82],
  ['AAC', 0xaf, 0x72],
])('a stream that changes from %s to another codec goes on', (_, from, to) => {
  const all = push();
  all.open('audio');
  if (from === 0xaf) all.audio(Buffer.from('af001190', 'hex'), 0);
  for (let index = 0; index < 10; index++) {
    all.audio(Buffer.concat([Buffer.of(from, ...(from === 0xaf ? [1] : [])), samples(160, 0)]), index * 20);
    all.clock.advance(20);
  }
  play(all, to, 160, 1, 200);
  expect(all.plan('audio')).toMatchObject({ codec: to === 0x82 ? 'PCMU' : 'PCMA', outcome: 'pass-through' });
});
