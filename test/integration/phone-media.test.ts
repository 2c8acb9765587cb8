import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Speaker } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import {
  ALL_TONES,
  attribute,
  type Caller,
  Callers,
  expectPacketsOnlyTo,
  hearEachOther,
  leaving,
  reportOf,
  TONES,
} from '../peers/callers.ts';
import { startServer } from '../peers/server.ts';

/** The packets of phone calls: who is listened to, reports about them, and what happens when they stay away. */

const INTRUDER_HZ = 1800;

let server: Server;
let stranger: dgram.Socket;
beforeAll(async () => {
  server = await startServer({ config: { sip: { mediaTimeoutSeconds: 2, maxPassThrough: 0 } } });
  stranger = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
});
afterAll(async () => {
  stranger.close();
  await server.stop();
});

async function packetsForeign({ participant }: Caller): Promise<number | undefined> {
  const { participants } = await reportOf(server, participant.room.name);
  return participants.find(({ sid }) => sid === participant.sid)!.tracks[0]!.received!.packetsForeign;
}

describe.concurrent('reports', () => {
  test.for([
    { way: 'at a port of their own', rtcpMux: false },
    { way: 'at the port of RTP', rtcpMux: true },
  ])('$way tell of what was sent and of what came', async ({ rtcpMux }, context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair(rtcpMux ? 'mux' : 'ports', { sdp: { rtcpMux } });
    const first = await ann.phone.report('sender', ({ blocks }) => blocks.length > 0);
    const [rtpSource] = ann.phone.received.sources;
    const rtpPort = Number(rtpSource!.split(':')[1]);
    const rtcpPort = Number(/^a=rtcp:(\d+)/m.exec(ann.phone.remoteSdp)?.[1] ?? rtpPort + 1);
    expect(new Set(ann.phone.reports.map(({ source }) => source))).toEqual(
      new Set([`127.0.0.1:${rtcpMux ? rtpPort : rtcpPort}`]),
    );
    expect(/^a=rtcp-mux\r?$/m.test(ann.phone.remoteSdp)).toBe(rtcpMux);
    expect([...ann.phone.received.ssrcs]).toEqual([first.ssrc]);
    const description = await ann.phone.report('description');
    expect(description).toMatchObject({ ssrc: first.ssrc, cname: expect.stringMatching(/^[\w-]{16}$/) });

    const second = await ann.phone.report('sender', ({ packets }) => packets > first.packets);
    // Packets are 20 ms apart, and up to 200 ms late.
    const samples = (second.rtpTimestamp - first.rtpTimestamp) | 0;
    expect(Math.abs(samples - 160 * (second.packets - first.packets))).toBeLessThanOrEqual(1600 + 160);
    expect(second.octets).toBe(160 * second.packets);
    expect(second.wallClockMs).toBeGreaterThan(first.wallClockMs);
    const [block] = second.blocks;
    expect(block).toMatchObject({ ssrc: ann.phone.ssrc, packetsLost: 0, fractionLost: 0 });
    expect(block!.highestSequenceNumber - first.blocks[0]!.highestSequenceNumber).toBeGreaterThan(50);
    // It quotes a report of the phone: those came in, too.
    expect(block!.lastSenderReport).toBeGreaterThan(0);
    bob.participant.leave('removed');
    const goodbye = await bob.phone.report('goodbye');
    expect([...bob.phone.received.ssrcs]).toEqual([goodbye.ssrc]);
  });

  test('to a phone that is sent nothing tell of what came only', async (context) => {
    const callers = new Callers(server, context);
    const { phone } = await callers.call('sendonly', 'Ann', { sdp: { direction: 'sendonly' } });
    const { blocks } = await phone.report('receiver', (report) => report.blocks.length > 0);
    expect(blocks).toMatchObject([{ ssrc: phone.ssrc, packetsLost: 0 }]);
    expect(phone.reports.filter(({ report }) => report.type === 'sender')).toEqual([]);
    expect(phone.received.packets).toBe(0);
  });
});

describe.concurrent('a stranger', () => {
  test.for(['another SSRC', 'the same SSRC'])(
    'with %s is heard by nobody, and counted',
    async (which, context) => {
      const callers = new Callers(server, context);
      const [ann, bob] = await callers.pair(which.replaceAll(' ', '-'));
      const ssrc = which === 'the same SSRC' ? ann.phone.ssrc! : (ann.phone.ssrc! ^ 1) >>> 0;
      const intrusion = ann.phone.sendAs(stranger, { toneHz: INTRUDER_HZ, packets: 75, ssrc });
      const heard = bob.phone.heardDuring([...ALL_TONES, INTRUDER_HZ], 2);
      await intrusion;
      expect(await heard).toEqual([TONES.Ann]);
      expect(await packetsForeign(ann)).toBe(75);
      expect(await packetsForeign(bob)).toBe(0);
      const [source] = ann.phone.received.sources;
      expect([...ann.phone.received.sources]).toEqual([source]);
      await hearEachOther(ann, bob);
    },
  );

  test('does not get the sound of a phone that is silent for a moment', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('quiet');
    ann.phone.mute('nothing');
    await ann.phone.sendAs(stranger, { toneHz: INTRUDER_HZ, packets: 25 });
    await ann.phone.receives(50);
    ann.phone.unmute();
    await hearEachOther(ann, bob);
    expect(await packetsForeign(ann)).toBe(25);
  });

  test('with a new port is the phone itself once the old one has been silent for a while', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('moving');
    await ann.phone.moveRtp();
    await ann.phone.receives(50);
    await hearEachOther(ann, bob);
    expect(await packetsForeign(ann)).toBeGreaterThan(0);
  });
});

describe.concurrent('a phone that sends nothing', () => {
  test('is taken to be gone', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('gone');
    ann.phone.mute('nothing');
    ann.phone.stopReports();
    ann.phone.forget();
    expect(await ann.phone.ended).toMatchObject({
      by: 'server',
      reasonHeader: 'Q.850;cause=102;text="No media was received"',
    });
    expect(await leaving(ann.participant)).toBe('connection-lost');
    expect(bob.participant.leftBecause).toBeUndefined();
  });

  test('is kept by its reports alone, until they stop, too', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('reporting');
    ann.phone.mute('nothing');
    await bob.phone.receives(250);
    expect(ann.participant.leftBecause).toBeUndefined();
    ann.phone.stopReports();
    ann.phone.forget();
    expect(await leaving(ann.participant)).toBe('connection-lost');
  });

  test.for(['inactive', '0.0.0.0'] as const)('as it holds by %s stays', async (how, context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair(how);
    ann.phone.stopReports();
    await ann.phone.hold(how);
    await attribute(ann.participant, 'sip.callStatus', 'hold');
    await expectPacketsOnlyTo(bob, ann, 250);
    expect(ann.participant.leftBecause).toBeUndefined();
    await ann.phone.resume();
    await hearEachOther(ann, bob);
  });

  test('as it wants to hear only stays, and hears', async (context) => {
    const callers = new Callers(server, context);
    const bob = await callers.call('listening', 'Bob');
    const ann = await callers.call('listening', 'Ann', { sdp: { direction: 'recvonly' } });
    ann.phone.stopReports();
    await ann.phone.hears(TONES.Bob);
    await ann.phone.receives(250);
    expect(ann.participant.leftBecause).toBeUndefined();
    expect(ann.phone.packetsSent).toBe(0);
    expect(await bob.phone.heardDuring(ALL_TONES, 0.5)).toEqual([]);
  });
});

test('a phone that holds the call is not among those who speak any more', async (context) => {
  const callers = new Callers(server, context);
  const ann = await callers.call('speaking', 'Ann');
  const bob = await callers.call('speaking', 'Bob');
  const { room } = ann.participant;
  const speak = async (...expected: Caller[]) => {
    for (;;) {
      const [speakers] = (await once(room, 'speakers')) as [readonly Speaker[]];
      const sids = speakers.map(({ participant }) => participant.sid).sort();
      if (String(sids) === String(expected.map(({ participant }) => participant.sid).sort())) return;
    }
  };
  const [track] = bob.participant.tracks.values();
  const hold = await track!.hold(); // as a browser does that wants to hear it
  await speak(ann, bob);
  await ann.phone.hold('sendonly');
  await speak(bob);
  await ann.phone.resume();
  await speak(ann, bob);
  hold.release();
});
