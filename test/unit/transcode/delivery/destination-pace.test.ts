import { describe, expect, test } from 'vitest';
import { type AccessUnit, isVideo } from '../../../../src/media/access-unit.ts';
import {
  type DestinationBench,
  live,
  MAX_LATENESS_MS,
  playFor,
  playStep,
  STEP_MS,
  takeFor,
} from './destination-bench.ts';

/** @returns the one that holds the byte with that number */
function unitAt(units: readonly AccessUnit[], byte: number): AccessUnit {
  let end = 0;
  return units.find(({ data }) => {
    end += data.length;
    return end >= byte;
  })!;
}

const BEHIND = 'The server takes less than the program sends: video frames are left out to keep up.';

describe('a server that takes nothing', () => {
  test('is given no more than the socket may hold; the rest waits and follows', () => {
    const { feed, last } = live();
    last().isBlocked = true;
    feed.play('v1010 v1020', 100_000);
    expect(last().queuedBytes).toBe(200_000);
    feed.play('v1030 a1030', 1_000);
    expect(last().queuedBytes).toBe(200_000);
    last().drain();
    expect(last().written).toBe('v0 a0 v10 v20 v30 a30');
  });

  test('misses video frames up to a key frame, which are counted', () => {
    const { destination: one, clock, feed, last } = live();
    last().isBlocked = true;
    feed.play('v1100', 200_000);
    feed.play('v1200 a1200 v1300');
    clock.advance(1_900);
    feed.play('a3100 v3100');
    clock.advance(200);
    feed.play('a3300 v3300');
    expect(one.report.framesDropped).toBe(4);
    last().drain();
    feed.play('v3400 a3400 vk3500 v3533');
    expect(last().written).toBe('v0 a0 v100 a2100 a2300 a2400 v2500 v2533');
    expect(one.report.framesDropped).toBe(5);
  });

  test('for 2 s is stalled, and connected still when it takes something', () => {
    const all = live();
    const { destination: one, last, states } = all;
    playFor(all, 3);
    last().isBlocked = true;
    playFor(all, 2);
    expect(one.report.state).toBe('live');
    playFor(all, 2);
    expect(one.report).toMatchObject({
      state: 'stalled',
      reason: 'The server takes nothing: what is sent to it waits.',
      uptimeMs: 0,
    });
    last().drain();
    playFor(all, 1);
    // Frames were left out meanwhile, which is told for a while.
    expect(one.report).toMatchObject({ state: 'behind', reason: BEHIND });
    expect(one.report.uptimeMs).toBeLessThanOrEqual(1_000);
    playFor(all, 6);
    expect(one.report).toMatchObject({ state: 'live', reason: '' });
    expect(states().slice(0, 2)).toEqual(['live', 'stalled']);
    expect(all.connections).toHaveLength(1);
  });

  test('for 10 s more is left', () => {
    const all = live();
    const { destination: one, last, connections, states, feed } = all;
    last().isBlocked = true;
    for (let step = 0; one.report.state !== 'stalled' && step < 100; step++) playFor(all, 0.1);
    playFor(all, 9.9);
    expect([one.report.state, connections.length]).toEqual(['stalled', 1]);
    playFor(all, 0.6);
    expect([connections[0]!.sent.at(-1), feed.listeners]).toEqual(['destroy', 0]);
    expect(one.report.reason).toBe('The server took nothing for 10 s.');
    playFor(all, 0.5);
    expect(states()).toEqual(['live', 'stalled', 'waiting', 'connecting']);
  });
});

describe('a server that takes less than the program sends', () => {
  test('is behind for as long as frames are left out for it, and never stalled', () => {
    const all = live();
    const { destination: one, states } = all;
    takeFor(all, 20, 200_000);
    expect(one.report).toMatchObject({ state: 'behind', reason: BEHIND, uptimeMs: 20_000 });
    expect(one.report.framesDropped).toBeGreaterThan(100);
    takeFor(all, 6, 2_000_000);
    expect(one.report).toMatchObject({ state: 'live', reason: '', uptimeMs: 26_000 });
    expect(states()).toEqual(['live', 'behind', 'live']);
    expect(all.connections).toHaveLength(1);
  });

  test('is not behind when it catches up before anything is left out', () => {
    const all = live();
    takeFor(all, 2, 300_000);
    takeFor(all, 10, 500_000);
    expect([all.states(), all.destination.report.framesDropped]).toEqual([['live'], 0]);
  });

  test.each([100_000, 200_000, 300_000, 370_000])(
    'gets nearly all audio, and of video whole groups up to where something was left out: %d bytes a second',
    (rate) => {
      const all = live();
      takeFor(all, 60, rate);
      const { units } = all.last();
      const video = units.filter(isVideo);
      const torn = video.filter(
        (unit, index) => index > 1 && !unit.key && unit.dtsUs - video[index - 1]!.dtsUs > STEP_MS * 1000,
      );
      expect(torn).toEqual([]);
      expect(all.destination.report.framesDropped).toBeGreaterThan(20);
      // 50 a second, but for those that still wait.
      expect(units.length - video.length).toBeGreaterThan(50 * 60 * 0.9);
    },
  );

  test.each([100_000, 200_000, 380_000])('reads nothing too late, with %d bytes a second', (rate) => {
    const all = live();
    for (let step = 0; step < 1_500; step++) {
      takeFor(all, STEP_MS / 1000, rate);
      const newest = all.last().units.at(-1)!;
      const waitedMs = all.clock.now() + 1_000 - newest.dtsUs / 1000;
      const inSocketMs = (all.last().queuedBytes / rate) * 1000;
      expect(waitedMs + inSocketMs).toBeLessThanOrEqual(MAX_LATENESS_MS);
    }
  });
});

describe('a server whose system takes everything', () => {
  /** It reads so many bytes a second, and acknowledges each window. @returns how late what it read was, ms, at the most */
  function readFor(
    all: DestinationBench,
    seconds: number,
    bytesASecond: number,
    windowBytes = 250_000,
  ): number {
    const connection = all.last();
    connection.acknowledges = true;
    connection.largestAcknowledgementBytes = windowBytes;
    let read = connection.bytesAcknowledged;
    let latest = 0;
    for (let step = 0; step < (seconds * 1000) / STEP_MS; step++) {
      playStep(all);
      read = Math.min(connection.bytesSent, read + (bytesASecond * STEP_MS) / 1000);
      if (read - connection.bytesAcknowledged >= windowBytes) {
        connection.bytesAcknowledged = read;
        connection.events.drained();
      }
      const reading = unitAt(connection.units, read);
      latest = Math.max(latest, all.clock.now() + 1_000 - reading.dtsUs / 1000);
    }
    return latest;
  }

  test('and reads all of it is live', () => {
    const all = live();
    expect(readFor(all, 30, 1_000_000)).toBeLessThan(1_000);
    expect([all.states(), all.destination.report.framesDropped]).toEqual([['live'], 0]);
  });

  test('but reads less is behind', () => {
    const all = live();
    readFor(all, 30, 200_000);
    expect(all.destination.report).toMatchObject({ state: 'behind', reason: BEHIND });
    expect(all.destination.report.framesDropped).toBeGreaterThan(50);
    expect(all.last().queuedBytes).toBe(0);
    expect(all.states()).toEqual(['live', 'behind']);
  });

  test('but reads a little less than is sent gets nothing later than it may be', () => {
    const all = live();
    expect(readFor(all, 60, 380_000)).toBeLessThanOrEqual(MAX_LATENESS_MS);
  });

  test('and no longer acknowledges is stalled, with no more sent to it than may be late', () => {
    const all = live();
    const { destination: one, last } = all;
    const acknowledge = () => {
      last().acknowledges = true;
      last().bytesAcknowledged = last().bytesSent;
      last().events.drained();
    };
    for (let second = 0; second < 4; second++) {
      playFor(all, 1, 20_000);
      acknowledge();
    }
    expect(one.report.state).toBe('live');
    const { bytesSent } = last();
    playFor(all, 6, 20_000);
    expect(one.report.state).toBe('stalled');
    expect(one.report.reason).toMatch(/takes nothing|no longer acknowledges/);
    expect(last().queuedBytes).toBe(0);
    // A window may be under way in any case, and half of what may be late; the other half waits here.
    expect(last().bytesSent - bytesSent).toBeLessThan(250_000 + 0.4 * MAX_LATENESS_MS * 1000);
    acknowledge();
    for (let second = 0; second < 7; second++) {
      playFor(all, 1, 20_000);
      acknowledge();
    }
    expect(one.report.state).toBe('live');
  });

  test('and never acknowledges is not stalled', () => {
    const all = live();
    playFor(all, 60, 20_000);
    expect([all.states(), all.destination.report.framesDropped]).toEqual([['live'], 0]);
  });
});
