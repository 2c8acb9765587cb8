import { EventEmitter, once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { Link } from '../../../src/workers/worker/link.ts';
import { fir, nack, pli } from '../support/rtcp-feedback.ts';
import { type UdpPeer, udpPeer } from '../support/udp.ts';

const SSRC = 0x89abcdef;
const RTP = Buffer.from('80600001000000a089abcdef0102', 'hex');
/** A sender report, whose SSRC stands at 4 (RFC 3550, section 6.4.1). */
const RTCP = Buffer.from(`80c8000689abcdef${'00'.repeat(20)}`, 'hex');
/** Comes last in a test: once it is there, all before it were dealt with. */
const LAST = Buffer.from('80600002000000a000000001', 'hex');

async function openLink(): Promise<{
  link: Link;
  hub: UdpPeer;
  send: (...packets: Buffer[]) => Promise<void>;
}> {
  const hub = await udpPeer();
  const link = await Link.open('a-link', hub.port);
  onTestFinished(() => link.close());
  const arrivals = new EventEmitter();
  link.receive(1, () => arrivals.emit('last'));
  const send = async (...packets: Buffer[]) => {
    const last = once(arrivals, 'last');
    for (const packet of [...packets, LAST]) await hub.send(packet, link.port);
    await last;
  };
  return { link, hub, send };
}

/** Writes down what comes for one SSRC. */
function receive(link: Link, ssrc = SSRC): { got: string[]; end: () => void } {
  const got: string[] = [];
  return { got, end: link.receive(ssrc, (packet) => got.push(packet.toString('hex'))) };
}

test('RTP and RTCP reach the receiver of their SSRC', async () => {
  const { link, send } = await openLink();
  const { got } = receive(link);
  await send(RTP, RTCP);
  expect(got).toEqual([RTP.toString('hex'), RTCP.toString('hex')]);
  expect(link.statistics).toMatchObject({ link: 'a-link', packetsReceived: 3, packetsIgnored: 0 });
});

test('packets that do not come from the hub are ignored and counted', async () => {
  const { link, send } = await openLink();
  const stranger = await udpPeer();
  const { got } = receive(link);
  await stranger.send(RTP, link.port);
  await stranger.send(RTP, link.port);
  await send();
  expect(got).toEqual([]);
  expect(link.statistics).toMatchObject({ packetsReceived: 1, packetsIgnored: 2 });
});

test.each([
  ['of a stream that nobody wants', Buffer.from('80600001000000a0000000020102', 'hex')],
  ['that is too short', RTP.subarray(0, 11)],
  ['without content', Buffer.alloc(0)],
])('a packet %s is ignored and counted', async (_, packet) => {
  const { link, send } = await openLink();
  const { got } = receive(link);
  await send(packet);
  expect(got).toEqual([]);
  expect(link.statistics).toMatchObject({ packetsReceived: 1, packetsIgnored: 1 });
});

test('a stream that is not wanted any more is ignored', async () => {
  const { link, send } = await openLink();
  const { got, end } = receive(link);
  await send(RTP);
  end();
  await send(RTP);
  expect(got).toHaveLength(1);
});

test('ending a receiver that another has replaced leaves the other one', async () => {
  const { link, send } = await openLink();
  const first = receive(link);
  const second = receive(link);
  first.end();
  await send(RTP);
  expect([first.got.length, second.got.length]).toEqual([0, 1]);
});

/** Writes down what the hub asks of one stream that is sent to it. */
function hear(link: Link, ssrc = SSRC): { asked: string[]; end: () => void } {
  const asked: string[] = [];
  return { asked, end: link.onFeedback(ssrc, (packet) => asked.push(packet.toString('hex'))) };
}

test.each([
  ['NACK', nack(SSRC, [1, 0])],
  ['PLI', pli(SSRC)],
  ['FIR, which names its stream elsewhere', fir(SSRC)],
])('what the hub asks of a stream reaches who sends it: %s', async (_, packet) => {
  const { link, send } = await openLink();
  const [{ asked }, other, { got }] = [hear(link), hear(link, SSRC + 1), receive(link)];
  await send(packet);
  expect([asked, other.asked, got]).toEqual([[packet.toString('hex')], [], []]);
  expect(link.statistics).toMatchObject({ packetsReceived: 2, packetsIgnored: 0 });
});

test('what the hub asks of a stream that nobody sends is ignored and counted', async () => {
  const { link, send } = await openLink();
  // Of the sender of the feedback, packets are received here.
  const { got } = receive(link, 0x0a0b0c0d);
  const { asked, end } = hear(link);
  end();
  await send(pli(SSRC), nack(SSRC, [1, 0]));
  expect([got, asked]).toEqual([[], []]);
  expect(link.statistics).toMatchObject({ packetsReceived: 1, packetsIgnored: 2 });
});

test('who ends hearing what is asked of a stream that another has taken over does not end that', async () => {
  const { link, send } = await openLink();
  const first = hear(link);
  const second = hear(link);
  first.end();
  await send(pli(SSRC));
  expect([first.asked.length, second.asked.length]).toEqual([0, 1]);
});

test('what is sent reaches the hub from the port of the link', async () => {
  const { link, hub } = await openLink();
  const arrived = hub.next();
  link.send(RTP);
  expect(await arrived).toEqual({ packet: RTP, from: link.port });
  expect(link.statistics).toMatchObject({ packetsSent: 1, sendErrors: 0 });
});

test('closing is told to everybody who asked', async () => {
  const hub = await udpPeer();
  const link = await Link.open('a-link', hub.port);
  const told: string[] = [];
  link.onClose(() => told.push('one'));
  link.onClose(() => told.push('two'));
  link.close();
  expect(told).toEqual(['one', 'two']);
});

test('who took it back is not told', async () => {
  const hub = await udpPeer();
  const link = await Link.open('a-link', hub.port);
  const told: string[] = [];
  const takeBack = link.onClose(() => told.push('one'));
  link.onClose(() => told.push('two'));
  takeBack();
  link.close();
  expect(told).toEqual(['two']);
});
