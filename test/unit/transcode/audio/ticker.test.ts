import { describe, expect, test } from 'vitest';
import { Ticker } from '../../../../transcode/audio/ticker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Runs all timers late: what is due fires only when `stall` lets it. */
class StallingClock extends FakeClock {
  #behindMs = 0;

  override now(): number {
    return super.now() + this.#behindMs;
  }

  /** Time passes in which nothing runs. */
  stall(ms: number): void {
    this.#behindMs += ms;
  }
}

function ticker(clock = new StallingClock()) {
  const ticks: { at: number; skipped: number }[] = [];
  const beat: Ticker = new Ticker(clock, (skipped) => ticks.push({ at: clock.now(), skipped }));
  return { clock, beat, ticks };
}

test('it ticks every 20 ms from its start on', () => {
  const { clock, beat, ticks } = ticker();
  clock.advance(7);
  beat.start();
  clock.advance(100);
  expect(ticks.map(({ at }) => at)).toEqual([27, 47, 67, 87, 107]);
  expect(ticks.every(({ skipped }) => skipped === 0)).toBe(true);
  expect(beat.skipped).toBe(0);
});

test('on average it is exactly one in 20 ms, whatever the timers make of it', () => {
  const { clock, beat, ticks } = ticker();
  beat.start();
  let state = 1;
  for (let round = 0; round < 5000; round++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    clock.stall(((state >>> 0) / 2 ** 32) * 12);
    clock.advance(((state >>> 8) & 0xff) / 16);
  }
  clock.advance(20);
  expect(ticks.length).toBe(Math.floor(clock.now() / 20));
  expect(beat.skipped).toBe(0);
});

describe('after a stall', () => {
  test.each([
    ['less than a tick', 15, 1, 0],
    ['one tick', 20, 2, 0],
    ['five ticks and a bit', 110, 6, 0],
    ['as long as is caught up', 200, 11, 0],
    ['longer than that', 201, 1, 10],
    ['just before the next', 219, 1, 10],
    ['eleven ticks', 220, 1, 11],
    ['a minute', 60_000, 1, 3000],
  ])('of %s it catches up, or skips', (_, lateMs, expectedTicks, expectedSkipped) => {
    const { clock, beat, ticks } = ticker();
    beat.start();
    clock.advance(1000);
    const before = ticks.length;
    // The timer for the next tick fires that late.
    clock.stall(lateMs);
    clock.advance(20);
    const caughtUp = ticks.slice(before).filter(({ at }) => at === 1020 + lateMs);
    expect(caughtUp).toHaveLength(expectedTicks);
    expect(caughtUp.map(({ skipped }) => skipped)).toEqual([
      expectedSkipped,
      ...new Array(expectedTicks - 1).fill(0),
    ]);
    expect(beat.skipped).toBe(expectedSkipped);
    expect(beat.worstLagMs).toBe(lateMs);
    clock.advance(1000);
    expect(ticks.length + beat.skipped).toBe(Math.floor(clock.now() / 20));
  });

  test('what arrived meanwhile is read before it catches up', () => {
    const { clock, beat, ticks } = ticker();
    beat.start();
    clock.stall(60);
    clock.after(20, () => ticks.push({ at: -1, skipped: 0 })); // stands for the sockets, that come after timers
    clock.advance(20);
    expect(ticks.map(({ at }) => at)).toEqual([-1, 80, 80, 80, 80]);
  });
});

describe('stopping', () => {
  test('leaves no timer, and may be done twice', () => {
    const { clock, beat, ticks } = ticker();
    beat.start();
    beat.start();
    expect([beat.running, clock.pending]).toEqual([true, 1]);
    beat.stop();
    beat.stop();
    clock.advance(1000);
    expect([beat.running, clock.pending, ticks.length]).toEqual([false, 0, 0]);
  });

  test('while it waits for the sockets leaves none either', () => {
    const { clock, beat, ticks } = ticker();
    beat.start();
    clock.stall(60);
    clock.after(20, () => beat.stop());
    clock.advance(1000);
    expect([clock.pending, ticks.length]).toEqual([0, 0]);
  });

  test('inside a tick ends the catching up', () => {
    const clock = new StallingClock();
    let ticks = 0;
    const beat: Ticker = new Ticker(clock, () => {
      if (++ticks === 3) beat.stop();
    });
    beat.start();
    clock.stall(190);
    clock.advance(1000);
    expect([ticks, clock.pending, beat.running]).toEqual([3, 0, false]);
  });

  test('and starting inside a tick begins one new beat', () => {
    const clock = new StallingClock();
    const at: number[] = [];
    const beat: Ticker = new Ticker(clock, () => {
      at.push(clock.now());
      if (at.length !== 2) return;
      beat.stop();
      beat.start();
    });
    beat.start();
    clock.advance(25);
    clock.stall(5);
    clock.advance(115);
    expect(at).toEqual([20, 45, 65, 85, 105, 125, 145]);
    expect(clock.pending).toBe(1);
    beat.stop();
    expect(clock.pending).toBe(0);
  });
});
