import { describe, expect, test } from 'vitest';
import {
  canonicalName,
  header,
  headersOf,
  type SipMessage,
  serialize,
} from '../../../../gateways/sip/engine/message.ts';
import { parsed, request } from './workbench.ts';

function message(lines: string, body = ''): Buffer {
  const own = [
    'OPTIONS sip:b@c SIP/2.0',
    'v: SIP/2.0/UDP host;branch=z9hG4bK1',
    'f: <sip:a@b>;tag=1',
    't: <sip:b@c>',
    'i: 1',
    'CSeq: 1 OPTIONS',
  ];
  return Buffer.from(
    `${own.join('\r\n')}\r\n${lines}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

describe('what was read is written byte for byte', () => {
  test.each([
    ['unknown headers, their case and order', 'X-Zebra: 1\r\nx-ant: 2\r\nX-ZEBRA: 3'],
    ['compact forms', 'm: <sip:a@b>\r\ns: subject\r\nk: timer'],
    ['punctuation in names', "!%*_+`'~.-: x"],
    ['UTF-8', `X-Name: ${Buffer.from('Žluťoučký à').toString('latin1')}`],
    ['latin1', 'X-Name: \xe4\xf6\xfc\xa0'],
    ['every byte but CR and LF', `X-All: a${String.fromCharCode(...everyByte())}b`],
    ['inner spaces', 'X-Space: a  \t b'],
    ['nothing', 'X-Nothing: '],
    ['lists and quotes', 'X-List: "a, \\"b" ,,<c>;d="e;f"'],
  ])('%s', (_, lines) => {
    const bytes = message(lines, 'body\r\n\0\xff');
    expect(serialize(parsed(bytes)).toString('latin1')).toBe(bytes.toString('latin1'));
  });

  test('but for spaces around values, and folding', () => {
    const bytes = message('X-1:a  \r\nX-2 : b\r\n c');
    const expected = message('X-1: a\r\nX-2: b c');
    expect(serialize(parsed(bytes)).toString('latin1')).toBe(expected.toString('latin1'));
  });

  function everyByte(): number[] {
    return Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10 && byte !== 13);
  }
});

test('responses', () => {
  const message: SipMessage = {
    kind: 'response',
    status: 486,
    reason: 'Busy Here',
    headers: [{ name: 'X', value: 'y' }],
    body: Buffer.from('abc'),
  };
  expect(serialize(message).toString()).toBe('SIP/2.0 486 Busy Here\r\nX: y\r\nContent-Length: 3\r\n\r\nabc');
});

test('Content-Length is what the body has, whatever the headers say', () => {
  const { headers, ...rest } = request({ body: 'abc' });
  const wrong = [{ name: 'l', value: '99' }, ...headers];
  const written = serialize({ ...rest, headers: wrong }).toString();
  expect(written.match(/^(content-length|l):.*$/gim)).toEqual(['Content-Length: 3']);
});

test.each([
  ['Via', 'via'],
  ['v', 'via'],
  ['V', 'via'],
  ['X-Any', 'x-any'],
  ['constructor', 'constructor'],
  ['__proto__', '__proto__'],
])('%s is called %s', (name, expected) => {
  expect(canonicalName(name)).toBe(expected);
});

test('headers are found by their long names', () => {
  const found = parsed(message('m: <sip:a@b>\r\nContact: <sip:c@d>'));
  expect(header(found, 'contact')).toBe('<sip:a@b>');
  expect(headersOf(found, 'contact')).toEqual(['<sip:a@b>', '<sip:c@d>']);
  expect(header(found, 'expires')).toBeUndefined();
});
