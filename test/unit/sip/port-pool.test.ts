import { expect, test } from 'vitest';
import { PortPool } from '../../../gateways/sip/port-pool.ts';
import { FakeClock } from '../support/fake-clock.ts';

function poolOf(min: number, max: number, drainMs?: number) {
  const clock = new FakeClock();
  return { clock, pool: new PortPool({ min, max, drainMs }, clock) };
}

function takeAll(pool: PortPool): number[] {
  const ports: number[] = [];
  for (let pair = pool.take(); pair; pair = pool.take()) ports.push(pair.rtpPort);
  return ports;
}

test.each([
  [40_000, 40_005, [40_000, 40_002, 40_004]],
  [40_001, 40_006, [40_002, 40_004]],
  [40_000, 40_001, [40_000]],
  [40_001, 40_002, []],
  [40_000, 40_000, []],
  [65_532, 65_535, [65_532, 65_534]],
])('%i to %i has the pairs from %j', (min, max, expected) => {
  expect(takeAll(poolOf(min, max).pool)).toEqual(expected);
});

test.each([
  [0, 40_000],
  [0.5, 40_004],
  [0.99, 40_006],
])('beginning at %d of the range, %i comes first, and all come once', (beginAt, first) => {
  const ports = takeAll(new PortPool({ min: 40_000, max: 40_007, beginAt }, new FakeClock()));
  expect(ports[0]).toBe(first);
  expect(ports.sort()).toEqual([40_000, 40_002, 40_004, 40_006]);
});

test('RTCP has the odd port after', () => {
  expect(poolOf(40_000, 40_010).pool.take()).toEqual({ rtpPort: 40_000, rtcpPort: 40_001 });
});

test('a pair rests for 10 s after its call', () => {
  const { pool, clock } = poolOf(40_000, 40_001);
  pool.release(pool.take()!);
  clock.advance(9_999);
  expect(pool.take()).toBeUndefined();
  clock.advance(1);
  expect(pool.take()?.rtpPort).toBe(40_000);
});

test('it may rest for another time, or not at all', () => {
  const { pool, clock } = poolOf(40_000, 40_001, 500);
  pool.release(pool.take()!);
  expect(pool.take()).toBeUndefined();
  clock.advance(500);
  expect(pool.take()).toBeDefined();
  const eager = poolOf(40_000, 40_001, 0).pool;
  eager.release(eager.take()!);
  expect(eager.take()).toBeDefined();
});

test('the pair that was unused for longest is taken first', () => {
  const { pool, clock } = poolOf(40_000, 40_007);
  const [first, second, third] = [pool.take()!, pool.take()!, pool.take()!];
  for (const pair of [second, first, third]) {
    pool.release(pair);
    clock.advance(1000);
  }
  clock.advance(10_000);
  expect(takeAll(pool)).toEqual([40_006, 40_002, 40_000, 40_004]);
});

test('a pair that somebody else holds is tried again after a minute', () => {
  const { pool, clock } = poolOf(40_000, 40_003);
  const [held, good] = [pool.take()!, pool.take()!];
  pool.discard(held);
  pool.release(good);
  clock.advance(59_999);
  expect(takeAll(pool)).toEqual([40_002]);
  clock.advance(1);
  expect(takeAll(pool)).toEqual([40_000]);
});

test('pairs that were good go before those that were not', () => {
  const { pool, clock } = poolOf(40_000, 40_003);
  const [held, good] = [pool.take()!, pool.take()!];
  pool.discard(held);
  clock.advance(70_000);
  pool.release(good);
  clock.advance(10_000);
  expect(takeAll(pool)).toEqual([40_002, 40_000]);
});

test('giving back what is not in use is a mistake', () => {
  const { pool, clock } = poolOf(40_000, 40_003);
  const pair = pool.take()!;
  pool.release(pair);
  expect(() => pool.release(pair)).toThrow('40000');
  expect(() => pool.discard(pair)).toThrow('40000');
  expect(() => pool.release({ rtpPort: 40_002, rtcpPort: 40_003 })).toThrow('40002');
  clock.advance(10_000);
  expect(takeAll(pool)).toEqual([40_002, 40_000]);
});

test('nothing is lost and nothing is doubled over many calls', () => {
  const { pool, clock } = poolOf(40_000, 40_019);
  const inUse: { rtpPort: number; rtcpPort: number }[] = [];
  for (let call = 0; call < 1000; call++) {
    const pair = pool.take();
    if (pair) inUse.push(pair);
    expect(new Set(inUse.map(({ rtpPort }) => rtpPort)).size).toBe(inUse.length);
    if (!pair || call % 3 === 0) {
      const ended = inUse.splice((call * 7) % inUse.length, 1)[0]!;
      if (call % 5 === 0) pool.discard(ended);
      else pool.release(ended);
    }
    clock.advance(2500);
  }
  clock.advance(60_000);
  expect(inUse.length + takeAll(pool).length).toBe(10);
});
