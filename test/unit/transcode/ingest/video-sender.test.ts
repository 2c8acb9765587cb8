import { describe, expect, test } from 'vitest';
import { parseRtp } from '../../../../src/media/rtp/rtp.ts';
import { VideoSender } from '../../../../transcode/ingest/video-sender.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLink } from '../../support/fake-link.ts';
import { H264Depacketizer } from '../../support/h264-depacketizer.ts';
import { withLengths } from '../../support/nal-units.ts';
import { fir, nack, pli, remb } from '../../support/rtcp-feedback.ts';

const SSRC = 0x1234_5678;
const SPS = Buffer.from('674d401e', 'hex');
const PPS = Buffer.from('68ee3c80', 'hex');

function nal(type: number, bytes: number): Buffer {
  const unit = Buffer.alloc(bytes, type);
  unit[0] = 0x60 | type;
  return unit;
}

function sender() {
  const clock = new FakeClock();
  const link = new FakeLink();
  const told: string[] = [];
  const one = new VideoSender(
    { link, ssrc: SSRC, payloadType: 103 },
    clock,
    () => told.push('key frame'),
    () => told.push('closed'),
  );
  const numbers = () => link.sent.map((packet) => parseRtp(packet)!.sequenceNumber);
  return { sender: one, clock, link, told, numbers };
}

test('access units go out as RTP, with parameter sets before them', () => {
  const { sender: one, clock, link } = sender();
  const key = nal(5, 5_000);
  const inter = nal(1, 300);
  expect(one.send(withLengths([key]), 4, 10_000, [SPS, PPS])).toBe(true);
  expect(one.send(withLengths([inter], 2), 2, 10_033, [])).toBe(true);
  clock.advance(10);
  const depacketizer = new H264Depacketizer(1_200);
  const units = link.sent.flatMap((packet) => depacketizer.receive(packet) ?? []);
  expect(units).toEqual([
    { timestamp: 900_000, nals: [SPS, PPS, key] },
    { timestamp: 902_970, nals: [inter] },
  ]);
  expect(parseRtp(link.sent[0]!)).toMatchObject({ ssrc: SSRC, payloadType: 103 });
  expect(one.packetsSent).toBe(link.sent.length);
});

test('times pass 2^32', () => {
  const { sender: one, link } = sender();
  const turnMs = 2 ** 32 / 90;
  for (const ms of [turnMs - 10, turnMs, turnMs + 10]) one.send(withLengths([nal(1, 10)]), 4, ms, []);
  expect(link.sent.map((packet) => parseRtp(packet)!.timestamp)).toEqual([2 ** 32 - 900, 0, 900]);
});

test.each<[string, Buffer]>([
  ['is malformed', Buffer.from('000000ff65', 'hex')],
  ['is empty', Buffer.alloc(0)],
  ['is larger than a thousand packets', withLengths([nal(5, 1_300_000)])],
])('an access unit that %s is not sent, and the next one is', (_, accessUnit) => {
  const { sender: one, link } = sender();
  expect(one.send(accessUnit, 4, 10_000, [])).toBe(false);
  expect([link.sent.length, one.packetsSent]).toEqual([0, 0]);
  expect(one.send(withLengths([nal(1, 10)]), 4, 10_033, [])).toBe(true);
  expect(link.sent).toHaveLength(1);
});

describe('what the hub missed', () => {
  test('is sent again as it was, at once', () => {
    const { sender: one, clock, link, numbers } = sender();
    one.send(withLengths([nal(5, 20_000)]), 4, 10_000, []);
    clock.advance(10);
    const first = link.sent.splice(0);
    const [, second, third] = first;
    const number = parseRtp(second!)!.sequenceNumber;
    expect(link.ask(SSRC, nack(SSRC, [number, 1]))).toBe(true);
    expect(link.sent).toEqual([second, third]);
    expect(numbers()).toEqual([number, number + 1]);
    expect([one.packetsRepeated, one.packetsSent]).toEqual([2, first.length]);
  });

  test('is not sent when it was never sent, or long ago', () => {
    const { sender: one, clock, link, numbers } = sender();
    one.send(withLengths([nal(1, 10)]), 4, 10_000, []);
    const [number] = numbers();
    // 2048 are kept.
    for (let index = 0; index < 2_048; index++) {
      one.send(withLengths([nal(1, 10)]), 4, 10_000 + index, []);
      clock.advance(1);
    }
    const sent = link.sent.length;
    link.ask(SSRC, nack(SSRC, [number!, 0]));
    link.ask(SSRC, nack(SSRC, [number! + 5_000, 0xffff]));
    expect(link.sent).toHaveLength(sent);
    link.ask(SSRC, nack(SSRC, [number! + 1, 0]));
    expect(numbers().at(-1)).toBe(number! + 1);
    expect(one.packetsRepeated).toBe(1);
  });
});

test.each<[string, Buffer, string[]]>([
  ['PLI', pli(SSRC), ['key frame']],
  ['FIR', fir(SSRC), ['key frame']],
  ['NACK', nack(SSRC, [1, 1]), []],
  ['REMB', remb(SSRC), []],
])('%s: %j', (_, packet, expected) => {
  const { link, told } = sender();
  link.ask(SSRC, packet);
  expect(told).toEqual(expected);
});

test('who owns it is told when the link is gone', () => {
  const { link, told } = sender();
  link.close();
  expect(told).toEqual(['closed']);
});

test('closed, it sends nothing more, hears nothing more, and leaves no timer', () => {
  const { sender: one, clock, link } = sender();
  one.send(withLengths([nal(5, 100_000)]), 4, 10_000, []);
  const sent = link.sent.length;
  one.close();
  one.close();
  clock.advance(100);
  expect(link.sent).toHaveLength(sent);
  expect([link.listeners, clock.pending]).toEqual([0, 0]);
});
