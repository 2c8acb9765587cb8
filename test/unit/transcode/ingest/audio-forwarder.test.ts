import { describe, expect, test } from 'vitest';
import type { AudioFormat, UnitAudioCodec } from '../../../../src/media/access-unit.ts';
import { encodeALaw, encodeMuLaw } from '../../../../src/media/g711.ts';
import { AUDIO_LEVEL_ID, readAudioLevel } from '../../../../src/media/rtp/audio-level.ts';
import { AudioForwarder } from '../../../../transcode/ingest/audio-forwarder.ts';
import {
  audioSender,
  G711_TICKS_PER_MS,
  OPUS_TICKS_PER_MS,
  repeated,
  steps,
} from '../../support/sent-audio.ts';

const START_MS = 10_000;

function forwarder(codec: UnitAudioCodec) {
  const all = audioSender({ ticksPerMs: codec === 'opus' ? OPUS_TICKS_PER_MS : G711_TICKS_PER_MS });
  const one = new AudioForwarder(all.sender);
  const format: AudioFormat = { kind: 'audio', codec };
  const push = (data: Buffer, sourceMs: number) => {
    const times = { dtsUs: sourceMs * 1000, ptsUs: sourceMs * 1000 };
    one.push({ format, data, ...times, key: true, disposable: false, discontinuity: false });
  };
  const levels = () => all.link.sent.map((packet) => readAudioLevel(packet, AUDIO_LEVEL_ID));
  const payloads = () => all.packets().map(({ payload }) => payload);
  return { ...all, push, levels, payloads };
}

describe('G.711 goes out in packets of 20 ms', () => {
  test.each([[160], [320], [80], [200], [1], [441]])('from messages of %i bytes', (bytes) => {
    const { push, packets, payloads, ready } = forwarder('PCMA');
    const all = Buffer.from(Array.from({ length: 160 * 12 }, (_, index) => index % 251));
    for (let at = 0; at < all.length; at += bytes) push(all.subarray(at, at + bytes), START_MS + at / 8);
    expect(Buffer.concat(payloads())).toEqual(all);
    expect(payloads().map(({ length }) => length)).toEqual(repeated(160, 12));
    expect(steps(packets())).toEqual({ ticks: repeated(160, 11), numbers: repeated(1, 11) });
    expect(ready).toEqual(Array.from({ length: 12 }, (_, index) => START_MS + 20 * index));
  });

  test('from messages whose times are rounded to milliseconds', () => {
    const { push, packets, payloads } = forwarder('PCMU');
    for (let index = 0; index < 160; index++) {
      push(Buffer.alloc(100, index), START_MS + Math.round((index * 100) / 8));
    }
    expect(payloads()).toHaveLength(100);
    expect(Buffer.concat(payloads())[101]).toBe(1);
    // A tick is made up for now and then, which nobody hears; over the whole it comes to the true length.
    const { ticks } = steps(packets());
    expect(ticks.every((each) => Math.abs(each - 160) <= 1)).toBe(true);
    expect(Math.abs(ticks.reduce((sum, each) => sum + each) - 99 * 160)).toBeLessThanOrEqual(8);
  });

  test.each<['PCMA' | 'PCMU', (sample: number) => number]>([
    ['PCMA', encodeALaw],
    ['PCMU', encodeMuLaw],
  ])('and tells the level of %s by its own law', (codec, encode) => {
    const { push, levels } = forwarder(codec);
    for (const [index, sample] of [0, 1_000, 16_000].entries()) {
      push(Buffer.alloc(160, encode(sample)), START_MS + 20 * index);
    }
    const [silence, quiet, loud] = levels();
    expect(silence).toBeLessThan(-70);
    expect(quiet).toBe(-30);
    expect(loud).toBe(-6);
  });

  test('of which one that has only begun is forgotten when what follows did not come', () => {
    const { push, payloads, ready } = forwarder('PCMA');
    push(Buffer.alloc(100, 1), START_MS);
    push(Buffer.alloc(160, 2), START_MS + 500);
    expect(payloads()).toEqual([Buffer.alloc(160, 2)]);
    expect(ready).toEqual([START_MS + 500]);
  });

  test('of which one that has begun is forgotten when the times step back', () => {
    const { push, payloads, ready } = forwarder('PCMA');
    push(Buffer.alloc(100, 1), START_MS);
    push(Buffer.alloc(160, 2), START_MS - 100);
    expect(payloads()).toEqual([Buffer.alloc(160, 2)]);
    expect(ready).toEqual([START_MS - 100]);
  });

  test('but not for a gap that is no longer than a frame', () => {
    const { push, payloads } = forwarder('PCMA');
    push(Buffer.alloc(100, 1), START_MS);
    push(Buffer.alloc(60, 2), START_MS + 12.5 + 20);
    expect(payloads()).toEqual([Buffer.concat([Buffer.alloc(100, 1), Buffer.alloc(60, 2)])]);
  });
});

describe('Opus goes out as it came', () => {
  /** TOC bytes (RFC 6716, section 3.1): CELT of 20 ms stereo, SILK of 60 ms mono, both of one frame. */
  const CELT_20 = 0xfc;
  const SILK_60 = 0x18;
  const packetOf = (toc: number, bytes: number) =>
    Buffer.concat([Buffer.of(toc), Buffer.alloc(bytes - 1, 0xff)]);

  test('a packet for each, with its own length', () => {
    const { push, packets, payloads, ready } = forwarder('opus');
    const sent = [
      packetOf(CELT_20, 240),
      packetOf(SILK_60, 90),
      packetOf(CELT_20, 3),
      packetOf(CELT_20, 200),
    ];
    for (const [index, ms] of [0, 20, 80, 100].entries()) push(sent[index]!, START_MS + ms);
    expect(payloads()).toEqual(sent);
    expect(steps(packets())).toEqual({ ticks: [960, 2_880, 960], numbers: [1, 1, 1] });
    expect(ready).toEqual([0, 20, 80, 100].map((ms) => START_MS + ms));
  });

  test('and counts as speech unless it says that nobody speaks', () => {
    const { push, levels, link } = forwarder('opus');
    push(packetOf(CELT_20, 240), START_MS);
    push(packetOf(CELT_20, 3), START_MS + 20);
    push(Buffer.of(SILK_60, 0x00, 0x55), START_MS + 40);
    push(packetOf(SILK_60, 60), START_MS + 100);
    expect(levels()).toEqual([-20, -127, -127, -20]);
    expect(link.sent.map((packet) => packet[17]! >> 7)).toEqual([1, 0, 0, 1]);
  });

  test('also with the largest frame that there is', () => {
    const { push, payloads } = forwarder('opus');
    const largest = packetOf(CELT_20, 1_276);
    push(largest, START_MS);
    expect(payloads()).toEqual([largest]);
  });

  test('but not when it is larger than a packet: cut off it would only be noise', () => {
    const { sender, push, payloads } = forwarder('opus');
    push(packetOf(CELT_20, 200), START_MS);
    push(packetOf(CELT_20 | 1, 2_400), START_MS + 20);
    push(packetOf(CELT_20, 210), START_MS + 60);
    expect(payloads().map(({ length }) => length)).toEqual([200, 210]);
    expect(sender.dropped).toBe(1);
  });
});
