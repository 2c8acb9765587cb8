import { describe, expect, test } from 'vitest';
import { type CallStatistics, messages, type RemoteEnd } from '../../../gateways/sip/media/messages.ts';

const REMOTE: RemoteEnd = {
  address: '192.0.2.7',
  port: 4000,
  rtcpPort: 4001,
  codec: 'opus',
  payloadType: 96,
  receivePayloadType: 100,
  digitsPayloadType: 101,
  rate: 48_000,
  sends: true,
  receives: true,
};
const { digitsPayloadType: _, ...WITHOUT_DIGITS } = REMOTE;
const OPEN = { type: 'open', call: 'c', mix: 'm', bind: '0.0.0.0', rtpPort: 4000, rtcpPort: 4001 };
const PASS = { type: 'pass', call: 'c', link: 'l', ssrc: 0xffffffff, payloadType: 0 };
const STATISTICS: CallStatistics = {
  packets: 1,
  packetsLost: 0,
  bitrateBps: 64_000.5,
  jitterMs: 0.5,
  packetsForeign: 0,
  packetsUnknown: 0,
  packetsSent: 1,
  jitterBuffer: { depth: 0, late: 0, lost: 0, discarded: 0, stretched: 0 },
};

describe('requests', () => {
  test.each([
    OPEN,
    { type: 'start', call: 'c', remote: REMOTE, timeoutMs: 30_000 },
    { type: 'start', call: 'c', remote: WITHOUT_DIGITS, timeoutMs: 30_000 },
    { type: 'start', call: 'c', remote: { ...REMOTE, address: 'unknown', rtcpPort: 4000 }, timeoutMs: 1 },
    { type: 'mute', call: 'c', muted: true },
    { type: 'hear', call: 'c', receives: false },
    PASS,
    { type: 'unpass', call: 'c' },
    { type: 'send-mix', mix: 'm', link: 'l', ssrc: 1, payloadType: 100 },
    { type: 'unsend-mix', mix: 'm' },
    { type: 'statistics', call: 'c' },
    { type: 'close', call: 'c' },
  ])('$type', (request) => {
    expect(messages.request.parse(request)).toEqual(request);
  });

  test.each<[string, object]>([
    ['an unknown one', { type: 'sing', call: 'c' }],
    ['one without its call', { type: 'close' }],
    ['one with more than it should have', { type: 'close', call: 'c', force: true }],
    ['port 0', { ...OPEN, rtpPort: 0 }],
    ['a port too large', { ...OPEN, rtcpPort: 65_536 }],
    ['half a port', { ...OPEN, rtpPort: 4000.5 }],
    ['an SSRC of more than 32 bits', { ...PASS, ssrc: 2 ** 32 }],
    ['a negative SSRC', { ...PASS, ssrc: -1 }],
    ['a payload type of more than 7 bits', { ...PASS, payloadType: 128 }],
    [
      'a codec that cannot be mixed',
      { type: 'start', call: 'c', remote: { ...REMOTE, codec: 'G722' }, timeoutMs: 1 },
    ],
    [
      'a rate that no mix has',
      { type: 'start', call: 'c', remote: { ...REMOTE, rate: 44_100 }, timeoutMs: 1 },
    ],
    ['no timeout', { type: 'start', call: 'c', remote: REMOTE }],
  ])('%s is refused', (_, request) => {
    expect(messages.request.safeParse(request).success).toBe(false);
  });
});

describe('replies and notices', () => {
  test.each([
    {},
    { statistics: STATISTICS },
    { statistics: { ...STATISTICS, lostAtPhone: -3, roundTripMs: 12.5 } },
  ])('%o is a reply', (reply) => {
    expect(messages.reply.parse(reply)).toEqual(reply);
  });

  test.each([
    { type: 'digit', call: 'c', digit: '#' },
    { type: 'silent', call: 'c' },
    { type: 'quality', call: 'c', quality: 'poor' },
    { type: 'speakers', mix: 'm', levels: [] },
    { type: 'speakers', mix: 'm', levels: [{ call: 'c', levelDb: -20.5 }] },
  ])('%o is a notice', (notice) => {
    expect(messages.notice.parse(notice)).toEqual(notice);
  });

  test('what else there is is none', () => {
    expect(messages.reply.safeParse({ statistics: { ...STATISTICS, packets: 0.5 } }).success).toBe(false);
    expect(messages.reply.safeParse({ ok: true }).success).toBe(false);
    expect(messages.notice.safeParse({ type: 'digit', call: 'c', digit: 5 }).success).toBe(false);
    expect(messages.notice.safeParse({ type: 'loud', call: 'c' }).success).toBe(false);
  });
});
