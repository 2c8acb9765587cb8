import { describe, expect, test } from 'vitest';
import { PermittedAddresses } from '../../../src/base/permitted-addresses.ts';

const permits = (ip: string, allow: readonly string[] = [], everything = false) =>
  new PermittedAddresses({ everything, allow }).permits(ip);

const PUBLIC = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '2001:4860:4860::8888',
  '2001:200::1',
  '::ffff:1.1.1.1',
  '::ffff:101:101',
  '64:ff9b::1.1.1.1',
  '64:ff9b::808:808',
];

const SPECIAL = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fec0::1',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '100::1',
  '2001:db8::1',
  '2001::1',
  '2001:1::1',
  '2002:7f00:1::',
  '2002:0101:0101::',
  '3fff::1',
  '4000::1',
  '64:ff9b:1::1.1.1.1',
  '::ffff:10.0.0.1',
  '::FFFF:10.0.0.1',
  '::ffff:a00:1',
  '0:0:0:0:0:ffff:10.0.0.1',
  '0000:0000:0000:0000:0000:ffff:7f00:0001',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '::ffff:0.0.0.0',
  '64:ff9b::10.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b::a9fe:a9fe',
  '0064:ff9b:0:0:0:0:127.0.0.1',
];

const NONE = ['', 'localhost', 'example.com', '10.0.0', '1.1.1.1.1', '0x7f000001', '[::1]', '1.1.1.1 ', '%'];

test.each(PUBLIC)('public: %s', (ip) => expect(permits(ip)).toBe(true));
test.each(SPECIAL)('not public: %s', (ip) => expect(permits(ip)).toBe(false));
test.each(NONE)('no address: "%s"', (ip) => {
  expect([permits(ip), permits(ip, [], true)]).toEqual([false, false]);
});
test('in demo mode every address is permitted', () => {
  expect([...PUBLIC, ...SPECIAL].filter((ip) => !permits(ip, [], true))).toEqual([]);
});

describe('what is allowed', () => {
  test.each<[string, string, boolean]>([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['10.0.0.1', '64:ff9b::a00:1', true],
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/16', '10.2.0.0', false],
    ['10.1.0.0/16', '::ffff:10.1.2.3', true],
    ['0.0.0.0/0', '127.0.0.1', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', 'fc12::1', false],
    ['loopback', '127.0.0.1', true],
    ['loopback', '127.8.9.10', true],
    ['loopback', '::1', true],
    ['loopback', '::ffff:127.0.0.1', true],
    ['loopback', '10.0.0.1', false],
    ['loopback', '0.0.0.0', false],
    ['linklocal', '169.254.1.1', true],
    ['linklocal', 'fe80::1%eth0', true],
    ['linklocal', '127.0.0.1', false],
    ['uniquelocal', '10.0.0.1', true],
    ['uniquelocal', '172.31.0.1', true],
    ['uniquelocal', '192.168.0.1', true],
    ['uniquelocal', 'fd00::1', true],
    ['uniquelocal', '100.64.0.1', false],
    ['uniquelocal', '169.254.169.254', false],
  ])('%s: %s is permitted: %o', (entry, ip, expected) => {
    expect(permits(ip, ['192.0.2.99', entry])).toBe(expected);
  });

  test('public addresses stay permitted', () => expect(permits('1.1.1.1', ['10.0.0.0/8'])).toBe(true));

  test.each([
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'fd00::/129',
    'fe80::1%eth0',
    '',
  ])('"%s" is nothing that can be allowed', (entry) =>
    expect(() => permits('1.1.1.1', [entry])).toThrow(`"${entry}" is neither an address`),
  );
});
