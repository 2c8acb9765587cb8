import { describe, expect, test } from 'vitest';
import { JitterBuffer, type JitterCounters } from '../../../../transcode/audio/jitter-buffer.ts';

/* Simulations on a time line of their own: a sender, a network, and a mixer that reads every 20 ms. */

const FRAME_MS = 20;
const NOTHING: JitterCounters = { late: 0, lost: 0, discarded: 0, stretched: 0 };

interface Scenario {
  readonly seconds: number;
  /** Of the sender's clock; ours is exact. */
  readonly driftPpm?: number;
  /** How long the packet that is sent then is under way, ms; undefined when it is lost, several when it comes several times. */
  readonly delay?: (sentAt: number, index: number) => number | number[] | undefined;
  /** Whether the sender is silent then, and sends nothing. */
  readonly isPaused?: (at: number) => boolean;
  /** When a tick happens that should happen then. */
  readonly tick?: (at: number) => number;
  /** From then on, ms, `settled` counts. */
  readonly settledAt?: number;
}

interface Played {
  readonly at: number;
  /** From the packet's sending to its tick, ms. */
  readonly delay: number;
}

interface Result {
  readonly counters: JitterCounters;
  /** Counted since `settledAt`. */
  readonly settled: JitterCounters;
  readonly outcomes: { frame: number; lost: number; empty: number };
  readonly played: Played[];
  readonly sent: number;
  readonly deepest: number;
  readonly shallowest: number;
}

/** Packets that come at the time of a tick come before it. Sequence numbers wrap after the first 100 packets. */
function simulate(scenario: Scenario): Result {
  const { seconds, driftPpm = 0, delay = () => 0, isPaused, tick = (at) => at, settledAt = 0 } = scenario;
  const events: { at: number; order: number; sequenceNumber?: number; sentAt: number }[] = [];
  const period = FRAME_MS * (1 + driftPpm * 1e-6);
  let sent = 0;
  for (let index = 0; index * period < seconds * 1000; index++) {
    const sentAt = index * period;
    if (isPaused?.(sentAt)) continue;
    const sequenceNumber = (65436 + sent++) & 0xffff;
    for (const ms of [delay(sentAt, index) ?? []].flat()) {
      events.push({ at: sentAt + ms, order: 0, sequenceNumber, sentAt });
    }
  }
  for (let at = 10; at < seconds * 1000; at += FRAME_MS) events.push({ at: tick(at), order: 1, sentAt: at });
  events.sort((a, b) => a.at - b.at || a.order - b.order);

  const buffer = new JitterBuffer();
  const result = {
    outcomes: { frame: 0, lost: 0, empty: 0 },
    played: [] as Played[],
    sent,
    deepest: 0,
    shallowest: 0,
  };
  let before = NOTHING;
  for (const { at, sequenceNumber, sentAt } of events) {
    if (at < settledAt) before = { ...buffer.counters };
    if (sequenceNumber !== undefined) {
      const payload = Buffer.alloc(8);
      payload.writeDoubleLE(sentAt);
      buffer.push(sequenceNumber, payload);
      result.deepest = Math.max(result.deepest, buffer.depth);
    } else {
      const pulled = buffer.pull();
      result.shallowest = Math.min(result.shallowest, buffer.depth);
      result.outcomes[pulled.outcome]++;
      if (pulled.outcome === 'frame') result.played.push({ at, delay: at - pulled.payload.readDoubleLE() });
    }
  }
  return { ...result, counters: buffer.counters, settled: difference(buffer.counters, before) };
}

function difference(after: JitterCounters, before: JitterCounters): JitterCounters {
  return {
    late: after.late - before.late,
    lost: after.lost - before.lost,
    discarded: after.discarded - before.discarded,
    stretched: after.stretched - before.stretched,
  };
}

/** Numbers from 0 to 1, the same ones in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

const upTo = (ms: number, seed = 1) => {
  const random = seeded(seed);
  return () => random() * ms;
};

/** A network that holds everything back between two times. */
const heldBack = (from: number, until: number) => (sentAt: number) =>
  sentAt > from && sentAt < until ? until - sentAt : 0;

const delaysFrom = ({ played }: Result, from: number, until = Number.POSITIVE_INFINITY) =>
  played.filter(({ at }) => at >= from && at < until).map(({ delay }) => Math.round(delay));

/** Each frame was sent after the one that was played before it. */
function inOrder({ played }: Result): boolean {
  return played.every(({ at, delay }, index) => {
    const before = played[index - 1];
    return !before || at - delay > before.at - before.delay;
  });
}

describe('a steady stream', () => {
  test('waits for the next tick only', () => {
    const result = simulate({ seconds: 60 });
    expect(result.counters).toEqual(NOTHING);
    expect(result.outcomes).toEqual({ frame: 3000, lost: 0, empty: 0 });
    expect(new Set(delaysFrom(result, 0))).toEqual(new Set([10]));
    expect(result.deepest).toBe(1);
  });

  test('with loss loses what was lost and nothing else, and no delay builds up', () => {
    const random = seeded(2);
    let lost = 0;
    const result = simulate({
      seconds: 60,
      delay: (_, index) => {
        if (index === 0 || index === 2999 || random() > 0.05) return 3;
        lost++;
        return undefined;
      },
    });
    expect(lost).toBeGreaterThan(100);
    expect(result.counters).toEqual({ ...NOTHING, lost });
    expect(result.outcomes).toEqual({ frame: 3000 - lost, lost, empty: 0 });
    expect(new Set(delaysFrom(result, 0))).toEqual(new Set([10]));
  });

  test('of which every packet comes twice is played once', () => {
    const result = simulate({ seconds: 60, delay: () => [0, 30] });
    expect(result.outcomes).toEqual({ frame: 3000, lost: 0, empty: 0 });
    expect(result.counters).toEqual({ ...NOTHING, discarded: 3000 });
  });

  test('in which two packets change places now and then is played in order after one wait', () => {
    const result = simulate({ seconds: 60, delay: (_, index) => (index % 50 === 10 ? 25 : 0) });
    expect(result.counters).toEqual({ ...NOTHING, stretched: 1 });
    expect(result.outcomes).toEqual({ frame: 2999, lost: 1, empty: 0 });
    expect(inOrder(result)).toBe(true);
  });
});

describe('jitter', () => {
  test.each([
    [5, 10],
    [30, 30],
    [60, 70],
    [100, 110],
  ])('of up to %i ms: nothing is lost once a delay of %i ms was learned', (jitterMs, delayMs) => {
    const result = simulate({ seconds: 120, delay: upTo(jitterMs), settledAt: 20_000 });
    expect(result.settled).toEqual(NOTHING);
    const { late, lost, stretched } = result.counters;
    expect(late).toBe(lost);
    expect(late + stretched).toBeLessThanOrEqual(10);
    expect(new Set(delaysFrom(result, 20_000))).toEqual(new Set([delayMs]));
    expect(inOrder(result)).toBe(true);
  });

  test('comes and goes: the delay follows it down within eight seconds', () => {
    const jitter = upTo(80);
    const result = simulate({ seconds: 40, delay: (sentAt) => (sentAt < 20_000 ? jitter() : 0) });
    expect(Math.min(...delaysFrom(result, 19_000, 20_000))).toBeGreaterThanOrEqual(70);
    expect(Math.max(...delaysFrom(result, 24_000))).toBe(30);
    expect(Math.max(...delaysFrom(result, 28_500))).toBe(10);
  });
});

describe('clock drift over 30 minutes: 18 frames', () => {
  test.each([0, 4, 15])('of a slow sender with %i ms of jitter: waits for each', (jitterMs) => {
    const result = simulate({ seconds: 1800, driftPpm: 200, delay: upTo(jitterMs) });
    expect(result.counters).toMatchObject({ late: 0, lost: 0 });
    expect(result.counters.stretched - result.counters.discarded).toBeOneOf([18, 19]);
    expect(result.counters.discarded).toBeLessThanOrEqual(1);
    expect(Math.max(...delaysFrom(result, 0))).toBeLessThanOrEqual(jitterMs + 2 * FRAME_MS);
    expect(result.outcomes.empty).toBe(0);
  });

  test.each([0, 4, 15])('of a fast sender with %i ms of jitter: drops each', (jitterMs) => {
    const result = simulate({ seconds: 1800, driftPpm: -200, delay: upTo(jitterMs) });
    expect(result.counters).toMatchObject({ late: 0, lost: 0 });
    expect(result.counters.discarded - result.counters.stretched).toBeOneOf([17, 18]);
    expect(result.counters.stretched).toBeLessThanOrEqual(1);
    expect(Math.max(...delaysFrom(result, 0))).toBeLessThanOrEqual(jitterMs + 2 * FRAME_MS + 2);
    expect(result.outcomes.empty).toBe(0);
  });
});

describe('spikes', () => {
  test('of 80 ms: everything is played, and the delay is back to one frame after four seconds, to none after nine', () => {
    const result = simulate({ seconds: 30, delay: heldBack(10_000, 10_080) });
    expect(result.counters).toEqual({ late: 0, lost: 0, discarded: 3, stretched: 3 });
    expect(Math.max(...delaysFrom(result, 10_000, 12_000))).toBe(70);
    expect(Math.max(...delaysFrom(result, 14_000))).toBe(30);
    expect(Math.max(...delaysFrom(result, 19_000))).toBe(10);
  });

  test('of 300 ms: the delay is back to one frame after five seconds, to none after ten', () => {
    const result = simulate({ seconds: 30, delay: heldBack(10_000, 10_300) });
    expect(result.counters).toEqual({ ...NOTHING, discarded: 14 });
    expect(Math.max(...delaysFrom(result, 10_000, 12_000))).toBe(290);
    expect(Math.max(...delaysFrom(result, 15_000))).toBe(30);
    expect(Math.max(...delaysFrom(result, 20_000))).toBe(10);
  });

  test('of 2 s: no more is held than the buffer takes', () => {
    const result = simulate({ seconds: 30, delay: heldBack(10_000, 12_000) });
    expect(result.deepest).toBe(32);
    expect(result.counters).toEqual({ ...NOTHING, discarded: 99 });
    expect(Math.max(...delaysFrom(result, 18_000))).toBe(30);
  });

  test('of 150 ms that come every second: the first makes the delay that the others need', () => {
    const result = simulate({
      seconds: 60,
      delay: (sentAt) => (sentAt % 1000 < 150 ? 150 - (sentAt % 1000) : 0),
    });
    expect(result.counters).toEqual(NOTHING);
    expect(new Set(delaysFrom(result, 0))).toEqual(new Set([150]));
  });

  test('over, a frame that is lost is the first to be left out', () => {
    const spike = heldBack(10_000, 10_080);
    const lost = [12_460, 12_520, 12_580];
    const result = simulate({
      seconds: 30,
      delay: (sentAt) => (lost.includes(sentAt) ? undefined : spike(sentAt)),
    });
    expect(result.counters).toEqual({ late: 0, lost: 3, discarded: 0, stretched: 3 });
    // Only the spike was heard.
    expect(result.outcomes).toEqual({ frame: 1497, lost: 3, empty: 0 });
    expect(Math.max(...delaysFrom(result, 12_840))).toBe(10);
  });

  test('that follow each other at any distance leave the last frame alone', () => {
    for (let gap = 2000; gap < 4500; gap += 3 * FRAME_MS) {
      const [first, second] = [heldBack(1000, 1080), heldBack(1000 + gap, 1120 + gap)];
      const result = simulate({ seconds: 8, delay: (sentAt) => first(sentAt) + second(sentAt) });
      expect(result.shallowest).toBe(0);
      expect(result.counters).toMatchObject({ late: 0, lost: 0 });
    }
  });

  test('by which some packets are hopelessly late make no more delay than 15 frames', () => {
    const result = simulate({ seconds: 60, delay: (_, index) => (index % 10 === 5 ? 1000 : 0) });
    expect(Math.max(...delaysFrom(result, 0))).toBe(310);
    expect(result.counters.late).toBeGreaterThan(250);
  });

  test('that take the packets with them are loss, not delay', () => {
    const result = simulate({
      seconds: 30,
      delay: (sentAt) => (sentAt > 10_000 && sentAt < 11_000 ? undefined : 0),
    });
    expect(result.counters).toEqual({ ...NOTHING, lost: 49 });
    expect(new Set(delaysFrom(result, 0))).toEqual(new Set([10]));
  });
});

describe('a mixer that stalls for 300 ms and catches up', () => {
  const tick = (at: number) => (at > 10_000 && at < 10_300 ? 10_300 : at);

  test('after it has read its sockets plays everything, and no delay stays', () => {
    const result = simulate({ seconds: 30, tick });
    expect(result.counters).toEqual(NOTHING);
    expect(result.outcomes).toEqual({ frame: 1500, lost: 0, empty: 0 });
    expect(new Set(delaysFrom(result, 10_301))).toEqual(new Set([10]));
  });

  test('before it has read its sockets gets rid of the delay within seconds', () => {
    const result = simulate({ seconds: 30, tick, delay: heldBack(10_000, 10_301) });
    expect(result.counters).toEqual({ ...NOTHING, discarded: 14 });
    expect(Math.max(...delaysFrom(result, 15_000))).toBe(30);
    expect(Math.max(...delaysFrom(result, 20_000))).toBe(10);
  });
});

describe('pauses', () => {
  const isPaused = (at: number) => at % 3000 >= 1500;

  test('without jitter cost nothing and add nothing', () => {
    const result = simulate({ seconds: 60, isPaused });
    expect(result.counters).toEqual(NOTHING);
    expect(result.outcomes.frame).toBe(result.sent);
    expect(new Set(delaysFrom(result, 0))).toEqual(new Set([10]));
  });

  test('keep what was learned: later spurts start with it and wait for nothing any more', () => {
    const jitter = upTo(60);
    const result = simulate({ seconds: 120, isPaused, delay: jitter, settledAt: 5000 });
    expect(result.settled).toMatchObject({ lost: 0, late: 0, stretched: 0 });
    expect(inOrder(result)).toBe(true);
    const laterSpurts = delaysFrom(result, 6000);
    expect(Math.min(...laterSpurts)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...laterSpurts)).toBeLessThanOrEqual(140);
  });

  test('forget it, spurt by spurt, when it is not needed any more', () => {
    const jitter = upTo(60);
    const result = simulate({
      seconds: 60,
      isPaused,
      delay: (sentAt) => (sentAt < 20_000 ? jitter() : 0),
    });
    expect(Math.min(...delaysFrom(result, 21_000, 22_000))).toBeGreaterThanOrEqual(70);
    expect(new Set(delaysFrom(result, 30_000))).toEqual(new Set([10]));
  });

  test('after the worst spike start with 15 frames at the most', () => {
    const result = simulate({
      seconds: 20,
      delay: heldBack(10_000, 10_600),
      isPaused: (at) => at >= 11_000 && at < 13_000,
    });
    expect(new Set(delaysFrom(result, 13_000, 14_500))).toEqual(new Set([310]));
  });

  test('with a packet every 400 ms (DTX) stay pauses', () => {
    const result = simulate({ seconds: 60, isPaused: (at) => at % 400 !== 0 });
    expect(result.counters).toEqual(NOTHING);
    expect(result.outcomes).toEqual({ frame: 150, lost: 750, empty: 2100 });
  });
});
