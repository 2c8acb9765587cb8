import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../../../gateways/sip/wire/template.ts';

const parse = (text: string) => parseTemplate(Buffer.from(text));

test('a response', () => {
  expect(parse('SIP/2.0 200 OK\r\nX: y \r\ncontent-length: 99\r\n\r\nbody')).toEqual({
    kind: 'response',
    status: 200,
    reason: 'OK',
    headers: [
      { name: 'X', value: 'y' },
      { name: 'content-length', value: '99' },
      { name: 'Content-Type', value: 'text/plain' },
    ],
    body: Buffer.from('body'),
  });
});

test('a request, less what the engine writes itself', () => {
  const ours = [
    'Via: a',
    'v: a',
    'From: b',
    'f: b',
    'To: c',
    't: c',
    'Call-ID: d',
    'i: d',
    'CSeq: e',
    'Route: f',
  ];
  const others = ['Max-Forwards: g', 'Content-Length: 0', 'l: 0', 'X: y'];
  expect(parse(`BYE sip:placeholder SIP/2.0\r\n${[...ours, ...others].join('\r\n')}\r\n\r\n`)).toEqual({
    kind: 'request',
    method: 'BYE',
    headers: [{ name: 'X', value: 'y' }],
    body: Buffer.alloc(0),
  });
});

test.each([
  ['SIP/2.0 200 \r\n\r\n', { status: 200, reason: '' }],
  ['SIP/2.0 200\r\n\r\n', { status: 200, reason: '' }],
  ['SIP/2.0 486 Busy Here', { status: 486, reason: 'Busy Here' }],
])('%j', (text, expected) => {
  expect(parse(text)).toMatchObject(expected);
});

test.each([
  ['', ''],
  ['v=0\r\no=…', 'application/sdp'],
  ['Signal=5', 'text/plain'],
])('the body %j without a type is %s', (body, type) => {
  const { headers } = parse(`SIP/2.0 200 OK\r\n\r\n${body}`);
  expect(headers).toEqual(type === '' ? [] : [{ name: 'Content-Type', value: type }]);
});

test.each(['Content-Type', 'content-type', 'c'])('the type in %s stays', (name) => {
  const { headers } = parse(`SIP/2.0 200 OK\r\n${name}: a/b\r\n\r\nv=0`);
  expect(headers).toEqual([{ name, value: 'a/b' }]);
});

describe('no header makes another one', () => {
  test.each([
    ['X: a\r\n b', 'a b'],
    ['X: a\nInjected: b', 'a Injected: b'],
    ['X: a\rInjected: b', 'a Injected: b'],
  ])('%j', (line, value) => {
    expect(parse(`SIP/2.0 200 OK\r\n${line}\r\n\r\n`).headers).toEqual([{ name: 'X', value }]);
  });
});

test.each([
  ['', 'malformed request'],
  ['bye sip:a SIP/2.0', 'malformed request'],
  ['SIP/2.0 20 OK', 'malformed response'],
  ['SIP/2.0 200 O\nK', 'malformed response'],
  ['SIP/2.0 200 OK\r\nno colon', 'malformed header'],
  ['SIP/2.0 200 OK\r\n: x', 'malformed header'],
  ['SIP/2.0 200 OK\r\na b: x', 'malformed header'],
])('%j is refused: %s', (text, reason) => {
  expect(() => parse(text)).toThrow(reason);
});
