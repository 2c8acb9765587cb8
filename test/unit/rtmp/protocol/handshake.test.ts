import { describe, expect, test } from 'vitest';
import { ClientHandshake, ServerHandshake } from '../../../../gateways/rtmp/protocol/handshake.ts';
import { RtmpError } from '../../../../gateways/rtmp/protocol/rtmp-error.ts';
import { payload } from './chunks.ts';

const random = (bytes: number) => payload(bytes, 7);
const server = () => new ServerHandshake(random, () => 0x01020304);
const client = () => new ClientHandshake(random, () => 0x05060708);

/** C0, C1 and any C2: the server doesn't look at it. */
const CALL = Buffer.concat([Buffer.of(3), payload(1536, 99), Buffer.alloc(1536, 5)]);
const REST = Buffer.from('what follows');

type Side = { read(chunk: Buffer): { send?: Buffer; done?: { rest: Buffer } } };

/** @returns all that it sent, and what was left over */
function talk(side: Side, parts: readonly Buffer[]) {
  const sent: Buffer[] = [];
  const rest: Buffer[] = [];
  let over = false;
  for (const part of parts) {
    if (over) {
      rest.push(part);
      continue;
    }
    const { send, done } = side.read(part);
    if (send) sent.push(send);
    over = done !== undefined;
    if (done) rest.push(done.rest);
  }
  return { sent: Buffer.concat(sent), rest: Buffer.concat(rest).toString(), over };
}

test('the server answers with its version, its block and the echo of the other', () => {
  const { sent } = talk(server(), [CALL.subarray(0, 1537)]);
  expect(sent.length).toBe(1 + 2 * 1536);
  expect(sent[0]).toBe(3);
  expect(sent.subarray(1, 9)).toEqual(Buffer.of(1, 2, 3, 4, 0, 0, 0, 0));
  expect(sent.subarray(9, 1537)).toEqual(random(1528));
  const echo = sent.subarray(1537);
  expect(echo.subarray(0, 4)).toEqual(CALL.subarray(1, 5));
  expect(echo.subarray(4, 8)).toEqual(Buffer.of(1, 2, 3, 4));
  expect(echo.subarray(8)).toEqual(CALL.subarray(9, 1537));
});

test('it answers only when the first block is whole, and is over only when the second is', () => {
  expect(talk(server(), [CALL.subarray(0, 1536)])).toEqual({ sent: Buffer.alloc(0), rest: '', over: false });
  expect(talk(server(), [CALL.subarray(0, -1)])).toMatchObject({ over: false });
  expect(talk(server(), [CALL])).toMatchObject({ over: true, rest: '' });
});

test.each([
  ['server', server],
  ['client', client],
])('%s: split at any position it is the same', (_, side) => {
  const bytes = Buffer.concat([CALL, REST]);
  const whole = talk(side(), [bytes]);
  expect(whole).toMatchObject({ over: true, rest: REST.toString() });
  for (let at = 0; at <= bytes.length; at++) {
    const parts = talk(side(), [bytes.subarray(0, at), bytes.subarray(at)]);
    if (!parts.sent.equals(whole.sent) || parts.rest !== whole.rest) expect({ at, ...parts }).toEqual(whole);
  }
  expect(
    talk(
      side(),
      Array.from(bytes, (byte) => Buffer.of(byte)),
    ),
  ).toEqual(whole);
});

test('client and server understand each other', () => {
  const calling = client();
  const called = server();
  const answer = called.read(calling.start());
  const confirmed = calling.read(answer.send!);
  expect(confirmed.done?.rest.length).toBe(0);
  expect(confirmed.send!.subarray(0, 4)).toEqual(Buffer.of(1, 2, 3, 4));
  expect(called.read(Buffer.concat([confirmed.send!, REST])).done?.rest).toEqual(REST);
});

describe('the first byte is refused at once', () => {
  test.each([
    ['RTMPE', 6, /RTMPE/],
    ['a later version', 4, /first byte is 4/],
    ['HTTP', 'G'.charCodeAt(0), /first byte is 71/],
    ['TLS', 22, /first byte is 22/],
    ['nothing', 0, /first byte is 0/],
  ])('%s', (_, version, words) => {
    for (const side of [server(), client()])
      try {
        side.read(Buffer.of(version));
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(RtmpError);
        expect(error).toMatchObject({ code: 'handshake', message: expect.stringMatching(words) });
      }
  });
});

test('bytes after the end are a mistake of ours', () => {
  const side = server();
  side.read(CALL);
  expect(() => side.read(REST)).toThrow(/over/);
});
