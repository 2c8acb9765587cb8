import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ntpDelay, ntpFraction, ntpMiddle, ntpSeconds, wallClockOf } from '../../../../src/media/rtp/ntp.ts';
import { Reception } from '../../../../src/media/rtp/reception.ts';
import {
  parseRtcp,
  type ReportBlock,
  reportBytes,
  type SenderInfo,
  writeReport,
} from '../../../../src/media/rtp/rtcp.ts';
import { parseRtp } from '../../../../src/media/rtp/rtp.ts';
import { RtcpSession } from '../../../../src/media/rtp-session/rtcp-session.ts';
import { RtpSender } from '../../../../src/media/rtp-session/rtp-sender.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PHONE = '192.0.2.7';
const PHONE_SSRC = 0xabcd;
/** Halfway between the shortest interval and the longest: 5 s. */
const HALF = 0.5;

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(HALF);
});
afterEach(() => {
  vi.restoreAllMocks();
});

interface Sent {
  readonly ssrc: number;
  readonly sender: SenderInfo | undefined;
  readonly blocks: readonly ReportBlock[];
  readonly bye: boolean;
  readonly packet: Buffer;
}

function call() {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const session = new RtcpSession(clock, (buffer, bytes) => {
    const packet = Buffer.from(buffer.subarray(0, bytes));
    const parts = parseRtcp(packet)!;
    const report = parts.find((part) => part.type === 'report')!;
    sent.push({ ...report, bye: parts.some(({ type }) => type === 'bye'), packet });
  });
  const timestamps: number[] = [];
  const sender = new RtpSender(
    0,
    160,
    (packet, bytes) => timestamps.push(parseRtp(packet.subarray(0, bytes))!.timestamp),
    0xcafe,
    clock,
  );
  return { clock, sent, session, sender, timestamps };
}

/** Sends frames and looks after the reports as a call does. */
function talk({ clock, session, sender }: ReturnType<typeof call>, ms: number, reception?: Reception): void {
  for (let at = 0; at < ms; at += 20) {
    sender.deliver(new Uint8Array(160), 160);
    clock.advance(20);
    if (clock.now() % 1000 === 0) session.sendIfDue(sender, reception);
  }
}

/** A source of which some packets were lost. */
function received(count: number, lost: number[] = []): Reception {
  const reception = new Reception(PHONE_SSRC);
  for (let number = 0; number < count; number++) {
    if (!lost.includes(number)) reception.onPacket(number, number * 160, number * 160);
  }
  return reception;
}

/** What a phone's report looks like. */
function report(blocks: ReportBlock[], sender?: SenderInfo): Buffer {
  const target = Buffer.alloc(reportBytes(blocks.length));
  const cname = Buffer.from('phone');
  const bytes = writeReport(target, { ssrc: PHONE_SSRC, sender, blocks, cname, bye: false });
  return target.subarray(0, bytes);
}

const BLOCK: ReportBlock = {
  ssrc: 0xcafe,
  fractionLost: 0,
  packetsLost: 12,
  highestSequenceNumber: 100,
  jitter: 5,
  lastSenderReport: 0,
  delaySinceLastSenderReport: 0,
};

describe('a report is sent', () => {
  test.each([
    [0, 2500],
    [HALF, 5000],
    [0.9999999, 7500],
  ])('with chance at %f every %i ms', (random, everyMs) => {
    vi.mocked(Math.random).mockReturnValue(random);
    const { clock, session, sent, sender } = call();
    const at: number[] = [];
    for (let ms = 0; ms < 30_000; ms += 100) {
      clock.advance(100);
      session.sendIfDue(sender, undefined);
      if (sent.length > at.length) at.push(clock.now());
    }
    expect(at).toEqual(Array.from({ length: 30_000 / everyMs }, (_, index) => (index + 1) * everyMs));
  });

  test('with what we sent: packets, payload bytes and two times of one instant', () => {
    const one = call();
    const start = one.clock.wallClock();
    talk(one, 5000);
    const [first] = one.sent;
    expect(first).toMatchObject({ ssrc: 0xcafe, blocks: [], bye: false });
    expect(first!.sender).toMatchObject({ packets: 250, octets: 250 * 160 });
    const { ntpSeconds: seconds, ntpFraction: fraction, rtpTimestamp } = first!.sender!;
    const sinceStartMs = wallClockOf(seconds, fraction) - start;
    expect(sinceStartMs).toBeCloseTo(5000, 3);
    expect(rtpTimestamp).toBe((one.timestamps[0]! + sinceStartMs * 8) >>> 0);
  });

  test('the two times go together at every report, wherever between two packets, and after a hold', () => {
    vi.mocked(Math.random).mockReturnValue(0);
    const one = call();
    const differences = new Set<number>();
    for (let round = 0; round < 12; round++) {
      for (let at = 0; at < 4000; at += 20) {
        one.sender.deliver(new Uint8Array(160), 160);
        one.clock.advance(20);
      }
      const offsetMs = (7 * round) % 20;
      one.clock.advance(offsetMs);
      one.session.sendIfDue(one.sender, undefined);
      const { sender } = one.sent.at(-1)!;
      const clockMs = Math.round(wallClockOf(sender!.ntpSeconds, sender!.ntpFraction));
      differences.add((sender!.rtpTimestamp - clockMs * 8) >>> 0);
      one.clock.advance(100 * round);
      one.sender.resume();
      one.clock.advance(20 - offsetMs);
    }
    expect(one.sent).toHaveLength(12);
    expect(differences.size).toBe(1);
  });

  test('with what came: loss, and when the last report of the phone did', () => {
    const one = call();
    const reception = received(100, [50, 51]);
    const atPhone = one.clock.wallClock();
    const info: SenderInfo = {
      ntpSeconds: ntpSeconds(atPhone),
      ntpFraction: ntpFraction(atPhone),
      rtpTimestamp: 0,
      packets: 1,
      octets: 160,
    };
    one.session.release({ address: PHONE, port: 4001 });
    one.clock.advance(2000);
    expect(one.session.receive(report([], info), PHONE, 4001, PHONE, reception, one.sender)).toBe(true);
    one.clock.advance(3000);
    one.session.sendIfDue(one.sender, reception);
    expect(one.sent[0]).toMatchObject({ ssrc: 0xcafe, sender: undefined });
    expect(one.sent[0]!.blocks).toEqual([
      {
        ssrc: PHONE_SSRC,
        fractionLost: Math.floor((2 * 256) / 99),
        packetsLost: 2,
        highestSequenceNumber: 99,
        jitter: 0,
        lastSenderReport: ntpMiddle(info.ntpSeconds, info.ntpFraction),
        delaySinceLastSenderReport: ntpDelay(3000),
      },
    ]);
  });

  test('is a receiver report before anything was sent, by a name that stays', () => {
    const { clock, session, sent } = call();
    for (let count = 0; count < 2; count++) {
      clock.advance(5000);
      session.sendIfDue(undefined, undefined);
    }
    expect(sent.map(({ sender }) => sender)).toEqual([undefined, undefined]);
    expect(sent[0]!.ssrc).not.toBe(0);
    expect(sent[1]!.ssrc).toBe(sent[0]!.ssrc);
  });

  test('is a sender report if something was sent since the one before the last', () => {
    const one = call();
    talk(one, 5000);
    for (let count = 0; count < 3; count++) {
      one.clock.advance(5000);
      one.session.sendIfDue(one.sender, undefined);
    }
    talk(one, 5000);
    expect(one.sent.map(({ sender }) => sender !== undefined)).toEqual([true, true, false, false, true]);
  });

  test('has the same name (CNAME) in all calls, which says nothing about the machine', () => {
    const names = [call(), call()].map((one) => {
      talk(one, 5000);
      const { packet } = one.sent[0]!;
      const description = packet.subarray(28); // after the sender report
      expect(description[1]).toBe(202);
      return description.subarray(10, 10 + description[9]!).toString();
    });
    expect(names[0]).toMatch(/^[\w-]{16}$/);
    expect(names[1]).toBe(names[0]);
  });
});

describe('goodbye', () => {
  test('is said by those who sent', () => {
    const one = call();
    talk(one, 100);
    one.session.sayGoodbye(one.sender, received(10));
    expect(one.sent).toMatchObject([{ bye: true, sender: { packets: 5 }, blocks: [{ ssrc: PHONE_SSRC }] }]);
  });

  test('is not said by those who did not (RFC 3550, section 6.3.7)', () => {
    const one = call();
    one.session.sayGoodbye(undefined, undefined);
    one.session.sayGoodbye(one.sender, received(10));
    expect(one.sent).toEqual([]);
  });
});

describe('what the phone reports', () => {
  test('is how much of ours it lost, and the round trip', () => {
    const one = call();
    talk(one, 5000);
    one.session.release({ address: PHONE, port: 4001 });
    const { ntpSeconds: seconds, ntpFraction: fraction } = one.sent[0]!.sender!;
    one.clock.advance(1080);
    const block = {
      ...BLOCK,
      lastSenderReport: ntpMiddle(seconds, fraction),
      delaySinceLastSenderReport: ntpDelay(1000),
    };
    one.session.receive(report([{ ...BLOCK, ssrc: 1 }, block]), PHONE, 4001, PHONE, undefined, one.sender);
    expect(one.session.heard).toEqual({ lostAtPhone: 12, roundTripMs: expect.closeTo(80, 1) });
  });

  test('about another stream than ours says nothing', () => {
    const one = call();
    one.session.release({ address: PHONE, port: 4001 });
    const about = (block: ReportBlock) =>
      one.session.receive(report([block]), PHONE, 4001, PHONE, undefined, one.sender);
    expect(about({ ...BLOCK, ssrc: 1 })).toBe(true);
    expect(one.session.heard).toEqual({});
    about(BLOCK);
    expect(one.session.heard).toEqual({ lostAtPhone: 12 });
  });

  test.each<[string, Buffer, string, number, string | undefined, boolean]>([
    ['from the phone', report([BLOCK]), PHONE, 4001, PHONE, true],
    ['before its RTP came', report([BLOCK]), PHONE, 4001, undefined, true],
    ['from another address than its RTP', report([BLOCK]), '203.0.113.5', 4001, PHONE, false],
    ['that are none', Buffer.from('nonsense'), PHONE, 4001, PHONE, false],
    ['that are nothing', Buffer.alloc(0), PHONE, 4001, PHONE, false],
    ['from a port that cannot be answered', report([BLOCK]), PHONE, 0, PHONE, false],
  ])('%s: packets count as its own only then', (_, packet, address, port, phone, expected) => {
    const one = call();
    one.session.release({ address: PHONE, port: 4002 });
    expect(one.session.receive(packet, address, port, phone, undefined, one.sender)).toBe(expected);
    expect(one.session.heard).toEqual(expected ? { lostAtPhone: 12 } : {});
    expect([one.session.address, one.session.port]).toEqual([PHONE, expected ? 4001 : 4002]);
  });

  test('is not listened to before it is known where the phone is', () => {
    const one = call();
    expect(one.session.receive(report([BLOCK]), PHONE, 4001, undefined, undefined, one.sender)).toBe(false);
    expect([one.session.address, one.session.port]).toEqual(['', 0]);
  });

  test('comes from one source, until the phone may have moved', () => {
    const one = call();
    one.session.release({ address: PHONE, port: 4001 });
    const from = (port: number) =>
      one.session.receive(report([BLOCK]), PHONE, port, PHONE, undefined, one.sender);
    expect([from(5000), from(5001), from(5000)]).toEqual([true, false, true]);
    one.session.release({ address: PHONE, port: 4001 });
    expect(one.session.port).toBe(4001);
    expect([from(5001), from(5000)]).toEqual([true, false]);
  });
});
