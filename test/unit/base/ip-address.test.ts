import { expect, test } from 'vitest';
import { LocalAddresses, plainAddress } from '../../../src/base/ip-address.ts';
import { FakeClock } from '../support/fake-clock.ts';

type Interfaces = NonNullable<ReturnType<typeof import('node:os').networkInterfaces>>;

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
])('%s is %s', (address, expected) => {
  expect(plainAddress(address)).toBe(expected);
});

function interfacesOf(...cidrs: string[]): Interfaces {
  const list = cidrs.map((cidr) => {
    const [address = ''] = cidr.split('/');
    const internal = address === '127.0.0.1' || address === '::1';
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    return { address, cidr, internal, family, netmask: '', mac: '', scopeid: 0 };
  });
  return { any: list } as unknown as Interfaces;
}

const HOST = interfacesOf(
  '127.0.0.1/8',
  '192.0.2.5/24',
  '10.0.0.5/8',
  '::1/128',
  'fe80::5/64',
  '2001:db8::5/64',
);

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['192.0.2.9', '192.0.2.5'],
  ['10.9.9.9', '10.0.0.5'],
  ['203.0.113.1', '192.0.2.5'],
  ['::1', '::1'],
  ['fe80::9', 'fe80::5'],
  ['2001:db8::9', '2001:db8::5'],
  ['2001:db9::9', '2001:db8::5'],
])('%s sees us as %s', (peer, expected) => {
  expect(new LocalAddresses(() => HOST, new FakeClock()).towards(peer)).toBe(expected);
});

test('without any other address it is loopback', () => {
  const addresses = new LocalAddresses(() => ({}), new FakeClock());
  expect(addresses.towards('203.0.113.1')).toBe('127.0.0.1');
  expect(addresses.towards('2001:db8::1')).toBe('::1');
});

test('interfaces are read again after 10 s', () => {
  const clock = new FakeClock();
  let current = interfacesOf('192.0.2.5/24');
  const addresses = new LocalAddresses(() => current, clock);
  expect(addresses.towards('203.0.113.1')).toBe('192.0.2.5');
  current = interfacesOf('192.0.2.6/24');
  clock.advance(10_000);
  expect(addresses.towards('203.0.113.1')).toBe('192.0.2.5');
  clock.advance(1);
  expect(addresses.towards('203.0.113.1')).toBe('192.0.2.6');
});
