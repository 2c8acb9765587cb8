import { describe, expect, test } from 'vitest';
import { header } from '../../../../gateways/sip/engine/message.ts';
import { LIMITS, parseMessage } from '../../../../gateways/sip/engine/parser.ts';
import { parsed, request, requestBytes } from './workbench.ts';

const GOOD = requestBytes().toString();

function replaced(from: string | RegExp, to: string, text = GOOD): Buffer {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${from} is not there`);
  return Buffer.from(changed, 'latin1');
}

/** Reason, and whether it is answered: '400' or '505', or '-'. */
function verdict(bytes: Buffer, stream = false): string {
  const result = parseMessage(bytes, stream);
  if (result.outcome === 'message') return 'accepted';
  return `${result.answerable ? result.status : '-'} ${result.reason}`;
}

const STATUS = GOOD.replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n');

describe('verdicts', () => {
  test.each<[string, Buffer, string]>([
    ['a request', requestBytes(), 'accepted'],
    ['a response', Buffer.from(STATUS), 'accepted'],
    ['nothing', Buffer.alloc(0), '- Headers do not end'],
    ['binary', Buffer.from([...Array(256).keys()]), '- Headers do not end'],
    ['an empty head', Buffer.from('\r\n\r\n'), '- Malformed request line'],
    ['LF as line end', Buffer.from(GOOD.replaceAll('\r\n', '\n')), '- Headers do not end'],

    ['lower-case version', replaced('SIP/2.0\r\n', 'sip/2.0\r\n'), 'accepted'],
    ['another version', replaced('SIP/2.0\r\n', 'SIP/3.0\r\n'), '505 Version Not Supported'],
    ['another version of an ACK', replaced('SIP/2.0\r\n', 'SIP/3.0\r\n', ack()), '- Version Not Supported'],
    ['no version', replaced(' SIP/2.0\r\n', '\r\n'), '505 Version Not Supported'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'), '- No via header'],
    ['no URI', replaced('INVITE sip:room@example.org SIP', 'INVITE  SIP'), '400 Malformed Request-URI'],
    ['a URI without scheme', replaced('INVITE sip:room', 'INVITE room'), '400 Malformed Request-URI'],
    [
      'a URI in brackets',
      replaced('sip:room@example.org', '<sip:room@example.org>'),
      '400 Malformed Request-URI',
    ],
    ['a method that is no token', replaced('INVITE sip', 'IN{VITE sip'), '- Malformed request line'],
    ['a lone status', Buffer.from(STATUS.replace('200 OK', '200')), 'accepted'],
    ['status 99', Buffer.from(STATUS.replace('200', '099')), '- Malformed status line'],
    ['status 700', Buffer.from(STATUS.replace('200', '700')), '- Malformed status line'],
    ['status of four digits', Buffer.from(STATUS.replace('200', '2000')), '- Malformed status line'],

    ['no Via', replaced(/Via.*\r\n/, ''), '- No via header'],
    ['no From', replaced(/From.*\r\n/, ''), '- No from header'],
    ['no To', replaced(/To.*\r\n/, ''), '- No to header'],
    ['no Call-ID', replaced(/Call-ID.*\r\n/, ''), '- No call-id header'],
    ['no CSeq', replaced(/CSeq.*\r\n/, ''), '- No cseq header'],
    ['two From', replaced('From:', 'f: <sip:a@b>;tag=1\r\nFrom:'), '400 More than one from header'],
    ['two Call-ID', replaced('Call-ID:', 'i: 1\r\nCall-ID:'), '400 More than one call-id header'],
    [
      'two Content-Length',
      replaced('Content-Length', 'l: 0\r\nContent-Length'),
      '400 More than one content-length header',
    ],
    ['two Via', replaced('Via:', 'v: SIP/2.0/UDP proxy;branch=z9hG4bK0\r\nVia:'), 'accepted'],
    ['a header called constructor', replaced('CSeq:', 'constructor: x\r\n__proto__: y\r\nCSeq:'), 'accepted'],

    ['a header without colon', replaced('Max-Forwards:', 'Max-Forwards'), '400 Malformed header'],
    ['a header without name', replaced('Max-Forwards:', ':'), '400 Malformed header'],
    ['a header name with a space', replaced('Max-Forwards:', 'Max Forwards:'), '400 Malformed header'],
    ['space before the colon', replaced('Max-Forwards:', 'Max-Forwards \t :'), 'accepted'],
    ['continuation of the start line', replaced('Via:', ' Via:'), '- Malformed header'],
    ['bare LF in a value', replaced('70', '7\n0'), '- Bare CR or LF'],
    ['bare CR in a value', replaced('70', '7\r0'), '- Bare CR or LF'],
    ['bare LF in the start line', replaced('room@', 'ro\nom@'), '- Bare CR or LF'],

    ['a Via that is none', replaced(/Via: .*/, 'Via: nothing'), '400 Malformed Via header'],
    ['an empty Via', replaced(/Via: .*/, 'Via:'), '400 Malformed Via header'],
    ['a Via at port 0', replaced('192.0.2.10:5060;', '192.0.2.10:0;'), '400 Malformed Via header'],
    ['a From that is none', replaced(/From: .*/, 'From: "open <sip:a@b>'), '400 Malformed From header'],
    ['a From without tag (RFC 2543)', replaced(';tag=phone', ''), 'accepted'],
    ['a To that is none', replaced(/To: .*/, 'To: <sip:a@b'), '400 Malformed To header'],
    ['a Call-ID of two words', replaced('call-1', 'call 1'), '400 Malformed Call-ID header'],
    ['CSeq without method', replaced('1 INVITE', '1'), '400 Malformed CSeq header'],
    ['CSeq of another method', replaced('1 INVITE', '1 BYE'), '400 CSeq does not match the method'],
    ['the highest CSeq', replaced('1 INVITE', '2147483647 INVITE'), 'accepted'],
    ['a CSeq beyond', replaced('1 INVITE', '2147483648 INVITE'), '400 Malformed CSeq header'],
    ['Max-Forwards 0', replaced('70', '0'), 'accepted'],
    ['Max-Forwards 255', replaced('70', '255'), 'accepted'],
    ['Max-Forwards 0068', replaced('70', '0068'), 'accepted'],
    ['Max-Forwards 256', replaced('70', '256'), '400 Malformed Max-Forwards header'],
    ['Max-Forwards -1', replaced('70', '-1'), '400 Malformed Max-Forwards header'],
    ['Max-Forwards in words', replaced('70', 'many'), '400 Malformed Max-Forwards header'],
    ['an empty Max-Forwards', replaced('70', ''), '400 Malformed Max-Forwards header'],
    ['no Max-Forwards (RFC 2543)', replaced(/Max-Forwards.*\r\n/, ''), 'accepted'],
    [
      'Content-Length beyond the end',
      replaced('Length: 0', 'Length: 1'),
      '400 Body shorter than Content-Length',
    ],
    ['Content-Length -1', replaced('Length: 0', 'Length: -1'), '400 Malformed Content-Length header'],
    ['Content-Length 1e3', replaced('Length: 0', 'Length: 1e3'), '400 Malformed Content-Length header'],
    [
      'Content-Length of 100 digits',
      replaced('Length: 0', `Length: ${'9'.repeat(100)}`),
      '400 Malformed Content-Length header',
    ],
    ['no Content-Length in a datagram', replaced(/Content-Length.*\r\n/, ''), 'accepted'],
    ['an ACK that is wrong', replaced('70', 'x', ack()), '- Malformed Max-Forwards header'],
  ])('%s', (_, bytes, expected) => {
    expect(verdict(bytes)).toBe(expected);
  });

  test('over a stream Content-Length must be there', () => {
    expect(verdict(replaced(/Content-Length.*\r\n/, ''), true)).toBe('400 No Content-Length header');
  });
});

function ack(): string {
  return requestBytes({ method: 'ACK' }).toString();
}

describe('limits', () => {
  const headers = (count: number) => `${'X: y\r\n'.repeat(count)}CSeq:`;
  const own = GOOD.split('\r\n').length - 3;

  test.each<[string, Buffer, string]>([
    ['as many headers as permitted', replaced('CSeq:', headers(LIMITS.headers - own)), 'accepted'],
    ['one more', replaced('CSeq:', headers(LIMITS.headers - own + 1)), '- Too many headers'],
    ['a header as long as permitted', long(LIMITS.headerBytes), 'accepted'],
    ['one byte longer', long(LIMITS.headerBytes + 1), '400 Header too long'],
    ['a message as large as permitted', large(LIMITS.messageBytes), 'accepted'],
    ['one byte larger', large(LIMITS.messageBytes + 1), '- Message too large'],
  ])('%s', (_, bytes, expected) => {
    expect(verdict(bytes)).toBe(expected);
  });

  function long(bytes: number): Buffer {
    return replaced('CSeq:', `X: ${'y'.repeat(bytes - 3)}\r\nCSeq:`);
  }

  function large(bytes: number): Buffer {
    return Buffer.concat([Buffer.from(GOOD), Buffer.alloc(bytes - GOOD.length)]);
  }
});

describe('what is read', () => {
  test('a request', () => {
    expect(request({ method: 'OPTIONS', uri: 'sip:x@y', body: 'abc' })).toMatchObject({
      kind: 'request',
      method: 'OPTIONS',
      uri: 'sip:x@y',
      body: Buffer.from('abc'),
    });
  });

  test.each([
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['SIP/2.0 486 Busy Here', 486, 'Busy Here'],
    ['SIP/2.0 200 ', 200, ''],
    ['SIP/2.0 200', 200, ''],
    ['sip/2.0 183 \xc3\xa9', 183, '\xc3\xa9'],
  ])('%s', (line, status, reason) => {
    expect(parsed(Buffer.from(STATUS.replace('SIP/2.0 200 OK', line), 'latin1'))).toMatchObject({
      status,
      reason,
    });
  });

  test('what follows Content-Length in a datagram is left out', () => {
    const { body } = parsed(Buffer.concat([requestBytes({ body: 'abc' }), Buffer.from('more')]));
    expect(body.toString()).toBe('abc');
  });

  test('without Content-Length, the body is the rest of the datagram', () => {
    const bytes = Buffer.from(
      requestBytes({ body: 'abc' })
        .toString()
        .replace(/Content-Length.*\r\n/, ''),
    );
    expect(parsed(bytes).body.toString()).toBe('abc');
  });

  test.each([
    ['X-1:  a  b  ', 'a  b'],
    ['X-1:\t a', 'a'],
    ['X-1:', ''],
    ['X-1: a\r\n b', 'a b'],
    ['X-1: a \r\n\t b \r\n  c', 'a b c'],
    ['X-1:\r\n a', 'a'],
    ['X-1: a\r\n \r\n b', 'a b'],
    ['X-1: a:b: c', 'a:b: c'],
    // 0xA0 is a space in latin1, and the second half of a letter here.
    ['X-1: \xc3\xa0', '\xc3\xa0'],
    ['X-1: \xa0', '\xa0'],
  ])('the value of %j is %j', (line, value) => {
    expect(header(parsed(replaced('CSeq:', `${line}\r\nCSeq:`)), 'x-1')).toBe(value);
  });
});

describe('hostile messages cost no more than their length', () => {
  const fill = (text: string) => text.repeat(Math.floor((LIMITS.messageBytes - 1_000) / text.length));

  // Where a pass over the message were repeated for each of its bytes, this would not end in time.
  test.each<[string, Buffer]>([
    ['nothing but folding', replaced('CSeq:', `X: a${fill('\r\n b')}\r\nCSeq:`)],
    ['folding of nothing', replaced('CSeq:', `X: a${fill('\r\n ')}\r\nCSeq:`)],
    ['nothing but spaces', replaced('CSeq:', `X: a${fill(' ')}\r\nCSeq:`)],
    ['spaces before the colon', replaced('CSeq:', `X${fill(' ')}: a\r\nCSeq:`)],
    ['nothing but headers', replaced('CSeq:', `${fill('X:\r\n')}CSeq:`)],
    ['a start line of spaces', replaced('INVITE ', `INVITE${fill(' ')}`)],
    ['colons', replaced('CSeq:', `${fill(':')}\r\nCSeq:`)],
  ])('%s', (_, bytes) => {
    const verdicts = Array.from({ length: 200 }, () => verdict(bytes));
    expect(new Set(verdicts).size).toBe(1);
  });
});
