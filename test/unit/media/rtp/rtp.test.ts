import { describe, expect, test } from 'vitest';
import { isRtcp, parseRtp, RTP_HEADER_BYTES, writeRtpHeader } from '../../../../src/media/rtp/rtp.ts';

/** Version 2, marker, payload type 96, sequence 0x1234, timestamp 0xfedcba98, SSRC 0x89abcdef (RFC 3550, 5.1). */
const REST = 'e0 1234 fedcba98 89abcdef';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

describe('reading', () => {
  test('takes the fields of the fixed header', () => {
    expect(parseRtp(bytes(`80 ${REST} aabbcc`))).toEqual({
      payloadType: 96,
      marker: true,
      sequenceNumber: 0x1234,
      timestamp: 0xfedcba98,
      ssrc: 0x89abcdef,
      payload: bytes('aabbcc'),
    });
  });

  test.each([
    ['a plain packet', `80 ${REST} aabbcc`, 'aabbcc'],
    ['no payload', `80 ${REST}`, ''],
    ['two contributing sources', `82 ${REST} 00000001 00000002 aabbcc`, 'aabbcc'],
    ['fifteen contributing sources', `8f ${REST} ${'00000001'.repeat(15)} aabbcc`, 'aabbcc'],
    ['a header extension of one word', `90 ${REST} bede0001 10ff0000 aabbcc`, 'aabbcc'],
    ['an empty header extension', `90 ${REST} bede0000 aabbcc`, 'aabbcc'],
    ['an extension behind a contributing source', `91 ${REST} 00000001 bede0001 10ff0000 aabbcc`, 'aabbcc'],
    ['padding of three bytes', `a0 ${REST} aabbcc 000003`, 'aabbcc'],
    ['nothing but padding', `a0 ${REST} 00000004`, ''],
    ['everything together', `b1 ${REST} 00000001 bede0001 10ff0000 aabbcc 0002`, 'aabbcc'],
  ])('finds the payload with %s', (_, packet, payload) => {
    expect(parseRtp(bytes(packet))?.payload.toString('hex')).toBe(payload);
  });

  test.each([
    ['no bytes', ''],
    ['eleven bytes', `80 ${REST}`.slice(0, -2)],
    ['version 0', `00 ${REST} aabbcc`],
    ['version 1', `40 ${REST} aabbcc`],
    ['version 3', `c0 ${REST} aabbcc`],
    ['contributing sources that are cut off', `82 ${REST} 00000001`],
    ["an extension's header that is cut off", `90 ${REST} bede`],
    ['an extension longer than the packet', `90 ${REST} bede0002 10ff0000`],
    ['the longest extension in a short packet', `90 ${REST} bedeffff 10ff0000`],
    ['padding longer than the payload', `a0 ${REST} aabb05`],
    ['padding that reaches into the extension', `b0 ${REST} bede0001 10ff0000 aa0004`],
    ['padding longer than the packet', `a0 ${REST} aabbff`],
  ])('refuses %s', (_, packet) => {
    expect(parseRtp(bytes(packet))).toBeUndefined();
  });

  test('copies nothing', () => {
    const packet = bytes(`80 ${REST} aabbcc`);
    parseRtp(packet)!.payload[0] = 0x11;
    expect(packet[RTP_HEADER_BYTES]).toBe(0x11);
  });
});

describe('writing', () => {
  test.each([
    { payloadType: 0, marker: false, sequenceNumber: 0, timestamp: 0, ssrc: 0 },
    { payloadType: 96, marker: true, sequenceNumber: 0x1234, timestamp: 0xfedcba98, ssrc: 0x89abcdef },
    { payloadType: 127, marker: true, sequenceNumber: 65535, timestamp: 0xffffffff, ssrc: 0xffffffff },
  ])('gives what reading takes: %o', (header) => {
    const packet = Buffer.alloc(RTP_HEADER_BYTES + 2, 0xff);
    writeRtpHeader(packet, header);
    expect(parseRtp(packet)).toEqual({ ...header, payload: bytes('ffff') });
  });

  test('lays the fields out as RFC 3550 says', () => {
    const packet = Buffer.alloc(RTP_HEADER_BYTES);
    const header = { payloadType: 96, marker: true, sequenceNumber: 0x1234, timestamp: 0xfedcba98 };
    writeRtpHeader(packet, { ...header, ssrc: 0x89abcdef });
    expect(packet).toEqual(bytes(`80 ${REST}`));
  });

  test('wraps numbers that counted on past their width', () => {
    const packet = Buffer.alloc(RTP_HEADER_BYTES);
    writeRtpHeader(packet, {
      payloadType: 8,
      marker: false,
      sequenceNumber: 65536 + 5,
      timestamp: 2 ** 32 + 160,
      ssrc: -1,
    });
    expect(parseRtp(packet)).toMatchObject({ sequenceNumber: 5, timestamp: 160, ssrc: 0xffffffff });
  });
});

describe('RTCP on the same port (RFC 5761, section 4)', () => {
  test.each([
    ['a sender report', '80c80006 89abcdef', true],
    ['a receiver report', '81c90007 89abcdef', true],
    ['feedback', '81ce0002 89abcdef', true],
    ['the first of its packet types', '80c00001 89abcdef', true],
    ['the last of its packet types', '80df0001 89abcdef', true],
    ['an RTP packet', `80 ${REST}`, false],
    ['an RTP packet with marker and payload type 63', '80bf0000 00000000 89abcdef', false],
    ['an RTP packet with marker and payload type 96', '80e00000 00000000 89abcdef', false],
    ['less than a header', '80c80006', false],
  ])('%s', (_, packet, expected) => {
    expect(isRtcp(bytes(packet))).toBe(expected);
  });
});
