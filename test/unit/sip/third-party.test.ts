import { describe, expect, test } from 'vitest';
import type { RemoteEnd } from '../../../gateways/sip/media/messages.ts';
import { reportBytes, writeReport } from '../../../src/media/rtp/rtcp.ts';
import { turn } from '../support/fake-process.ts';
import { type LocatedPeer, peerAt } from '../support/located-udp.ts';
import { phoneCall } from '../support/phone-call.ts';
import { flat } from '../support/sounds.ts';

/*
 * A caller may say any address for its sound. Whoever is there did not ask for it: he gets a little, which a phone answers,
 * and the whole of it only once something came from there.
 */

const CALLER = '127.0.0.5';
const TARGET = '127.0.0.7';
const TICKS_PER_SECOND = 50;
/** What somebody has to bear who never asked for anything. */
const A_LITTLE = 200;

async function misdirectedCall(change: Partial<RemoteEnd> = {}) {
  const call = await phoneCall();
  const [target, targetRtcp, caller] = [await peerAt(TARGET), await peerAt(TARGET), await peerAt(CALLER)];
  const remote: RemoteEnd = {
    ...call.remote,
    address: TARGET,
    signalled: CALLER,
    port: target.port,
    rtcpPort: targetRtcp.port,
    ...change,
  };
  /** The room speaks for so long. @returns how many packets that peer got of it */
  const speak = async (seconds: number, peer: LocatedPeer): Promise<number> => {
    const before = peer.received.length;
    const sent = call.media.statistics.packetsSent;
    for (let tick = 0; tick < seconds * TICKS_PER_SECOND; tick++) {
      call.clock.advance(20);
      call.mixer.tick();
      await turn(); // a socket that is not read keeps only so many packets
    }
    const isAllThere = () => peer.received.length - before >= call.media.statistics.packetsSent - sent;
    for (let turns = 0; turns < 200 && !isAllThere(); turns++) await turn();
    return peer.received.length - before;
  };
  const report = () => {
    const packet = Buffer.alloc(reportBytes(0));
    const cname = Buffer.from('phone');
    const bytes = writeReport(packet, { ssrc: 1, sender: undefined, blocks: [], cname, bye: false });
    return packet.subarray(0, bytes);
  };
  return { ...call, target, targetRtcp, caller, remote, speak, report };
}

const LISTENS = { sends: false };

describe('an address that a caller named for its sound, and from which nothing comes,', () => {
  test.each<[string, Partial<RemoteEnd>]>([
    ['as a listener', LISTENS],
    ['as one who would speak', {}],
    ['with RTCP at the same port', { ...LISTENS, rtcpPort: 0 }],
  ])('%s, gets a little of it only', async (_, { rtcpPort, ...change }) => {
    const { media, remote, speak, target } = await misdirectedCall(change);
    media.start(rtcpPort === 0 ? { ...remote, rtcpPort: remote.port } : remote, 30_000);
    const packets = await speak(30, target);
    expect(packets).toBeGreaterThan(0);
    expect(packets).toBeLessThanOrEqual(A_LITTLE);
    expect(await speak(30, target)).toBeLessThanOrEqual(A_LITTLE);
  });

  test.each(['RTP', 'a report', 'a report to the port of RTP'])(
    'gets all of it after %s came from there',
    async (sign) => {
      const { media, remote, speak, target, targetRtcp, report, send, ports } =
        await misdirectedCall(LISTENS);
      const isMuxed = sign.endsWith('port of RTP');
      media.start(isMuxed ? { ...remote, rtcpPort: remote.port } : remote, 30_000);
      expect(await speak(10, target)).toBeLessThanOrEqual(A_LITTLE);
      if (sign === 'RTP') await send(flat(0), {}, target);
      else {
        await (isMuxed ? target : targetRtcp).send(report(), isMuxed ? ports.rtpPort : ports.rtcpPort);
        for (let turns = 0; turns < 20; turns++) await turn();
      }
      expect(await speak(2, target)).toBe(2 * TICKS_PER_SECOND);
    },
  );

  test('gets a little only of each call that is moved there', async () => {
    const { media, remote, speak, target, caller, send } = await misdirectedCall();
    media.start({ ...remote, address: CALLER, port: caller.port }, 30_000);
    await send(flat(0), {}, caller);
    expect(await speak(10, caller)).toBe(10 * TICKS_PER_SECOND);
    media.start({ ...remote, ...LISTENS }, 30_000);
    expect(await speak(30, target)).toBeLessThanOrEqual(A_LITTLE);
  });
});

test('an address that a caller named and signals from gets all of the sound, and its neighbour a little', async () => {
  const { media, remote, speak, caller, target } = await misdirectedCall();
  media.start({ ...remote, ...LISTENS, address: CALLER, port: caller.port }, 30_000);
  expect(await speak(10, caller)).toBe(10 * TICKS_PER_SECOND);
  media.start({ ...remote, ...LISTENS }, 30_000);
  expect(await speak(10, target)).toBeLessThanOrEqual(A_LITTLE);
});
