import { describe, expect, test } from 'vitest';
import { PacketPacer } from '../../../../src/media/rtp/packet-pacer.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const BURST = 32;

function pacer(capacity = 1_000) {
  const clock = new FakeClock();
  /** Of the packets that went out, and when. */
  const sent: number[] = [];
  const sentAt: number[] = [];
  const paced = new PacketPacer(clock, capacity, (packet) => {
    sent.push(packet.readUInt16BE());
    sentAt.push(clock.now());
  });
  let pushed = 0;
  const push = (count: number) => {
    for (let index = 0; index < count; index++) {
      const packet = Buffer.alloc(2);
      packet.writeUInt16BE(pushed++);
      paced.push(packet);
    }
  };
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  return { paced, clock, sent, sentAt, push, numbers };
}

test('an ordinary picture goes out at once', () => {
  const { sent, push, numbers } = pacer();
  push(BURST);
  expect(sent).toEqual(numbers(BURST));
});

test('of a key frame no more than 32 packets go out in a millisecond, all in their order', () => {
  const { paced, clock, sent, sentAt, push, numbers } = pacer();
  push(200);
  expect(sent).toHaveLength(BURST);
  expect(paced.waiting).toBe(168);
  clock.advance(20);
  expect(sent).toEqual(numbers(200));
  const atOnce = numbers(21).map((ms) => sentAt.filter((at) => at === ms).length);
  expect(atOnce).toEqual([32, 32, 32, 32, 32, 32, 8, ...new Array(14).fill(0)]);
});

test('what comes while others wait goes out behind them', () => {
  const { clock, sent, push, numbers } = pacer();
  push(40);
  clock.advance(1);
  push(3);
  expect(sent).toEqual(numbers(43));
  push(60);
  clock.advance(10);
  expect(sent).toEqual(numbers(103));
});

test('pictures that follow each other closely share the burst', () => {
  const { clock, sent, push } = pacer();
  push(20);
  push(20);
  expect(sent).toHaveLength(BURST);
  clock.advance(1);
  expect(sent).toHaveLength(40);
});

test('with as many waiting as it can hold the first ones go out early, and none is lost', () => {
  const { paced, clock, sent, push, numbers } = pacer(50);
  push(BURST + 50);
  expect([sent.length, paced.waiting]).toEqual([BURST, 50]);
  push(10);
  expect([sent.length, paced.waiting]).toEqual([BURST + 10, 50]);
  clock.advance(10);
  expect(sent).toEqual(numbers(BURST + 60));
});

describe('no timer is left', () => {
  test('when nothing is sent any more', () => {
    const { clock, push } = pacer();
    push(100);
    clock.advance(10);
    expect(clock.pending).toBe(0);
  });

  test('when it is closed, and nothing goes out then', () => {
    const { paced, clock, sent, push } = pacer();
    push(100);
    paced.close();
    expect([clock.pending, paced.waiting]).toEqual([0, 0]);
    clock.advance(10);
    expect(sent).toHaveLength(BURST);
  });
});
