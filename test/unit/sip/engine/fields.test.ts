import { describe, expect, test } from 'vitest';
import {
  firstItem,
  parseCseq,
  parseNameAddress,
  parseParameters,
  parseVia,
  splitList,
  tagOf,
  trimSpace,
} from '../../../../gateways/sip/engine/fields.ts';
import { parseUri } from '../../../../gateways/sip/engine/uri.ts';

const entries = (parameters: Iterable<readonly [string, string | undefined]> | undefined) =>
  parameters && Object.fromEntries(parameters);

test.each([
  ['', ['']],
  ['a', ['a']],
  [' a ,\tb ', ['a', 'b']],
  ['a,,b,', ['a', '', 'b', '']],
  ['"a,b" <sip:c>,d', ['"a,b" <sip:c>', 'd']],
  ['<sip:a,b;c=",">,d', ['<sip:a,b;c=",">', 'd']],
  ['"a\\",b",c', ['"a\\",b"', 'c']],
  ['"open, a', ['"open, a']],
  ['a>,b', ['a>', 'b']],
])('the list %j is %j', (value, items) => {
  expect(splitList(value)).toEqual(items);
});

test('the rest of a list stays as it is', () => {
  expect(firstItem(' a , b,\tc')).toEqual({ item: 'a', rest: ', b,\tc' });
  expect(firstItem('a')).toEqual({ item: 'a', rest: '' });
});

test('only spaces and tabs are space', () => {
  expect(trimSpace(' \ta b\t ')).toBe('a b');
  expect(trimSpace(' \t ')).toBe('');
  expect(trimSpace('\xa0a\xa0')).toBe('\xa0a\xa0');
});

describe('Via', () => {
  test.each<[string, object]>([
    ['SIP/2.0/UDP host', { transport: 'UDP', host: 'host', port: undefined }],
    ['sip/2.0/tcp host:5080', { transport: 'TCP', host: 'host', port: 5080 }],
    ['SIP / 2.0 / TLS  host : 5061 ;a', { transport: 'TLS', host: 'host', port: 5061 }],
    ['SIP/2.0/UDP [2001:db8::1]:5060', { host: '[2001:db8::1]', port: 5060 }],
    ['SIP/2.0/UNKNOWN-1 host.invalid', { transport: 'UNKNOWN-1' }],
  ])('%s', (value, expected) => {
    expect(parseVia(value)).toMatchObject(expected);
  });

  test.each([
    ['SIP/2.0/UDP host', {}],
    ['SIP/2.0/UDP host;branch=z9hG4bK1;rport', { branch: 'z9hG4bK1', rport: undefined }],
    ['SIP/2.0/UDP host ; Branch = a ; rport=', { branch: 'a', rport: '' }],
    ['SIP/2.0/UDP host;a="x;y=\\"z"', { a: 'x;y="z' }],
  ])('parameters of %s', (value, expected) => {
    expect(entries(parseVia(value)?.parameters)).toEqual(expected);
  });

  test.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0 host',
    'SIP/3.0/UDP host',
    'SIP/2.0/UDP host:0',
    'SIP/2.0/UDP host:65536',
    'SIP/2.0/UDP host:x',
    'SIP/2.0/UDP two hosts',
    'SIP/2.0/UDP host;branch=a b',
  ])('not %j', (value) => {
    expect(parseVia(value)).toBeUndefined();
  });
});

describe('name-addr and addr-spec', () => {
  test.each<[string, string, string, object]>([
    ['<sip:a@b>', '', 'sip:a@b', {}],
    ['<sip:a@b;c=d>;tag=e', '', 'sip:a@b;c=d', { tag: 'e' }],
    ['sip:a@b;tag=e', '', 'sip:a@b', { tag: 'e' }],
    ['"Bell, A. \\"x\\"" <sip:a@b>;tag=e', 'Bell, A. "x"', 'sip:a@b', { tag: 'e' }],
    ['"Bell"<sip:a@b>', 'Bell', 'sip:a@b', {}],
    ['A. Bell <sip:a@b>', 'A. Bell', 'sip:a@b', {}],
    ['J\xc3\xb6rg <sip:a@b>', 'J\xc3\xb6rg', 'sip:a@b', {}],
    ['caller<tel:+49>', 'caller', 'tel:+49', {}],
    ['<sip:a@b> ; tag = e ; f', '', 'sip:a@b', { tag: 'e', f: undefined }],
  ])('%s', (value, displayName, uri, parameters) => {
    const found = parseNameAddress(value);
    expect(found).toMatchObject({ displayName, uri });
    expect(entries(found?.parameters)).toEqual(parameters);
  });

  test.each([
    '',
    'a@b',
    '<a@b>',
    '<sip:a@b',
    'sip:a@b>',
    '< sip:a@b >',
    '"open <sip:a@b>',
    'Bell, A. <sip:a@b>',
    '<sip:a@b> tag=c',
    'sip:a@b?c=d',
    '<sip:>',
  ])('not %j', (value) => {
    expect(parseNameAddress(value)).toBeUndefined();
  });

  test.each([
    ['<sip:a@b>;tag=c', 'c'],
    ['<sip:a@b;tag=c>', undefined],
    ['<sip:a@b>;tag=', undefined],
    ['"x;tag=c" <sip:a@b>', undefined],
    ['nothing;tag=c', undefined],
  ])('the tag of %s is %s', (value, tag) => {
    expect(tagOf(value)).toBe(tag);
  });
});

test.each([
  ['1 INVITE', { number: 1, method: 'INVITE' }],
  ['0009 \t INVITE', { number: 9, method: 'INVITE' }],
  ['2147483647 X', { number: 2_147_483_647, method: 'X' }],
  ['2147483648 X', undefined],
  ['-1 X', undefined],
  ['1', undefined],
  ['1 X Y', undefined],
])('CSeq %j', (value, expected) => {
  expect(parseCseq(value)).toEqual(expected);
});

describe('URIs', () => {
  test.each<[string, object]>([
    ['sip:host', { scheme: 'sip', user: '', host: 'host', port: undefined }],
    [
      'SIPS:user:secret@Host.Example:5061',
      { scheme: 'sips', user: 'user', host: 'host.example', port: 5061 },
    ],
    ['sip:a%20b@host', { user: 'a b' }],
    ['sip:user;par=u%40example.net@host', { user: 'user;par=u@example.net', host: 'host' }],
    ['sip:a?b@host?c=d', { user: 'a?b', host: 'host' }],
    ['sip:a@[2001:db8::1]:5060', { host: '[2001:db8::1]', port: 5060 }],
    ['tel:+49-30', { scheme: 'tel', user: '+49-30', host: '' }],
  ])('%s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  test.each([
    ['sip:a@b;lr', { lr: '' }],
    ['sip:a@b;LR;transport=TCP?x=y', { lr: '', transport: 'TCP' }],
    ['sip:a;lr@b', {}],
    ['tel:1;phone-context=+49', { 'phone-context': '+49' }],
  ])('parameters of %s', (text, expected) => {
    expect(entries(parseUri(text)?.parameters)).toEqual(expected);
  });

  test.each([
    '',
    'sip:',
    'http://host',
    'sip:a@',
    'sip:a@b@c',
    'sip:a@b:0',
    'sip:a@b:65536',
    'sip:%zz@host',
    'tel:',
    'sip:a b',
  ])('not %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });
});

/*
 * 100 kB each, which is twelve times what a header may have. A pattern that tries again from each
 * position, or shares out the same spaces in every way, does not end within the time a test has.
 */
describe('hostile values are read in one pass', () => {
  const SIZE = 100_000;
  const pieces = [
    ' ',
    '\t',
    ';',
    ';a',
    ';a=b',
    ' ; a',
    '"',
    '\\"',
    '\\',
    ',',
    '<',
    '>',
    ':',
    '=',
    'a',
    '@',
    '?',
  ];
  const frames: [string, (fill: string) => string][] = [
    ['alone', (fill) => fill],
    ['in a Via', (fill) => `SIP/2.0/UDP host${fill}x y`],
    ['in front of the host', (fill) => `SIP/2.0/UDP ${fill}{`],
    ['in a Via parameter', (fill) => `SIP/2.0/UDP host;a=${fill}{`],
    ['in a name', (fill) => `${fill}{`],
    ['in a quoted name', (fill) => `"${fill} <sip:a@b>`],
    ['behind a quoted name', (fill) => `"a"${fill}{`],
    ['in brackets', (fill) => `<sip:${fill}`],
    ['behind brackets', (fill) => `<sip:a@b>${fill}{`],
    ['in a quoted parameter', (fill) => `<sip:a@b>;a="${fill}`],
    ['in a SIP URI', (fill) => `sip:${fill}{`],
    ['behind a host', (fill) => `sip:a@b;${fill}{`],
    ['in a telephone number', (fill) => `tel:1${fill}?`],
    ['in a CSeq', (fill) => `1${fill}{ `],
  ];

  test.each(frames)('%s', (_, frame) => {
    for (const piece of pieces) {
      const value = frame(piece.repeat(SIZE / piece.length));
      expect(() => {
        parseVia(value);
        parseNameAddress(value);
        parseParameters(value);
        parseUri(value);
        parseCseq(value);
        splitList(value);
        trimSpace(value);
      }).not.toThrow();
    }
  });
});
