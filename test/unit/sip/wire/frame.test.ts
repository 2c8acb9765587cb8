import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameReader, MAX_FRAME_BYTES } from '../../../../gateways/sip/wire/frame.ts';

const read = (reader: FrameReader, ...pieces: (string | Buffer)[]) =>
  pieces.flatMap((piece) => [...reader.read(Buffer.from(piece))]);

const MESSAGE = Buffer.from('INVITE sip:a SIP/2.0\r\n\r\n12#|\xff', 'latin1');
const FRAMES = [
  { id: '1', verb: 'ping', fields: [], message: undefined },
  { id: '2', verb: 'sip', fields: ['', 'x', 'ž'], message: MESSAGE },
  { id: '3', verb: 'response', fields: ['OK', ''], message: undefined },
  { id: '4', verb: 'sip', fields: [], message: Buffer.alloc(0) },
];
const STREAM = Buffer.concat(
  FRAMES.map(({ id, verb, fields, message }) => encodeFrame(id, verb, fields, message)),
);

describe('what was encoded is read', () => {
  test('in one piece', () => {
    expect(read(new FrameReader(), STREAM)).toEqual(FRAMES);
  });

  test('byte by byte', () => {
    const reader = new FrameReader();
    expect([...STREAM].flatMap((byte) => read(reader, Buffer.of(byte)))).toEqual(FRAMES);
  });

  test('cut at any place', () => {
    for (let cut = 1; cut < STREAM.length; cut++) {
      expect(read(new FrameReader(), STREAM.subarray(0, cut), STREAM.subarray(cut))).toEqual(FRAMES);
    }
  });
});

test('as drachtio-srf writes it: the length is of bytes', () => {
  expect(encodeFrame('id', 'route', ['ž']).toString()).toBe('11#id|route|ž');
  expect(encodeFrame('id', 'sip', [], Buffer.from('x')).toString()).toBe('9#id|sip\r\nx');
});

describe('what is not of this protocol is refused', () => {
  test.each([
    '#',
    '0#',
    '-1#x',
    '1e3#',
    ' 5#12345',
    'GET / HTTP/1.1',
    '12345678',
    '99999999#',
    '0x10#',
    '9999999#',
  ])('%j', (text) => {
    expect(() => read(new FrameReader(), text)).toThrow(/^A frame /);
  });

  test('one that is too large, before it is there', () => {
    expect(() => read(new FrameReader(), `${MAX_FRAME_BYTES + 1}#`)).toThrow(
      'A frame with a malformed length.',
    );
    expect(read(new FrameReader(), `${MAX_FRAME_BYTES}#`)).toEqual([]);
  });

  test('one that is larger than permitted so far', () => {
    const reader = new FrameReader(10);
    expect(() => read(reader, '11#')).toThrow();
    const permitted = new FrameReader(10);
    permitted.permit(11);
    expect(read(permitted, '11#id|abcdefgh')).toHaveLength(1);
  });

  test('what was whole before is read all the same', () => {
    const frames = new FrameReader().read(Buffer.concat([STREAM, Buffer.from('garbage!')]));
    for (const frame of FRAMES) expect(frames.next().value).toEqual(frame);
    expect(() => frames.next()).toThrow();
  });

  test('a length without its end may still come', () => {
    expect(read(new FrameReader(), '1234567')).toEqual([]);
  });
});

// Copying everything for each byte would take 8 GB of copying.
test('bytes that trickle are not copied over and over', () => {
  const reader = new FrameReader();
  const frame = encodeFrame('1', 'sip', [], Buffer.alloc(MAX_FRAME_BYTES - 20));
  let frames = 0;
  for (let at = 0; at < frame.length; at++) frames += read(reader, frame.subarray(at, at + 1)).length;
  expect(frames).toBe(1);
});
