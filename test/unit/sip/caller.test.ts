import { describe, expect, test } from 'vitest';
import { callerOf, roomOf } from '../../../gateways/sip/caller.ts';

const ANONYMOUS = 'sip:anonymous@anonymous.invalid';

describe('the name that is shown', () => {
  test.each([
    ['"Alice" <sip:alice@example.org>;tag=1', 'Alice'],
    ['Alice Miller <sip:alice@example.org>;tag=1', 'Alice Miller'],
    ['"Alice \\"Al\\" \\\\ Miller" <sip:alice@example.org>', 'Alice "Al" \\ Miller'],
    ['"a <sip:b@c>; x" <sip:alice@example.org>', 'a <sip:b@c>; x'],
    ['""<sip:alice@example.org>;tag=1', 'alice'],
    ['<sip:alice@example.org>', 'alice'],
    ['sip:alice@example.org;tag=1', 'alice'],
    ['<sips:alice:secret@example.org:5061;transport=tls?x=y>;tag=1', 'alice'],
    ['<sip:a%20b@example.org>', 'a b'],
    ['"Jörg" <sip:joerg@example.org>', 'Jörg'],
    ['"李" <sip:li@example.org>', '李'],
    ['  "  Alice \t Miller " <sip:alice@example.org>', 'Alice Miller'],
    ['"A\u0000l\u0007i\u001bce\u202e\u2066" <sip:alice@example.org>', 'A l i ce'],
    ['"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', 'Anonymous caller'],
    ['<sip:anonymous@example.org>', 'Anonymous caller'],
    ['<sip:example.org>', 'Anonymous caller'],
    ['<sip:@example.org>', 'Anonymous caller'],
    ['"Front desk" <sip:example.org>', 'Front desk'],
    ['<sip:%00@example.org>', 'Anonymous caller'],
  ])('%j: %s', (from, name) => {
    expect(callerOf(from).name).toBe(name);
  });

  test.each([
    ['<sip:+4930123456@example.org;user=phone>', '+49…456'],
    ['<sip:+49%20(30)%2012.34-56@example.org>', '+49…456'],
    ['<sip:+4930123456;npdi=yes;phone-context=x@example.org>', '+49…456'],
    ['<tel:+49-30-123456>;tag=1', '+49…456'],
    ['<tel:030123456;phone-context=+49>', '030…456'],
    ['<sip:004930123456@example.org>', '004…456'],
    ['<sip:1234567@example.org>', '123…567'],
    ['<sip:123456@example.org>', '123456'],
    ['<sip:+12345@example.org>', '+12345'],
    ['<sip:1@example.org>', '1'],
    ['"+49 30 123456" <sip:+4930123456@example.org>', '+49…456'],
    ['"Alice" <sip:+4930123456@example.org>', 'Alice'],
    ['<sip:+49x30123456@example.org>', '+49x30123456'],
  ])('telephone numbers: %s: %s', (from, name) => {
    expect(callerOf(from).name).toBe(name);
  });

  test('text that looks like UTF-8 in latin1 is what it is: it was decoded already', () => {
    expect(callerOf('"20 Â°C" <sip:li@example.org>').name).toBe('20 Â°C');
    expect(callerOf('"Ã¤ 李" <sip:li@example.org>').name).toBe('Ã¤ 李');
  });

  test('it has at most 100 characters, none of them torn apart', () => {
    expect(callerOf(`"${'x'.repeat(200)}" <sip:a@example.org>`).name).toBe('x'.repeat(100));
    expect(callerOf(`"${'x'.repeat(99)}😀" <sip:a@example.org>`).name).toBe('x'.repeat(99));
    expect(callerOf('"a\ud800b" <sip:a@example.org>').name).toBe('a\ufffdb');
  });
});

describe('the identity', () => {
  test.each([
    ['"Alice" <sip:alice@Example.ORG:5060;transport=udp>;tag=1', 'sip:alice@example.org'],
    ['"Another name" <sips:alice@example.org>;tag=2', 'sip:alice@example.org'],
    ['sip:alice@example.org;tag=3', 'sip:alice@example.org'],
    ['<sip:%61lice:secret@example.org>', 'sip:alice@example.org'],
    ['<SIP:Alice@[2001:DB8::1]:5060>', 'sip:Alice@[2001:db8::1]'],
    ['<sip:alice@192.0.2.7>', 'sip:alice@192.0.2.7'],
    ['<sip:a%00%0db@example.org>', 'sip:ab@example.org'],
    ['<tel:+49-30-123456;isub=1>', 'tel:+4930123456'],
    ['<TEL:+49(30)123456>', 'tel:+4930123456'],
    ['<sip:example.org>', 'sip:example.org'],
    ['"Anonymous" <sip:anonymous@anonymous.invalid>', ANONYMOUS],
  ])('%s: %s', (from, identity) => {
    expect(callerOf(from).identity).toBe(identity);
  });

  test('it has at most 256 characters', () => {
    expect(callerOf(`<sip:${'x'.repeat(240)}@example.org>`).identity).toHaveLength(256);
    expect(callerOf(`<sip:${'x'.repeat(241)}@example.org>`).identity).toBe('sip:example.org');
    expect(callerOf(`<sip:${'x'.repeat(300)}>`).identity).toBe(ANONYMOUS);
  });
});

test.each([
  '',
  ' ',
  '"',
  '<',
  '>',
  '"Alice',
  '"Alice\\',
  '<sip:alice@example.org',
  '<>',
  '<sip:>',
  '<sip:alice@>',
  '<http://example.org>',
  '<mailto:alice@example.org>',
  '<tel:>',
  '<tel:alice>',
  '<sip:%@example.org>',
  '<sip:%ff@example.org>',
  '<sip:a b@ex ample>',
  '"'.repeat(4096),
  '<'.repeat(4096),
  '\\'.repeat(4096),
  `"${'x'.repeat(5000)}" <sip:alice@example.org>`,
])('what says nothing is an anonymous caller: %j', (from) => {
  expect(callerOf(from)).toEqual({ identity: ANONYMOUS, name: 'Anonymous caller' });
});

test('a quote that is not closed does not hide the caller', () => {
  expect(callerOf('"Alice <sip:alice@example.org>')).toEqual({
    identity: 'sip:alice@example.org',
    name: 'Alice',
  });
});

describe('the room', () => {
  test.each([
    ['sip:lobby@example.org', 'lobby'],
    ['sips:lobby@example.org:5061;transport=tls', 'lobby'],
    ['sip:lobby@192.0.2.7:5060', 'lobby'],
    ['sip:lobby@[2001:db8::1]', 'lobby'],
    ['sip:Lobby@example.org', 'Lobby'],
    ['sip:team%20stand-up@example.org', 'team stand-up'],
    ['sip:caf%C3%A9@example.org', 'café'],
    ['sip:a%40b%3Bc@example.org', 'a@b;c'],
    ['sip:+4930123456@example.org;user=phone', '+4930123456'],
    ['sip:+4930123456;phone-context=x@example.org', '+4930123456'],
    ['tel:+49-30-123456', '+4930123456'],
    [`sip:${'x'.repeat(128)}@example.org`, 'x'.repeat(128)],
    [`sip:${'x'.repeat(129)}@example.org`, undefined],
    ['sip:example.org', undefined],
    ['sip:@example.org', undefined],
    ['sip:%@example.org', undefined],
    ['sip:%C3@example.org', undefined],
    ['sip:a%00b@example.org', undefined],
    ['sip:a%E2%80%AEb@example.org', undefined],
    ['sip:lobby', undefined],
    ['sip:lobby@', undefined],
    ['http://lobby@example.org', undefined],
    ['tel:lobby', undefined],
    ['', undefined],
    [`sip:lobby@example.org;x=${'x'.repeat(4096)}`, undefined],
  ])('%s: %s', (uri, room) => {
    expect(roomOf(uri)).toBe(room);
  });
});
