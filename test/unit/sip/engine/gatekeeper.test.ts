import { describe, expect, test } from 'vitest';
import { Gatekeeper, type GatekeeperOptions } from '../../../../gateways/sip/engine/gatekeeper.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function keeper(options: Partial<GatekeeperOptions> = {}, clock = new FakeClock()): Gatekeeper {
  const all = { allow: ['0.0.0.0/0', '::/0'], messagesPerSecond: 10, callsPerSecond: 1, maxCalls: 100 };
  return new Gatekeeper({ ...all, ...options }, clock);
}

/** How many of `tries` are let through. */
function countOf(tries: number, take: () => boolean): number {
  return Array.from({ length: tries }, take).filter(Boolean).length;
}

describe('the list', () => {
  test.each<[string[], string, boolean]>([
    [[], '127.0.0.1', false],
    [['192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.1'], '192.0.2.2', false],
    [['192.0.2.1'], '::ffff:192.0.2.1', true],
    [['::ffff:192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.0/24'], '192.0.2.255', true],
    [['192.0.2.0/24'], '192.0.3.0', false],
    [['192.0.2.7/24'], '192.0.2.1', true],
    [['192.0.2.0/24'], '::ffff:192.0.2.9', true],
    [['192.0.2.1/32'], '192.0.2.1', true],
    [['0.0.0.0/0'], '203.0.113.9', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['::/0'], '203.0.113.9', false],
    [['2001:db8::/32'], '2001:DB8:0:1::5', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['2001:db8::1'], '2001:db8:0:0::1', true],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['loopback'], '127.0.0.1', true],
    [['loopback'], '127.255.0.9', true],
    [['loopback'], '::1', true],
    [['loopback'], '::ffff:127.0.0.1', true],
    [['loopback'], '128.0.0.1', false],
    [['192.0.2.1', 'loopback'], '127.0.0.1', true],
    [['0.0.0.0/0', '::/0'], 'example.org', false],
    [['0.0.0.0/0', '::/0'], '', false],
  ])('%j: %s is listened to: %s', (allow, address, expected) => {
    const gatekeeper = keeper({ allow });
    expect(gatekeeper.admits(address)).toBe(expected);
    expect(gatekeeper.counters.unlisted).toBe(expected ? 0 : 1);
  });

  test.each([
    '',
    'example.org',
    '192.0.2',
    '192.0.2.1/33',
    '192.0.2.1/',
    '192.0.2.1/-1',
    '::1/129',
    '10.0.0.0/8/8',
    '*',
  ])('%j is refused', (entry) => {
    expect(() => keeper({ allow: ['loopback', entry] })).toThrow(
      `"${entry}" is neither an address nor a network such as 10.0.0.0/8`,
    );
  });

  test('can be replaced while it is in use', () => {
    const gatekeeper = keeper({ allow: ['192.0.2.1'] });
    gatekeeper.setAllow(['192.0.2.2']);
    expect(gatekeeper.admits('192.0.2.1')).toBe(false);
    expect(gatekeeper.admits('192.0.2.2')).toBe(true);
  });

  test('stays as it is when its replacement is malformed', () => {
    const gatekeeper = keeper({ allow: ['192.0.2.1'] });
    expect(() => gatekeeper.setAllow(['192.0.2.2', 'x'])).toThrow();
    expect(gatekeeper.admits('192.0.2.1')).toBe(true);
    expect(gatekeeper.admits('192.0.2.2')).toBe(false);
  });
});

describe('rates', () => {
  test('of messages: twice the rate at once, then the rate', () => {
    const clock = new FakeClock();
    const gatekeeper = keeper({}, clock);
    const take = () => gatekeeper.admits('192.0.2.1');
    expect(countOf(50, take)).toBe(20);
    clock.advance(1_000);
    expect(countOf(50, take)).toBe(10);
    expect(gatekeeper.counters).toEqual({ unlisted: 0, overRate: 70, overCallRate: 0 });
  });

  test('of calls', () => {
    const clock = new FakeClock();
    const gatekeeper = keeper({}, clock);
    const take = () => gatekeeper.admitsCall('192.0.2.1');
    expect(countOf(5, take)).toBe(2);
    clock.advance(1_000);
    expect(countOf(5, take)).toBe(1);
    expect(gatekeeper.counters).toEqual({ unlisted: 0, overRate: 0, overCallRate: 7 });
  });

  test('a rate below one a second still lets one through', () => {
    const clock = new FakeClock();
    const gatekeeper = keeper({ callsPerSecond: 0.1 }, clock);
    const take = () => gatekeeper.admitsCall('192.0.2.1');
    expect(countOf(5, take)).toBe(1);
    clock.advance(10_000);
    expect(countOf(5, take)).toBe(1);
  });

  test('are by address, however it is written', () => {
    const gatekeeper = keeper();
    expect(countOf(50, () => gatekeeper.admits('192.0.2.1'))).toBe(20);
    expect(countOf(50, () => gatekeeper.admits('::ffff:192.0.2.1'))).toBe(0);
    expect(countOf(50, () => gatekeeper.admits('192.0.2.2'))).toBe(20);
  });

  test('who is not listed costs no memory, and who was silent the longest is forgotten first', () => {
    const gatekeeper = keeper({ allow: ['10.0.0.0/8'] });
    const exhaust = (address: string) => countOf(50, () => gatekeeper.admits(address));
    exhaust('10.1.0.1');
    exhaust('10.1.0.2');
    for (let peer = 0; peer < 9_998; peer++) gatekeeper.admits(`10.2.${peer >> 8}.${peer & 255}`);
    for (let peer = 0; peer < 256; peer++) gatekeeper.admits(`11.0.0.${peer}`);
    // The table is full now. The first is heard of again; then one more comes.
    expect(gatekeeper.admits('10.1.0.1')).toBe(false);
    gatekeeper.admits('10.3.0.1');
    expect(gatekeeper.admits('10.1.0.1')).toBe(false);
    expect(gatekeeper.admits('10.1.0.2')).toBe(true);
  });
});
