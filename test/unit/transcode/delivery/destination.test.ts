import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../signals/random.ts';
import { BAD_NAME, destination, live, playFor } from './destination-bench.ts';
import type { FakeConnection } from './fake-connection.ts';
import { AUDIO, FakeFeed, VIDEO, videoFormat } from './program.ts';

describe('the first connection', () => {
  test('begins with a description and what the program has kept, at time 0', () => {
    const feed = new FakeFeed();
    feed.play('vk5000 a5010 v5033 a5031');
    const { destination: one, last, serve, changes } = destination({ feed });
    expect([one.report.state, one.report.reason, feed.listeners]).toEqual(['connecting', '', 0]);
    serve('live');
    expect(last().sent).toEqual(['description 1280', 'v0', 'a10', 'v33', 'a31']);
    feed.play('v5066 a5053');
    expect(last().sent.slice(5)).toEqual(['v66', 'a53']);
    expect([one.report.state, changes]).toEqual(['live', ['live']]);
  });

  test('waits for a key frame when the program has kept none', () => {
    const { feed, last, serve } = destination();
    serve('live');
    feed.play('a100 v100');
    expect(last().sent).toEqual([]);
    feed.play('vk200 a190 a210 v233');
    // Audio from before the key frame is left out.
    expect(last().sent).toEqual(['description 1280', 'v0', 'a10', 'v33']);
  });

  test('is given the very units of the program, each with its format', () => {
    const { feed, last } = live();
    expect(last().formats).toEqual([VIDEO, AUDIO]);
    feed.play('v1033 a1021');
    feed.played.video = videoFormat();
    feed.play('vk1066 a1042');
    expect(last().units.slice(-2)).toEqual(feed.recent);
    expect(last().units.at(-1)).toBe(feed.recent.at(-1));
    const formats = last().units.map(({ format }) => format);
    expect(formats.map((format) => [VIDEO, AUDIO, feed.played.video].indexOf(format as never))).toEqual([
      0, 1, 0, 1, 2, 1,
    ]);
    expect(last().written).toBe('v0 a0 v33 a21 v66 a42');
  });
});

describe('the origin of its time', () => {
  test('is told once something was sent, and stays over all connections', () => {
    const { destination: one, serve, feed, clock } = destination();
    expect(one.report.originUs).toBeUndefined();
    serve('live');
    expect(one.report.originUs).toBeUndefined();
    feed.play('vk1000');
    expect(one.report.originUs).toBe(1_000_000);
    serve('closed', 'Gone.');
    clock.advance(500);
    serve('live');
    feed.play('vk3000');
    expect(one.report.originUs).toBe(1_000_000);
  });

  test('is that of its predecessor where the delivery goes on in another process', () => {
    const { destination: one, last } = live({ originUs: 400_000 });
    expect(last().written).toBe('v600 a600');
    expect(one.report.originUs).toBe(400_000);
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
    events.hopeless('Too late.');
    events.redirected('rtmp://late.example/live/{***}');
    expect([one.report.state, one.report.reason]).toEqual([
      'waiting',
      'The server did not let us publish within 10 s.',
    ]);
    expect(one.report.redirectedTo).toBeUndefined();
  });
});

test('a destination that can never be reached is given up at once', () => {
  const { destination: one, serve, failures, clock, changes } = destination();
  serve('hopeless', 'The address 10.0.0.1 is private: allow it with outputs.allow.');
  const reason = 'The address 10.0.0.1 is private: allow it with outputs.allow.';
  expect(one.report).toMatchObject({ state: 'failed', reason });
  expect([failures, changes, clock.pending]).toEqual([[reason], ['failed'], 0]);
});

test('where the server sends us is told, and the attempt goes on', () => {
  const { destination: one, serve, changes, connections, clock } = destination();
  serve('redirected', 'rtmp://edge.example/live/{***}');
  expect(one.report).toMatchObject({ state: 'connecting', redirectedTo: 'rtmp://edge.example/live/{***}' });
  expect([changes, connections.length]).toEqual([['figures'], 1]);
  serve('live');
  expect(one.report).toMatchObject({ state: 'live', redirectedTo: 'rtmp://edge.example/live/{***}' });
  clock.advance(60_000);
  expect(one.report.state).toBe('live');
});

describe('connected again', () => {
  test('it begins with a description and the next key frame, and time goes on', () => {
    const { serve, clock, feed, last } = live();
    feed.play('v1033 a1021 v1066 a1042');
    expect(last().written).toBe('v0 a0 v33 a21 v66 a42');
    serve('closed', 'Gone.');
    feed.play('v1100 a1064');
    clock.advance(500);
    serve('live');
    // The key frame that is kept was sent already.
    expect(last().sent).toEqual([]);
    feed.play('v1133 a1085 vk3000 a2990 a3011 v3033');
    expect(last().sent).toEqual(['description 1280', 'v2000', 'a2011', 'v2033']);
  });

  test('it begins with a key frame that came meanwhile', () => {
    const { serve, clock, feed, last } = live();
    serve('closed', 'Gone.');
    feed.play('vk3000 a3011 v3033');
    clock.advance(500);
    serve('live');
    expect(last().written).toBe('v2000 a2011 v2033');
  });

  test('no audio is sent twice', () => {
    const { serve, clock, feed, last } = live();
    feed.play('a3005');
    serve('closed', 'Gone.');
    feed.play('vk3000 a3005 a3026');
    clock.advance(500);
    serve('live');
    expect(last().written).toBe('v2000 a2026');
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
    expect(last().written).toBe('v100 a100 v133');
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
    expect(bytesSent).toBe(20 + 200 * 12_500);
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
    expect(one.report.bytesSent).toBe(20);
    last().drain();
    expect(one.report.bytesSent).toBe(50_020);
  });
});
