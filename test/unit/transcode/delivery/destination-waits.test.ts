import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../../src/gateway.ts';
import type { DeliveryState } from '../../../../transcode/delivery/delivery-report.ts';
import { Destination } from '../../../../transcode/delivery/destination.ts';
import { seededRandom } from '../../../signals/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  BAD_NAME,
  destination,
  live,
  MAX_LATENESS_MS,
  playFor,
  takeFor,
  waits,
} from './destination-bench.ts';
import { FakeConnection } from './fake-connection.ts';
import { FakeFeed } from './program.ts';

describe('the wait', () => {
  test('grows, by chance between half and the whole', () => {
    const all = destination({ random: seededRandom(5) });
    const found = waits(all, 10, () => all.serve('closed', 'Gone.'));
    const longest = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000];
    expect(found.filter((wait, index) => wait < longest[index]! / 2 || wait > longest[index]!)).toEqual([]);
    expect(new Set(found.slice(6)).size).toBeGreaterThan(1);
  });

  test.each<[string, number, (waits: number[]) => boolean]>([
    ['grows for a server that lets us in and closes at once', 100, (found) => found.at(-1)! > 10_000],
    ['grows for a server that closes after less than a second', 900, (found) => found.at(-1)! > 5_000],
    ['stays short for a server that closes each second', 1_000, (found) => found.every((one) => one === 500)],
    ['is half of what it carried at the most', 6_000, (found) => found.every((one) => one <= 3_000)],
  ])('%s (%d ms)', (_, liveMs, fits) => {
    const all = destination();
    const found = waits(all, 8, () => {
      all.serve('live');
      all.clock.advance(liveMs);
      all.serve('closed', 'Gone.');
    });
    expect(found).toSatisfy(fits);
  });

  test.each<[number, number]>([
    [0, 4_000],
    [1_000, 500],
    [5_000, 2_000],
    [9_999, 1_000],
    [20_000, 500],
  ])('after %d ms live, and three failures before that, is %d ms', (liveMs, expected) => {
    const all = destination();
    waits(all, 3, () => all.serve('closed', 'Gone.'));
    const [wait] = waits(all, 1, () => {
      all.serve('live');
      all.clock.advance(liveMs);
      all.serve('closed', 'Gone.');
    });
    expect(wait).toBe(expected);
  });

  test('does not count as carried the time for which the server took nothing', () => {
    const all = destination();
    waits(all, 5, () => all.serve('closed', 'Gone.'));
    all.serve('live');
    playFor(all, 3);
    all.last().isBlocked = true;
    for (let step = 0; all.destination.report.state !== 'stalled' && step < 100; step++) playFor(all, 0.1);
    const [wait] = waits(all, 1, () => {
      while (all.destination.report.state === 'stalled') playFor(all, 0.1);
    });
    // It was live for 3 s, and for the time in which the standstill was not noticed; at most 6 s.
    expect(wait).toBeGreaterThan(2_000);
    expect(wait).toBeLessThanOrEqual(3_000);
  });

  test('goes on for as long as the network fails', () => {
    const all = destination();
    waits(all, 100, () => all.serve('closed', 'Nothing listens.'));
    expect([all.destination.report.retries, all.failures]).toEqual([100, []]);
  });
});

describe('refused', () => {
  /** Refuses each attempt for so long. */
  function refuseFor({ clock, serve, connections }: ReturnType<typeof destination>, ms: number): void {
    const until = clock.now() + ms;
    serve('refused', ...BAD_NAME);
    for (let count = connections.length; clock.now() < until; clock.advance(1)) {
      if (connections.length > count) {
        count = connections.length;
        serve('refused', ...BAD_NAME);
      }
    }
  }

  test('at first, since the key is still held, and then taken', () => {
    const { destination: one, clock, serve, connections, last, feed } = live();
    serve('closed', 'The connection was lost.');
    clock.advance(500);
    serve('refused', ...BAD_NAME);
    expect(one.report).toMatchObject({ state: 'waiting', reason: BAD_NAME.join(': ') });
    clock.advance(1_000);
    serve('live');
    feed.play('vk3000');
    expect([connections.length, last().written]).toEqual([3, 'v2000']);
    expect(one.report).toMatchObject({ state: 'live', reason: '', retries: 2, uptimeMs: 0 });
  });

  test('for two minutes it gives up', () => {
    const all = destination();
    refuseFor(all, 119_000);
    expect([all.destination.report.state, all.failures]).toEqual(['waiting', []]);
    refuseFor(all, 31_000);
    const reason = BAD_NAME.join(': ');
    expect(all.destination.report).toMatchObject({ state: 'failed', reason });
    expect([all.failures, all.clock.pending, all.feed.listeners]).toEqual([[reason], 0, 0]);
    expect(all.changes.at(-1)).toBe('failed');
    const { length } = all.connections;
    all.clock.advance(600_000);
    expect(all.connections).toHaveLength(length);
  });

  test.each<[string, (all: ReturnType<typeof destination>) => void]>([
    ['live', ({ serve }) => serve('live')],
    ['lost to the network', () => {}],
  ])('with one attempt in between that is %s it goes on', (_, happen) => {
    const all = destination();
    refuseFor(all, 110_000);
    for (const { length } = all.connections; all.connections.length === length; ) all.clock.advance(1);
    happen(all);
    all.serve('closed', 'Gone.');
    for (const { length } = all.connections; all.connections.length === length; ) all.clock.advance(1);
    refuseFor(all, 80_000);
    expect([all.destination.report.state, all.failures]).toEqual(['waiting', []]);
  });

  test('while it is live, it tries again', () => {
    const { destination: one, serve, feed, clock } = live();
    clock.advance(5_000);
    serve('refused', 'NetStream.Publish.Failed', 'The event is over.');
    expect(one.report).toMatchObject({
      state: 'waiting',
      reason: 'NetStream.Publish.Failed: The event is over.',
      uptimeMs: 0,
    });
    expect(feed.listeners).toBe(0);
  });
});

describe('ended', () => {
  test.each<[DeliveryState, string[], (all: ReturnType<typeof destination>) => void]>([
    ['connecting', ['destroy'], () => {}],
    ['live', ['finish'], ({ serve }) => serve('live')],
    [
      'stalled',
      ['description 1280', 'finish'],
      (all) => {
        all.serve('live');
        all.last().isBlocked = true;
        all.feed.play('vk1000', 200_000);
        all.feed.play('a1010');
        all.clock.advance(2_500);
      },
    ],
    [
      'behind',
      ['description 1280', 'finish'],
      (all) => {
        all.serve('live');
        takeFor(all, 20, 200_000);
      },
    ],
    ['waiting', ['destroy'], ({ serve }) => serve('closed', 'Gone.')],
    ['failed', ['destroy'], ({ serve }) => serve('hopeless', 'No.')],
  ])('while it is %s it does %j and leaves nothing', (state, expected, prepare) => {
    const all = destination();
    prepare(all);
    const { destination: one, clock, feed, connections, changes, last } = all;
    expect(one.report.state).toBe(state);
    const { length } = changes;
    one.end();
    one.end();
    expect(last().sent.filter((one) => !/^[va]\d/.test(one))).toEqual(expected);
    expect([clock.pending, feed.listeners]).toEqual([0, 0]);
    for (const action of [() => last().events.live(), () => last().events.drained()]) action();
    last().events.closed('Gone.');
    last().events.refused(...BAD_NAME);
    clock.advance(120_000);
    expect([connections.length, changes.length, clock.pending]).toEqual([1, length, 0]);
  });

  test('by whoever hears that it failed', () => {
    const feed = new FakeFeed();
    const clock = new FakeClock();
    let connection: FakeConnection | undefined;
    const reasons: string[] = [];
    const one: Destination = new Destination({
      feed,
      clock,
      maxLatenessMs: MAX_LATENESS_MS,
      random: () => 0,
      connect: (events) => (connection = new FakeConnection(events)),
      onChange: () => one.end(),
      onFailed: (reason) => reasons.push(reason),
      log: createLogger('silent'),
    });
    connection!.events.hopeless('No.');
    expect([reasons, clock.pending]).toEqual([['No.'], 0]);
  });
});
