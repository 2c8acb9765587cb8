import { describe, expect, test } from 'vitest';
import type { ClientConnectionEvents } from '../../../../gateways/rtmp/client/client-connection.ts';
import { createLogger } from '../../../../src/gateway.ts';
import type { DeliveryState } from '../../../../transcode/delivery/delivery-report.ts';
import { Destination } from '../../../../transcode/delivery/destination.ts';
import { seededRandom } from '../../../signals/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeConnection } from './fake-connection.ts';
import { FakeFeed, packet } from './program.ts';

/** A destination with everything around it. Its waits are the longest: 0.5, 1, 2, 4 s. */
function destination({
  feed = new FakeFeed(),
  random = () => 1,
}: {
  readonly feed?: FakeFeed;
  readonly random?: () => number;
} = {}) {
  const clock = new FakeClock();
  const connections: FakeConnection[] = [];
  const failures: string[] = [];
  /** States as they came, and 'figures'. */
  const changes: string[] = [];
  let state: DeliveryState = 'connecting';
  const one: Destination = new Destination({
    feed,
    clock,
    random,
    connect: (events) => {
      connections.push(new FakeConnection(events));
      return connections.at(-1)!;
    },
    onChange: () => {
      changes.push(one.report.state === state ? 'figures' : one.report.state);
      state = one.report.state;
    },
    onFailed: (reason) => failures.push(reason),
    log: createLogger('silent'),
  });
  const last = () => connections.at(-1)!;
  /** What the server does. */
  const serve = <Name extends keyof ClientConnectionEvents>(
    name: Name,
    ...args: Parameters<ClientConnectionEvents[Name]>
  ) => (last().events[name] as (...all: typeof args) => void)(...args);
  return { destination: one, feed, clock, connections, failures, changes, last, serve };
}

/** It is live, and has sent headers, a key frame and a sound. */
function live(options: Parameters<typeof destination>[0] = {}) {
  const all = destination(options);
  all.serve('live');
  all.feed.play('vk1000 a1000');
  return all;
}

/** Plays for so many seconds: 30 pictures each with a key frame each second one, and sound. */
function playFor({ feed, clock }: ReturnType<typeof destination>, seconds: number, bytes = 10_000): void {
  const from = Math.round(clock.now() + 1_000);
  for (let at = 0; at < seconds * 1000; at += 100) {
    clock.advance(100);
    feed.play(`v${at % 2_000 === 0 ? 'k' : ''}${from + at + 100} a${from + at + 100}`, bytes);
  }
}

const BAD_NAME = ['NetStream.Publish.BadName', 'Stream already publishing'] as const;

describe('the first connection', () => {
  test('begins with metadata, headers and what the program has kept, at time 0', () => {
    const feed = new FakeFeed();
    feed.play('vk5000 a5010 v5033 a5031');
    const { destination: one, last, serve, changes } = destination({ feed });
    expect([one.report.state, one.report.reason, feed.listeners]).toEqual(['connecting', '', 0]);
    serve('live');
    expect(last().sent).toEqual(['metadata 1280', 'v0', 'a0', 'v0', 'a10', 'v33', 'a31']);
    feed.play('v5066 a5053');
    expect(last().sent.slice(7)).toEqual(['v66', 'a53']);
    expect([one.report.state, changes]).toEqual(['live', ['live']]);
  });

  test('waits for a key frame when there is none', () => {
    const { feed, last, serve } = destination();
    serve('live');
    feed.play('a100 v100 vc150');
    expect(last().sent).toEqual([]);
    feed.play('vk200 a190 a210 v233');
    // A sound from before the picture is left out.
    expect(last().sent).toEqual(['metadata 1280', 'v0', 'a0', 'v0', 'a10', 'v33']);
  });

  test('sends nothing before it is known how to decode the picture', () => {
    const feed = new FakeFeed();
    feed.videoConfig = undefined;
    feed.recent = [packet('vk100')];
    const { last, serve } = destination({ feed });
    serve('live');
    feed.play('vk200 v233');
    expect(last().sent).toEqual([]);
    feed.play('vc300 vk300');
    expect(last().sent).toEqual(['metadata 1280', 'v0', 'a0', 'v0']);
  });

  test('sends no sound before it is known how to decode that', () => {
    const feed = new FakeFeed();
    feed.audioConfig = undefined;
    const { last, serve } = destination({ feed });
    serve('live');
    feed.play('vk100 a110 ac120 a131');
    expect(last().sent).toEqual(['metadata 1280', 'v0', 'v0', 'a20', 'a31']);
  });

  test('passes a change of headers on where it comes', () => {
    const { feed, last } = live();
    feed.play('v1033 vc1066 vk1066');
    expect(last().written).toBe('v0 a0 v0 a0 v33 v66 v66');
  });
});

describe('an attempt that fails', () => {
  test.each<[string, (all: ReturnType<typeof destination>) => void, string]>([
    ['is closed', ({ serve }) => serve('closed', 'Nothing listens.'), 'Nothing listens.'],
    ['is refused', ({ serve }) => serve('refused', ...BAD_NAME), BAD_NAME.join(': ')],
    ['is refused by a code', ({ serve }) => serve('refused', 'No.Thanks', ''), 'No.Thanks'],
    ['is refused by words', ({ serve }) => serve('refused', '', 'no thanks'), 'no thanks'],
    [
      'is refused without a word',
      ({ serve }) => serve('refused', '', ''),
      'The server refused, and did not say why.',
    ],
    [
      'takes too long',
      ({ clock }) => clock.advance(10_000),
      'The server did not let us publish within 10 s.',
    ],
  ])('because it %s, is followed by another', (_, happen, reason) => {
    const all = destination();
    const { destination: one, clock, connections, changes } = all;
    happen(all);
    expect([one.report.state, one.report.reason, one.report.retries]).toEqual(['waiting', reason, 0]);
    expect([connections.length, connections[0]!.sent, clock.pending]).toEqual([1, ['destroy'], 1]);
    clock.advance(499);
    expect(connections).toHaveLength(1);
    clock.advance(1);
    expect([connections.length, one.report.state, one.report.reason]).toEqual([2, 'connecting', reason]);
    expect([one.report.retries, one.report.lastRetryAt]).toEqual([1, clock.wallClock()]);
    expect(changes).toEqual(['waiting', 'connecting']);
  });

  test('is given 10 s', () => {
    const { destination: one, clock, serve } = destination();
    clock.advance(9_999);
    expect(one.report.state).toBe('connecting');
    serve('live');
    clock.advance(60_000);
    expect(one.report.state).toBe('live');
  });

  test('says nothing any more once it is over', () => {
    const { destination: one, connections, clock } = destination();
    clock.advance(10_000);
    const [{ events }] = connections as [FakeConnection];
    events.live();
    events.refused(...BAD_NAME);
    events.drained();
    events.closed('Too late.');
    events.notPermitted('Too late.');
    expect([one.report.state, one.report.reason]).toEqual([
      'waiting',
      'The server did not let us publish within 10 s.',
    ]);
  });
});

describe('the wait', () => {
  const waits = (all: ReturnType<typeof destination>, count: number, attempt: () => void) =>
    Array.from({ length: count }, () => {
      attempt();
      const { clock, connections } = all;
      const from = clock.now();
      for (const before = connections.length; connections.length === before; ) clock.advance(1);
      return clock.now() - from;
    });

  test('grows, by chance between half and the whole', () => {
    const all = destination({ random: seededRandom(5) });
    const found = waits(all, 10, () => all.serve('closed', 'Gone.'));
    const longest = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000];
    expect(found.filter((wait, index) => wait < longest[index]! / 2 || wait > longest[index]!)).toEqual([]);
    expect(new Set(found.slice(6)).size).toBeGreaterThan(1);
  });

  test('grows for a server that lets us in and closes each second', () => {
    const all = destination();
    const found = waits(all, 5, () => {
      all.serve('live');
      all.clock.advance(1_000);
      all.serve('closed', 'Gone.');
    });
    expect(found).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  test.each<[number, number]>([
    [9_999, 4_000],
    [10_000, 500],
  ])('after %d ms live is %d ms', (liveMs, expected) => {
    const all = destination();
    waits(all, 3, () => all.serve('closed', 'Gone.'));
    const [wait] = waits(all, 1, () => {
      all.serve('live');
      all.clock.advance(liveMs);
      all.serve('closed', 'Gone.');
    });
    expect(wait).toBe(expected);
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
    expect([connections.length, last().written]).toEqual([3, 'v2000 a2000 v2000']);
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

test('an address that is not permitted is given up at once', () => {
  const { destination: one, serve, failures, clock, changes } = destination();
  serve('notPermitted', 'The address 10.0.0.1 is private: allow it with outputs.allow.');
  const reason = 'The address 10.0.0.1 is private: allow it with outputs.allow.';
  expect(one.report).toMatchObject({ state: 'failed', reason });
  expect([failures, changes, clock.pending]).toEqual([[reason], ['failed'], 0]);
});

describe('connected again', () => {
  test('it begins with headers and the next key frame, and time goes on', () => {
    const { serve, clock, feed, last } = live();
    feed.play('v1033 a1021 v1066 a1042');
    expect(last().written).toBe('v0 a0 v0 a0 v33 a21 v66 a42');
    serve('closed', 'Gone.');
    feed.play('v1100 a1064');
    clock.advance(500);
    serve('live');
    // The key frame that is kept was sent already.
    expect(last().sent).toEqual([]);
    feed.play('v1133 a1085 vk3000 a2990 a3011 v3033');
    expect(last().sent).toEqual(['metadata 1280', 'v2000', 'a2000', 'v2000', 'a2011', 'v2033']);
  });

  test('it begins with a key frame that came meanwhile', () => {
    const { serve, clock, feed, last } = live();
    serve('closed', 'Gone.');
    feed.play('vk3000 a3011 v3033');
    clock.advance(500);
    serve('live');
    expect(last().written).toBe('v2000 a2000 v2000 a2011 v2033');
  });

  test('no sound is sent twice', () => {
    const { serve, clock, feed, last } = live();
    feed.play('a3005');
    serve('closed', 'Gone.');
    feed.play('vk3000 a3005 a3026');
    clock.advance(500);
    serve('live');
    expect(last().written).toBe('v2000 a2005 v2000 a2026');
  });

  test('it does not send what waited for the one before', () => {
    const { serve, clock, feed, last } = live();
    last().isBlocked = true;
    feed.play('v1033', 200_000);
    feed.play('v1066 a1066 vk1100 a1100');
    serve('closed', 'Gone.');
    clock.advance(500);
    serve('live');
    feed.play('v1133');
    // The key frame that waited was never sent, so that it is a new one.
    expect(last().written).toBe('v100 a100 v100 a100 v133');
  });

  test('acknowledgements are counted from 0 again', () => {
    const all = live();
    const acknowledgeFor = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        playFor(all, 1, 20_000);
        all.last().acknowledges = true;
        all.last().bytesAcknowledged = all.last().bytesSent;
      }
    };
    acknowledgeFor(60);
    all.serve('closed', 'Gone.');
    playFor(all, 0.5);
    all.serve('live');
    acknowledgeFor(10);
    expect(all.destination.report.state).toBe('live');
    playFor(all, 6, 20_000);
    expect(all.destination.report.state).toBe('stalled');
  });

  test('time never goes back, whatever happens', () => {
    const random = seededRandom(11);
    const all = destination({ random });
    all.serve('live');
    let ms = 0;
    for (let step = 0; step < 5_000; step++) {
      ms += Math.floor(random() * 40);
      all.feed.play(random() < 0.05 ? `vk${ms}` : random() < 0.5 ? `v${ms}` : `a${ms}`, 8_000);
      if (random() < 0.02) all.last().isBlocked = true;
      if (random() < 0.05 && all.last().isBlocked) all.last().drain();
      all.clock.advance(20);
      if (random() < 0.01 && all.destination.report.state === 'live') all.serve('closed', 'Gone.');
      if (all.destination.report.state === 'connecting') all.serve('live');
    }
    const used = all.connections.filter(({ written }) => written !== '');
    expect(used.length).toBeGreaterThan(5);
    for (const kind of ['v', 'a']) {
      const times = used.flatMap(({ written }) =>
        written.split(' ').flatMap((one) => (one[0] === kind ? [Number(one.slice(1))] : [])),
      );
      expect(times.filter((time, index) => time < (times[index - 1] ?? 0))).toEqual([]);
    }
  });
});

describe('a server that takes too little', () => {
  test('is given no more than the socket may hold; the rest waits and follows', () => {
    const { feed, last } = live();
    last().isBlocked = true;
    feed.play('v1010 v1020', 100_000);
    expect(last().queuedBytes).toBe(200_000);
    feed.play('v1030 a1030', 1_000);
    expect(last().queuedBytes).toBe(200_000);
    last().drain();
    expect(last().written).toBe('v0 a0 v0 a0 v10 v20 v30 a30');
  });

  test('misses pictures up to a key frame, which are counted', () => {
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
    expect(last().written).toBe('v0 a0 v0 a0 v100 a2100 a2300 a2400 v2500 v2533');
    expect(one.report.framesDropped).toBe(5);
  });

  test('for 2 s is stalled, and live again when it takes something', () => {
    const all = live();
    const { destination: one, last, changes } = all;
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
    expect(one.report).toMatchObject({ state: 'live', reason: '' });
    expect(changes.filter((change) => change !== 'figures')).toEqual(['live', 'stalled', 'live']);
    expect(all.connections).toHaveLength(1);
  });

  test('for 10 s more is left', () => {
    const all = live();
    const { destination: one, last, connections, changes, feed } = all;
    last().isBlocked = true;
    for (let step = 0; one.report.state !== 'stalled' && step < 100; step++) playFor(all, 0.1);
    playFor(all, 9.9);
    expect([one.report.state, connections.length]).toEqual(['stalled', 1]);
    playFor(all, 0.6);
    expect([connections[0]!.sent.at(-1), feed.listeners]).toEqual(['destroy', 0]);
    expect(one.report.reason).toBe('The server took nothing for 10 s.');
    playFor(all, 0.5);
    expect(changes.filter((change) => change !== 'figures')).toEqual([
      'live',
      'stalled',
      'waiting',
      'connecting',
    ]);
  });

  test('and no longer acknowledges is stalled although the socket still takes all', () => {
    const all = live();
    const { destination: one, last } = all;
    const acknowledge = () => {
      last().acknowledges = true;
      last().bytesAcknowledged = last().bytesSent;
    };
    for (let second = 0; second < 4; second++) {
      playFor(all, 1, 20_000);
      acknowledge();
    }
    playFor(all, 5, 20_000);
    expect(one.report.state).toBe('live');
    playFor(all, 1, 20_000);
    expect(one.report).toMatchObject({
      state: 'stalled',
      reason: 'The server no longer acknowledges what is sent to it.',
    });
    expect(last().queuedBytes).toBe(0);
    acknowledge();
    playFor(all, 1, 20_000);
    expect(one.report.state).toBe('live');
  });

  test('but a server that never acknowledges is not stalled', () => {
    const all = live();
    playFor(all, 60, 20_000);
    expect(all.changes.filter((change) => change !== 'figures')).toEqual(['live']);
  });
});

describe('figures', () => {
  test('are told once a second', () => {
    const { clock, changes } = live();
    clock.advance(10_000);
    expect(changes).toEqual(['live', ...new Array(10).fill('figures')]);
  });

  test('are of the last seconds, and of all connections', () => {
    const all = live();
    const { destination: one, serve, clock } = all;
    playFor(all, 10, 12_500); // 20 packets a second
    expect(one.report.bitrateBps).toBe(2_000_000);
    expect(one.report.uptimeMs).toBe(10_000);
    const { bytesSent } = one.report;
    expect(bytesSent).toBe(40 + 200 * 12_500);
    serve('closed', 'Gone.');
    expect(one.report).toMatchObject({ bitrateBps: 0, bytesSent, uptimeMs: 0 });
    clock.advance(500);
    serve('live');
    expect(one.report).toMatchObject({ bitrateBps: 0, bytesSent, uptimeMs: 0 });
  });

  test('count what left, not what waits in the socket', () => {
    const { destination: one, last, feed } = live();
    last().isBlocked = true;
    feed.play('v1033', 50_000);
    expect(one.report.bytesSent).toBe(40);
    last().drain();
    expect(one.report.bytesSent).toBe(50_040);
  });
});

describe('ended', () => {
  test.each<[DeliveryState, string[], (all: ReturnType<typeof destination>) => void]>([
    ['connecting', ['destroy'], () => {}],
    ['live', ['finish'], ({ serve }) => serve('live')],
    [
      'stalled',
      ['metadata 1280', 'v0', 'a0', 'v0', 'finish'],
      (all) => {
        all.serve('live');
        all.last().isBlocked = true;
        all.feed.play('vk1000', 200_000);
        all.feed.play('a1010');
        all.clock.advance(2_500);
      },
    ],
    ['waiting', ['destroy'], ({ serve }) => serve('closed', 'Gone.')],
    ['failed', ['destroy'], ({ serve }) => serve('notPermitted', 'No.')],
  ])('while it is %s it does %j and leaves nothing', (state, expected, prepare) => {
    const all = destination();
    prepare(all);
    const { destination: one, clock, feed, connections, changes, last } = all;
    expect(one.report.state).toBe(state);
    const { length } = changes;
    one.end();
    one.end();
    expect(last().sent).toEqual(expected);
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
      random: () => 0,
      connect: (events) => (connection = new FakeConnection(events)),
      onChange: () => one.end(),
      onFailed: (reason) => reasons.push(reason),
      log: createLogger('silent'),
    });
    connection!.events.notPermitted('No.');
    expect([reasons, clock.pending]).toEqual([['No.'], 0]);
  });
});
