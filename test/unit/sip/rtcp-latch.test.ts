import { describe, expect, test } from 'vitest';
import type { RemoteEnd } from '../../../gateways/sip/media/messages.ts';
import { reportBytes, writeReport } from '../../../src/media/rtp/rtcp.ts';
import { turn } from '../support/fake-process.ts';
import { type LocatedPeer, peerAt } from '../support/located-udp.ts';
import { phoneCall, until } from '../support/phone-call.ts';

/* Reports of a phone that sends no sound are known by where its description and its signalling say that it is. */

const PHONE = '127.0.0.5';
const STRANGER = '127.0.0.66';

/** A phone that only listens, and reports from a port of its own. */
async function reportingCall(change: Partial<RemoteEnd> = {}) {
  const call = await phoneCall();
  const [rtcp, stranger] = [await peerAt(PHONE), await peerAt(STRANGER)];
  const remote: RemoteEnd = {
    ...call.remote,
    address: PHONE,
    signalled: PHONE,
    rtcpPort: rtcp.port,
    ...change,
  };
  const packet = Buffer.alloc(reportBytes(0));
  const cname = Buffer.from('phone');
  const bytes = writeReport(packet, { ssrc: 1, sender: undefined, blocks: [], cname, bye: false });
  const report = async (from: LocatedPeer) => {
    await from.send(packet.subarray(0, bytes), call.ports.rtcpPort);
    for (let turns = 0; turns < 20; turns++) await turn();
  };
  /** Our next report goes to that peer, and not to the stranger. */
  const expectReportAt = async (peer: LocatedPeer) => {
    const [before, bled] = [peer.received.length, stranger.received.length];
    call.clock.advance(5_000);
    call.media.watch();
    await until(() => peer.received.length + stranger.received.length > before + bled);
    expect([peer.received.length - before, stranger.received.length - bled]).toEqual([1, 0]);
  };
  return { ...call, rtcp, stranger, remote, report, expectReportAt };
}

const LISTENS = { sends: false };

describe('our reports', () => {
  test('do not go to a stranger who reports to us first', async () => {
    const { media, remote, report, expectReportAt, rtcp, stranger } = await reportingCall(LISTENS);
    media.start(remote, 30_000);
    await report(stranger);
    await expectReportAt(rtcp);
  });

  test('do not go to a stranger who reports to us while the phone does not', async () => {
    const { media, remote, report, expectReportAt, rtcp, stranger, clock } = await reportingCall(LISTENS);
    media.start(remote, 30_000);
    await report(rtcp);
    clock.advance(60_000);
    await report(stranger);
    await expectReportAt(rtcp);
  });

  test('go to where the signalling comes from, when reports come from there, whoever was first', async () => {
    const { media, remote, report, expectReportAt, rtcp, stranger } = await reportingCall({
      ...LISTENS,
      address: '127.0.0.99',
    });
    media.start(remote, 30_000);
    await report(stranger);
    await report(rtcp);
    await expectReportAt(rtcp);
  });
});

describe('reports of a stranger', () => {
  test('are no sign of life of a phone that is gone', async () => {
    const { media, remote, report, stranger, clock, events } = await reportingCall();
    media.start(remote, 5_000);
    for (let round = 0; round < 4; round++) {
      clock.advance(2_000);
      await report(stranger);
      media.watch();
    }
    expect(events).toContain('silent');
  });

  test('do not keep out those of the phone', async () => {
    const { media, remote, report, rtcp, stranger, clock, events } = await reportingCall({
      address: '127.0.0.99',
    });
    media.start(remote, 5_000);
    for (let round = 0; round < 4; round++) {
      clock.advance(2_000);
      await report(stranger);
      await report(rtcp);
      media.watch();
    }
    expect(events).not.toContain('silent');
    for (let round = 0; round < 4; round++) {
      clock.advance(2_000);
      await report(stranger);
      media.watch();
    }
    expect(events).toContain('silent');
  });
});
