import { expect, onTestFinished, vi } from 'vitest';
import { CallMedia } from '../../../gateways/sip/media/call-media.ts';
import type { RemoteEnd } from '../../../gateways/sip/media/messages.ts';
import { parseRtp, type RtpPacket, writeRtpHeader } from '../../../src/media/rtp/rtp.ts';
import { Mixer } from '../../../transcode/audio/mixer.ts';
import { FakeClock } from './fake-clock.ts';
import { turn } from './fake-process.ts';
import { Ear } from './sounds.ts';
import { freePortPair, udpPeer } from './udp.ts';

export const HOST = '127.0.0.1';
const DIGITS = 101;
export const SSRC = 0x1234;

/** Lets packets arrive; on loopback they are there at once. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !condition(); turns++) await turn();
  expect(condition()).toBe(true);
}

/** A phone with its sockets, and the media of its call. */
export async function phoneCall() {
  vi.spyOn(Math, 'random').mockReturnValue(0.5); // a report every 5 s
  onTestFinished(() => void vi.restoreAllMocks());
  const clock = new FakeClock();
  const mixer = new Mixer();
  const ports = await freePortPair();
  const events: string[] = [];
  const media = await CallMedia.open({ call: 'ann', bind: HOST, ...ports }, () => mixer, clock, {
    digit: (digit) => events.push(digit),
    silent: () => events.push('silent'),
    quality: (quality) => events.push(quality),
  });
  onTestFinished(() => media.close());
  const [phone, rtcp] = [await udpPeer(), await udpPeer()];
  const remote: RemoteEnd = {
    address: HOST,
    port: phone.port,
    rtcpPort: rtcp.port,
    codec: 'PCMU',
    payloadType: 0,
    receivePayloadType: 0,
    digitsPayloadType: DIGITS,
    rate: 8000,
    sends: true,
    receives: true,
  };
  let sequenceNumber = 65_534;
  const count = () => {
    const { packets, packetsForeign, packetsUnknown } = media.statistics;
    return packets + packetsForeign + packetsUnknown;
  };
  /** Sends a packet as the phone, or as another, and waits until it was dealt with. */
  const send = async (payload: Buffer, change: Partial<RtpPacket> = {}, from = phone) => {
    const packet = Buffer.concat([Buffer.alloc(12), payload]);
    const header = { payloadType: 0, marker: false, timestamp: 160 * sequenceNumber, ssrc: SSRC };
    writeRtpHeader(packet, { ...header, sequenceNumber, ...change });
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    await sendRaw(packet, from);
  };
  const sendRaw = async (packet: Buffer, from = phone) => {
    const before = count();
    await from.send(packet, ports.rtpPort);
    await until(() => count() > before);
  };
  const digit = (code: number, end: boolean, timestamp: number) =>
    send(Buffer.of(code, end ? 0x8a : 0x0a, 0, 160), { payloadType: DIGITS, timestamp });
  const received = () => phone.received.map((packet) => parseRtp(packet)!);
  return { clock, mixer, ports, events, media, phone, rtcp, remote, send, sendRaw, digit, received };
}

/** One who hears everybody. */
export function listen(mixer: Mixer): Ear {
  const ear = new Ear();
  mixer.addListener({ codec: 'PCMU', rate: 8000 }, ear);
  return ear;
}
