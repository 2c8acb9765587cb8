import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseRtp, type RtpPacket } from '../../../../src/media/rtp/rtp.ts';
import { RtpSender } from '../../../../src/media/rtp-session/rtp-sender.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const random = vi.hoisted(() => ({ next: undefined as number | undefined }));
vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original();
  const randomInt = (...range: number[]) =>
    random.next ?? (crypto.randomInt as (...bounds: number[]) => number)(...range);
  return { ...crypto, randomInt: randomInt as typeof crypto.randomInt };
});
afterEach(() => {
  random.next = undefined;
});

/** A sender with its clock; `tick` delivers a frame and lets 20 ms pass. */
function sender(payloadType = 0, step = 160) {
  const clock = new FakeClock();
  const sent: RtpPacket[] = [];
  const buffers: Buffer[] = [];
  const rtp = new RtpSender(
    payloadType,
    step,
    (packet, bytes) => {
      buffers.push(packet);
      const parsed = parseRtp(Buffer.from(packet.subarray(0, bytes)))!;
      sent.push({ ...parsed });
    },
    0xcafe,
    clock,
  );
  const tick = (payload = Uint8Array.of(1, 2, 3), bytes = payload.length) => {
    rtp.deliver(payload, bytes);
    clock.advance(20);
  };
  return { clock, sent, buffers, rtp, tick };
}

test('packets have no gap in number or time; the first is marked', () => {
  const { sent, tick, rtp } = sender(8);
  for (let index = 0; index < 5; index++) tick(Uint8Array.of(index, 7, 7), 2);
  const [first] = sent;
  for (const [index, packet] of sent.entries()) {
    expect(packet).toMatchObject({
      payloadType: 8,
      ssrc: 0xcafe,
      marker: index === 0,
      sequenceNumber: (first!.sequenceNumber + index) & 0xffff,
      timestamp: (first!.timestamp + index * 160) >>> 0,
    });
    expect([...packet.payload]).toEqual([index, 7]);
  }
  expect([rtp.packets, rtp.octets]).toEqual([5, 10]);
});

test('numbers and timestamps start over', () => {
  random.next = 65_535;
  const { sent, tick, rtp } = sender(0, 2 ** 31);
  for (let index = 0; index < 3; index++) tick();
  expect(sent.map(({ sequenceNumber }) => sequenceNumber)).toEqual([65_535, 0, 1]);
  expect(sent.map(({ timestamp }) => timestamp)).toEqual([65_535, 2 ** 31 + 65_535, 65_535]);
  random.next = 2 ** 32 - 100;
  const other = sender();
  for (let index = 0; index < 2; index++) other.tick();
  expect(other.sent.map(({ timestamp }) => timestamp)).toEqual([2 ** 32 - 100, 60]);
  expect(other.rtp.timestampNow).toBe(220);
  expect(rtp.packets).toBe(3);
});

test('where numbers begin cannot be guessed', () => {
  const begins = Array.from({ length: 20 }, () => {
    const { sent, tick } = sender();
    tick();
    return sent[0]!;
  });
  expect(new Set(begins.map(({ timestamp }) => timestamp)).size).toBe(20);
  expect(new Set(begins.map(({ sequenceNumber }) => sequenceNumber)).size).toBeGreaterThan(15);
});

test('four packets in turn: one that the kernel takes a moment later is still what it was', () => {
  const { buffers, tick } = sender();
  for (let index = 0; index < 8; index++) tick();
  expect(new Set(buffers.slice(0, 4)).size).toBe(4);
  expect(buffers.slice(4)).toEqual(buffers.slice(0, 4));
});

test('what is skipped leaves a gap in time, none in numbers, and a mark', () => {
  const { sent, tick, rtp } = sender();
  tick();
  tick();
  rtp.skip(10);
  tick();
  tick();
  expect(sent.map(({ marker }) => marker)).toEqual([true, false, true, false]);
  expect(sent[2]!.sequenceNumber).toBe((sent[1]!.sequenceNumber + 1) & 0xffff);
  expect(sent[2]!.timestamp).toBe((sent[1]!.timestamp + 11 * 160) >>> 0);
});

test('another format goes on in numbers and time', () => {
  const { sent, tick, rtp } = sender();
  tick();
  rtp.setFormat(100, 960);
  tick();
  tick();
  expect(sent.map(({ payloadType }) => payloadType)).toEqual([0, 100, 100]);
  expect(sent[1]!.timestamp).toBe((sent[0]!.timestamp + 160) >>> 0);
  expect(sent[2]!.timestamp).toBe((sent[1]!.timestamp + 960) >>> 0);
  expect(sent[2]!.sequenceNumber).toBe((sent[0]!.sequenceNumber + 2) & 0xffff);
});

describe('after nothing was sent for a while', () => {
  test.each([1, 15, 25, 999, 60_000, 60_010])('of %i ms, time has gone on', (holdMs) => {
    const { sent, tick, rtp, clock } = sender();
    tick();
    tick();
    clock.advance(holdMs);
    rtp.resume();
    // The mixer's next tick.
    clock.advance(20 - (holdMs % 20));
    const frames = clock.now() / 20;
    tick();
    expect(sent[2]!.timestamp).toBe((sent[0]!.timestamp + frames * 160) >>> 0);
    expect(sent[2]!.sequenceNumber).toBe((sent[0]!.sequenceNumber + 2) & 0xffff);
    expect(sent[2]!.marker).toBe(true);
  });

  test('nothing is skipped before the first packet', () => {
    const { sent, tick, rtp, clock } = sender();
    clock.advance(60_000);
    rtp.resume();
    tick();
    tick();
    expect(sent[1]!.timestamp).toBe((sent[0]!.timestamp + 160) >>> 0);
  });
});

describe('the timestamp of an instant (RFC 3550, section 6.4.1)', () => {
  test.each([
    [0, 160],
    [5, 160],
    [19.5, 160],
    [100, 960],
    [60_000, 960],
  ])('%f ms after a packet is so much after its own', (afterMs, step) => {
    const { sent, rtp, clock } = sender(0, step);
    rtp.deliver(Uint8Array.of(1), 1);
    clock.advance(afterMs);
    expect(rtp.timestampNow).toBe((sent[0]!.timestamp + Math.round((afterMs / 20) * step)) >>> 0);
  });

  test('goes on evenly over packets, gaps, and what is skipped', () => {
    const { rtp, tick, clock, sent } = sender();
    tick();
    const start = sent[0]!.timestamp;
    const check = () => expect(rtp.timestampNow).toBe((start + clock.now() * 8) >>> 0);
    for (let index = 0; index < 10; index++) {
      check();
      tick();
    }
    clock.advance(400); // a stall: 20 ticks are given up
    rtp.skip(20);
    check();
    tick();
    check();
    clock.advance(5000); // on hold
    check();
    rtp.resume();
    check();
    clock.advance(20);
    tick();
    check();
  });
});
