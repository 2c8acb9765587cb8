import { describe, expect, test } from 'vitest';
import {
  parseRtcp,
  type Report,
  reportBytes,
  reportIntervalMs,
  writeReport,
} from '../../../../src/media/rtp/rtcp.ts';

const SENDER = {
  ntpSeconds: 0x83aa7e80,
  ntpFraction: 0x80000000,
  rtpTimestamp: 800,
  packets: 5,
  octets: 0xffffffff,
};
const BLOCK = {
  ssrc: 0xaabbccdd,
  fractionLost: 64,
  packetsLost: -2,
  highestSequenceNumber: 0x1ffff,
  jitter: 16,
  lastSenderReport: 0x7e808000,
  delaySinceLastSenderReport: 0x10000,
};
const CNAME = Buffer.from('ab@c');

const SSRC_HEX = '11223344';
const SENDER_HEX = '83aa7e80 80000000 00000320 00000005 ffffffff';
const BLOCK_HEX = 'aabbccdd 40fffffe 0001ffff 00000010 7e808000 00010000';
const SDES_HEX = `81ca0003 ${SSRC_HEX} 0104 61624063 0000`;
const BYE_HEX = `81cb0001 ${SSRC_HEX}`;

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

function written(report: Partial<Report>): Buffer {
  const target = Buffer.alloc(1000, 0xee);
  const whole = { ssrc: 0x11223344, sender: undefined, blocks: [], cname: CNAME, bye: false, ...report };
  return target.subarray(0, writeReport(target, whole));
}

describe('writing', () => {
  test.each<[string, Partial<Report>, string]>([
    ['an empty receiver report', {}, `80c90001 ${SSRC_HEX} ${SDES_HEX}`],
    ['a receiver report', { blocks: [BLOCK] }, `81c90007 ${SSRC_HEX} ${BLOCK_HEX} ${SDES_HEX}`],
    ['a sender report', { sender: SENDER }, `80c80006 ${SSRC_HEX} ${SENDER_HEX} ${SDES_HEX}`],
    [
      'a sender report with two blocks',
      { sender: SENDER, blocks: [BLOCK, BLOCK] },
      `82c80012 ${SSRC_HEX} ${SENDER_HEX} ${BLOCK_HEX} ${BLOCK_HEX} ${SDES_HEX}`,
    ],
    ['the last report', { bye: true }, `80c90001 ${SSRC_HEX} ${SDES_HEX} ${BYE_HEX}`],
    [
      'a name that one zero ends',
      { cname: Buffer.from('ab@cd') },
      `80c90001 ${SSRC_HEX} 81ca0003 ${SSRC_HEX} 0105 6162406364 00`,
    ],
    [
      'a name that fills its word: a word of zeros ends it',
      { cname: Buffer.from('ab@cde') },
      `80c90001 ${SSRC_HEX} 81ca0004 ${SSRC_HEX} 0106 616240636465 00000000`,
    ],
  ])('%s', (_, report, expected) => {
    expect(written(report).toString('hex')).toBe(bytes(expected).toString('hex'));
  });

  test('numbers that counted on past their width start over', () => {
    const packet = written({ sender: { ...SENDER, packets: 2 ** 32 + 5, rtpTimestamp: 2 ** 32 + 800 } });
    expect(parseRtcp(packet)).toMatchObject([{ sender: { packets: 5, rtpTimestamp: 800 } }]);
  });

  test('the largest fits into the bytes that are said to be enough, and into no fewer', () => {
    const report = {
      ssrc: 1,
      sender: SENDER,
      blocks: Array.from({ length: 31 }, () => BLOCK),
      cname: Buffer.alloc(255, 'x'),
      bye: true,
    };
    const enough = reportBytes(31);
    expect(writeReport(Buffer.alloc(enough), report)).toBe(enough);
    for (let size = 0; size < enough; size++) {
      expect(() => writeReport(Buffer.alloc(size), report)).toThrow(RangeError);
    }
    // Without a BYE, the zeros after the name are the last bytes.
    expect(() => writeReport(Buffer.alloc(enough - 9), { ...report, bye: false })).toThrow(RangeError);
  });

  test.each<[string, Partial<Report>]>([
    ['32 blocks', { blocks: Array.from({ length: 32 }, () => BLOCK) }],
    ['no name', { cname: Buffer.alloc(0) }],
    ['a name of 256 bytes', { cname: Buffer.alloc(256) }],
  ])('refuses %s', (_, report) => {
    expect(() => written(report)).toThrow(RangeError);
  });
});

describe('reading', () => {
  const receiverReport = { type: 'report', ssrc: 0x11223344, sender: undefined, blocks: [BLOCK] };
  const senderReport = { ...receiverReport, sender: SENDER };
  const bye = { type: 'bye', ssrcs: [0x11223344] };
  const RR_HEX = `81c90007 ${SSRC_HEX} ${BLOCK_HEX}`;

  test.each<[string, string, unknown[]]>([
    ['a sender report', `81c8000c ${SSRC_HEX} ${SENDER_HEX} ${BLOCK_HEX} ${SDES_HEX}`, [senderReport]],
    ['a receiver report', `${RR_HEX} ${SDES_HEX}`, [receiverReport]],
    ['the last one', `${RR_HEX} ${SDES_HEX} ${BYE_HEX}`, [receiverReport, bye]],
    [
      'a BYE of two with a reason',
      '82cb0003 11223344 00000001 03627965',
      [{ type: 'bye', ssrcs: [0x11223344, 1] }],
    ],
    ['an empty BYE', '80cb0000', [{ type: 'bye', ssrcs: [] }]],
    [
      'feedback, an application packet and an extended report around it',
      `81ce0002 ${SSRC_HEX} aabbccdd 80cc0002 ${SSRC_HEX} 74657374 80cf0001 ${SSRC_HEX} ${RR_HEX}`,
      [receiverReport],
    ],
    [
      "a report with its profile's extension",
      `81c90009 ${SSRC_HEX} ${BLOCK_HEX} 00000000 00000000`,
      [receiverReport],
    ],
    ['padding', `${RR_HEX} a1cb0002 ${SSRC_HEX} 00000004`, [receiverReport, bye]],
    ['what comes before something cut off', `${RR_HEX} 81ca0003 ${SSRC_HEX}`, [receiverReport]],
    ['what comes before half a header', `${RR_HEX} 81ca`, [receiverReport]],
    ['what comes before another version', `${RR_HEX} 41cb0001 ${SSRC_HEX} ${BYE_HEX}`, [receiverReport]],
    ['what comes before no RTCP', `${RR_HEX} 80600001 ${SSRC_HEX} ${BYE_HEX}`, [receiverReport]],
    [
      'what comes before more blocks than its bytes',
      `${RR_HEX} 82c90007 ${SSRC_HEX} ${BLOCK_HEX} ${BYE_HEX}`,
      [receiverReport],
    ],
    ['what comes before more sources than its bytes', `${RR_HEX} 82cb0001 ${SSRC_HEX}`, [receiverReport]],
  ])('%s', (_, packet, expected) => {
    expect(parseRtcp(bytes(packet))).toEqual(expected);
  });

  test.each([
    ['no bytes', ''],
    ['three bytes', '80c900'],
    ['version 1', `40c90001 ${SSRC_HEX}`],
    ['an RTP packet', `80000001 ${SSRC_HEX} aabbccdd`],
    ['a length beyond its end', `80c90002 ${SSRC_HEX}`],
    ['the greatest length', `80c9ffff ${SSRC_HEX}`],
    ['a report without a source', '80c90000'],
    ['a sender report without its sender', `80c80001 ${SSRC_HEX}`],
    ['31 blocks in none', `9fc90001 ${SSRC_HEX}`],
    ['a BYE of a source that is missing', '81cb0000'],
  ])('refuses %s', (_, packet) => {
    expect(parseRtcp(bytes(packet))).toBeUndefined();
  });

  test('no more than 32 parts', () => {
    expect(parseRtcp(bytes('80cb0000'.repeat(32)))).toHaveLength(32);
    expect(parseRtcp(bytes('80cb0000'.repeat(300)))).toHaveLength(32);
  });

  test('throws nothing, whatever byte is wrong or missing', () => {
    const packet = bytes(
      `82c80012 ${SSRC_HEX} ${SENDER_HEX} ${BLOCK_HEX} ${BLOCK_HEX} ${SDES_HEX} ${BYE_HEX}`,
    );
    for (let at = 0; at < packet.length; at++) {
      parseRtcp(packet.subarray(0, at));
      for (const value of [0, 1, 0x7f, 0x80, 0x9f, 0xc8, 0xc9, 0xcb, 0xff]) {
        const wrong = Buffer.from(packet);
        wrong[at] = value;
        parseRtcp(wrong);
      }
    }
  });
});

test.each([
  [0, 2500],
  [0.5, 5000],
  [0.9, 7000],
])('the next report, by chance %d, after %i ms', (random, expected) => {
  expect(reportIntervalMs(() => random)).toBe(expected);
});
