import { describe, expect, test } from 'vitest';
import { AddressList } from '../../../src/base/address-list.ts';

describe('an address is on a list', () => {
  test.each<[string[], string, boolean]>([
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['192.0.2.7'], '::ffff:192.0.2.7', true],
    [['::ffff:192.0.2.7'], '192.0.2.7', true],
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.0/8'], '::FFFF:10.1.2.3', true],
    [['192.0.2.4/30'], '192.0.2.7', true],
    [['192.0.2.4/30'], '192.0.2.8', false],
    [['192.0.2.5/32'], '192.0.2.5', true],
    [['0.0.0.0/0'], '203.0.113.9', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['2001:DB8::1'], '2001:db8:0:0::1', true],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['loopback'], '127.0.0.1', true],
    [['loopback'], '127.9.9.9', true],
    [['loopback'], '::1', true],
    [['loopback'], '192.0.2.7', false],
    [['192.0.2.7', 'loopback', '10.0.0.0/8'], '10.1.1.1', true],
    [[], '127.0.0.1', false],
    [['0.0.0.0/0', '::/0'], '', false],
    [['0.0.0.0/0', '::/0'], 'localhost', false],
    [['0.0.0.0/0', '::/0'], '1.2.3', false],
  ])('%j: %s: %s', (entries, address, expected) => {
    expect(new AddressList(entries).has(address)).toBe(expected);
  });
});

test.each([
  '',
  'localhost',
  'LOOPBACK',
  'example.org',
  '192.0.2',
  '192.0.2.256',
  ' 192.0.2.7',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8.5',
  '10.0.0.0/8/8',
  '10.0.0.0/255.0.0.0',
  '/8',
  '2001:db8::/129',
  '2001:db8::/1000',
  '*',
])('%j is no entry, and it is said so in words', (entry) => {
  expect(() => new AddressList([entry])).toThrow(
    `"${entry}" is neither an address nor a network such as 10.0.0.0/8`,
  );
});
