import { describe, expect, test } from 'vitest';
import {
  asksForKeyFrame,
  feedbackTarget,
  pictureLossIndication,
  readNack,
} from '../../../../src/media/rtp/rtcp-feedback.ts';
import { isRtcp } from '../../../../src/media/rtp/rtp.ts';
import { seededRandom } from '../../../signals/random.ts';
import { fir, nack, pli, remb } from '../../support/rtcp-feedback.ts';

const SSRC = 0x89abcdef;
/** Sender's and receiver's reports, which are no feedback. */
const SENDER_REPORT = Buffer.from(`80c80006${'89abcdef'}${'00'.repeat(20)}`, 'hex');
const RECEIVER_REPORT = Buffer.from(`81c90007${'89abcdef'}${'00'.repeat(24)}`, 'hex');

function lost(packet: Buffer): number[] {
  const numbers: number[] = [];
  readNack(packet, (number) => numbers.push(number));
  return numbers;
}

test.each<[string, Buffer, number | undefined, boolean]>([
  ['NACK', nack(SSRC, [1, 0]), SSRC, false],
  ['PLI', pli(SSRC), SSRC, true],
  ['FIR, which names the stream in its item', fir(SSRC), SSRC, true],
  ['FIR without an item', fir(SSRC).subarray(0, 12), 0, true],
  ['REMB', remb(SSRC), 0, false],
  ['a sender report', SENDER_REPORT, undefined, false],
  ['a receiver report', RECEIVER_REPORT, undefined, false],
  ['a PLI that is cut off', pli(SSRC).subarray(0, 11), undefined, false],
  ['nothing', Buffer.alloc(0), undefined, false],
])('%s', (_, packet, target, isKeyFrameRequest) => {
  expect(feedbackTarget(packet)).toBe(target);
  expect(asksForKeyFrame(packet)).toBe(isKeyFrameRequest);
});

describe('a NACK asks for', () => {
  test.each<[string, Buffer, number[]]>([
    ['one packet', nack(SSRC, [7, 0]), [7]],
    ['the one after it', nack(SSRC, [7, 1]), [7, 8]],
    ['the sixteenth after it', nack(SSRC, [7, 0x8000]), [7, 23]],
    ['several, past 65535', nack(SSRC, [65_534, 0b111]), [65_534, 65_535, 0, 1]],
    ['several items', nack(SSRC, [10, 0b10], [500, 0]), [10, 12, 500]],
    ['nothing, without items', nack(SSRC), []],
    ['what has come of it, when it is cut off', nack(SSRC, [10, 0], [500, 0]).subarray(0, 18), [10]],
    [
      'what belongs to it, when another packet follows',
      Buffer.concat([nack(SSRC, [10, 0]), nack(SSRC, [500, 0])]),
      [10],
    ],
  ])('%s', (_, packet, expected) => {
    expect(lost(packet)).toEqual(expected);
  });

  test('no more than 128 items, however long it is', () => {
    const items = Array.from({ length: 1_000 }, (_, index): [number, number] => [index * 17, 0xffff]);
    const numbers = lost(nack(SSRC, ...items));
    expect(numbers).toHaveLength(128 * 17);
    expect(numbers.at(-1)).toBe(128 * 17 - 1);
  });

  test.each<[string, Buffer]>([
    ['PLI', pli(SSRC)],
    ['FIR', fir(SSRC)],
    ['a report', RECEIVER_REPORT],
    [
      'congestion feedback',
      Buffer.concat([Buffer.of(0x8f), nack(SSRC, [7, 0xffff]).subarray(1)]), // transport-wide, format 15
    ],
  ])('nothing, if it is none: %s', (_, packet) => {
    expect(lost(packet)).toEqual([]);
  });
});

test('a request for a key frame is written as it is read', () => {
  const packet = pictureLossIndication(0x0a0b0c0d, SSRC);
  expect(packet).toEqual(pli(SSRC));
  expect(packet.toString('hex')).toBe('81ce00020a0b0c0d89abcdef');
  expect([isRtcp(packet), feedbackTarget(packet), asksForKeyFrame(packet)]).toEqual([true, SSRC, true]);
});

test('whatever bytes come, nothing throws', () => {
  const random = seededRandom(1);
  for (let round = 0; round < 5_000; round++) {
    const packet = Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => random() * 256));
    if (packet.length > 2 && random() < 0.8) packet[1] = 205 + Math.floor(random() * 2);
    expect(() => {
      feedbackTarget(packet);
      asksForKeyFrame(packet);
      for (const number of lost(packet)) if (number < 0 || number > 65_535) throw new Error(`${number}`);
    }).not.toThrow();
  }
});
