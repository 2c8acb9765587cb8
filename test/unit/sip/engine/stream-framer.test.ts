import { describe, expect, test } from 'vitest';
import { ByteQueue } from '../../../../gateways/sip/engine/byte-queue.ts';
import { LIMITS } from '../../../../gateways/sip/engine/parser.ts';
import { StreamFramer } from '../../../../gateways/sip/engine/stream-framer.ts';
import { requestBytes } from './workbench.ts';

/** What came out, in a word each; messages as they are. */
function read(framer: StreamFramer, ...pieces: (string | Buffer)[]): string[] {
  return pieces
    .flatMap((piece) => framer.read(Buffer.from(piece)))
    .map((part) => (part.type === 'message' ? part.bytes.toString('latin1') : part.type));
}

const WITH_BODY = requestBytes({ method: 'MESSAGE', body: 'a\r\n\r\nb' }).toString();
const WITHOUT = requestBytes({ method: 'OPTIONS' }).toString();
const STREAM = Buffer.from(`\r\n${WITH_BODY}\r\n\r\n${WITHOUT}\r\n${WITHOUT}\r\n\r\n\r\n\r\n${WITH_BODY}`);
const PARTS = [WITH_BODY, 'ping', WITHOUT, WITHOUT, 'ping', 'ping', WITH_BODY];

describe('the same comes out', () => {
  test('in one piece', () => {
    expect(read(new StreamFramer(), STREAM)).toEqual(PARTS);
  });

  test('byte by byte', () => {
    const framer = new StreamFramer();
    expect([...STREAM].flatMap((byte) => read(framer, Buffer.of(byte)))).toEqual(PARTS);
  });

  test('cut at any place', () => {
    for (let cut = 1; cut < STREAM.length; cut++) {
      expect(read(new StreamFramer(), STREAM.subarray(0, cut), STREAM.subarray(cut))).toEqual(PARTS);
    }
  });

  test.each([2, 3, 5, 7, 64, 100])('in pieces of %i bytes', (size) => {
    const framer = new StreamFramer();
    const pieces = Array.from({ length: Math.ceil(STREAM.length / size) }, (_, at) =>
      STREAM.subarray(at * size, (at + 1) * size),
    );
    expect(read(framer, ...pieces)).toEqual(PARTS);
  });
});

describe('Content-Length', () => {
  const messageWith = (line: string, body = '') => `OPTIONS sip:a SIP/2.0\r\n${line}\r\nX: y\r\n\r\n${body}`;

  test.each(['l: 3', 'L:3', 'Content-Length : 3', 'content-length:\t 3 ', 'Content-Length:\r\n 3'])(
    '%j',
    (line) => {
      const message = messageWith(line, 'abc');
      expect(read(new StreamFramer(), `${message}\r\n\r\n`)).toEqual([message, 'ping']);
    },
  );

  test.each([
    'X: y',
    'Content-Length: -1',
    'Content-Length: 1e3',
    'Content-Length: x',
    'Content-Length:',
    `Content-Length: ${LIMITS.messageBytes}`,
    'Content-Length: 99999999999999999999',
    'X-Content-Length: 3',
    'Subject: x\r\n Content-Length: 3',
  ])('%j breaks the stream', (line) => {
    const framer = new StreamFramer();
    expect(read(framer, WITHOUT, messageWith(line), WITHOUT)).toEqual([WITHOUT, 'broken']);
    expect(read(framer, WITHOUT)).toEqual([]);
  });

  test('what it broke at is there to be answered', () => {
    const message = messageWith('X: z');
    expect(new StreamFramer().read(Buffer.from(message))).toEqual([
      { type: 'broken', bytes: Buffer.from(message) },
    ]);
  });
});

test('headers that do not end break the stream at the largest size of a message', () => {
  const framer = new StreamFramer();
  expect(read(framer, 'x'.repeat(LIMITS.messageBytes))).toEqual([]);
  expect(read(framer, 'x')).toEqual(['broken']);
});

test('the largest message', () => {
  const head = (length: number) => `OPTIONS sip:a SIP/2.0\r\nl: ${length}\r\n\r\n`;
  const length = LIMITS.messageBytes - head(65_000).length;
  expect(read(new StreamFramer(), head(length) + 'x'.repeat(length))).toHaveLength(1);
  expect(read(new StreamFramer(), head(length + 1))).toEqual(['broken']);
});

test('garbage that looks like the start of a keep-alive is not passed over', () => {
  expect(read(new StreamFramer(), '\rX', 'y'.repeat(LIMITS.messageBytes))).toEqual(['broken']);
});

// Copying or searching everything again for each byte would be gigabytes in each round.
describe('bytes that trickle cost no more than others', () => {
  const trickle = (framer: StreamFramer, bytes: Buffer) => {
    let parts = 0;
    for (let at = 0; at < bytes.length; at++) parts += framer.read(bytes.subarray(at, at + 1)).length;
    return parts;
  };

  test.each([
    ['in a body', `OPTIONS sip:a SIP/2.0\r\nl: 60000\r\n\r\n${'x'.repeat(60_000)}`, 20, 1],
    ['in headers', 'x\r\n\r'.repeat(15_000), 20, 0],
  ])('%s', (_, text, rounds, parts) => {
    const bytes = Buffer.from(text);
    for (let round = 0; round < rounds; round++) expect(trickle(new StreamFramer(), bytes)).toBe(parts);
  });
});

describe('the queue', () => {
  test('gives what was put in, less what was dropped', () => {
    const queue = new ByteQueue();
    let expected = Buffer.alloc(0);
    let next = 0;
    for (let round = 1; round < 2_000; round++) {
      const piece = Buffer.from(Array.from({ length: (round * 7) % 97 }, () => next++ % 251));
      queue.append(piece);
      expected = Buffer.concat([expected, piece]);
      const dropped = Math.min(expected.length, (round * 5) % 101);
      queue.drop(dropped);
      expected = expected.subarray(dropped);
      expect(queue.length).toBe(expected.length);
      expect(queue.peek().equals(expected)).toBe(true);
    }
  });

  test('what was given to it may be used again', () => {
    const queue = new ByteQueue();
    const piece = Buffer.from('abc');
    queue.append(piece);
    piece.fill(0);
    expect(queue.peek().toString()).toBe('abc');
  });
});
