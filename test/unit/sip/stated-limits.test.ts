import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { header } from '../../../gateways/sip/engine/message.ts';
import { parseRtp, type RtpPacket } from '../../../src/media/rtp/rtp.ts';
import { createEncoder } from '../../../transcode/audio/audio-codec.ts';
import { turn } from '../support/fake-process.ts';
import { until } from '../support/phone-call.ts';
import { Ear, Mouth } from '../support/sounds.ts';
import { udpPeer } from '../support/udp.ts';
import { gatewayForOneCall } from '../support/whole-call.ts';
import { ourTag, Phone } from './wire/phone.ts';

/* What a phone says that it takes at most (RFC 7587, section 6.1; RFC 8866, sections 5.8 and 6.4) is all that it is sent. */

const TICKS = 100;
const SECONDS = TICKS / 50;
/** An encoder keeps to its rate on average only: the first frames after a start may be larger. */
const TOLERANCE = 1.15;
const OPUS = 'a=rtpmap:96 opus/48000/2';

/** Noise of all frequencies in 20 ms packets: the most that an encoder can be given. The same at each run. */
function noise(frames: number): Buffer[] {
  const encoder = createEncoder('opus', 48_000);
  const samples = new Int16Array(960);
  const target = Buffer.alloc(1500);
  let state = 1;
  return Array.from({ length: frames }, () => {
    for (let at = 0; at < samples.length; at++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      samples[at] = ((state >>> 16) - 32_768) / 4;
    }
    return Buffer.from(target.subarray(0, encoder.encode(samples, target, 0)));
  });
}

/** How long an Opus packet plays, ms (RFC 6716, section 3.1). */
function opusMs({ payload }: RtpPacket): number {
  const [toc = 0, count = 0] = payload;
  const config = toc >> 3;
  const silkMs = [10, 20, 40, 60][config % 4]!;
  const frameMs = config < 12 ? silkMs : config < 16 ? [10, 20][config % 2]! : [2.5, 5, 10, 20][config % 4]!;
  return frameMs * [1, 2, 2, count & 0x3f][toc & 3]!;
}

/** A phone that listens to noise in a room. */
async function listening() {
  const gateway = await gatewayForOneCall();
  const { mixer, clock, room } = gateway;
  const [phone, rtp] = [await Phone.open(gateway.sipPort), await udpPeer()];
  const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  const sdp = (...lines: string[]) =>
    [...session, ...lines, ''].join('\r\n').replaceAll('PORT', String(rtp.port));
  const speaker = new Mouth(mixer.addContributor('bob', 'opus', 'gateway'));
  const other = new Ear();
  mixer.addListener({ codec: 'opus', rate: 48_000 }, other);
  let cseq = 1;
  let toTag: string | undefined;
  const extra = ['Content-Type: application/sdp'];
  /** Offers that, or takes our offer and answers it so. */
  const agree = async (lines: string[], isLate = false) => {
    const first = toTag === undefined;
    if (!first) cseq++;
    const offer = isLate ? {} : { body: sdp(...lines), extra };
    phone.ask({ branch: `z9hG4bK${cseq}`, cseq, ...(toTag ? { toTag } : {}), ...offer });
    const ok = await phone.next();
    expect(ok).toMatchObject({ status: 200 });
    toTag ??= ourTag(ok);
    const started = first ? once(room, 'trackPublished') : undefined;
    const answer = isLate ? { body: sdp(...lines), extra } : {};
    phone.ask({ method: 'ACK', branch: `z9hG4bKack${cseq}`, cseq, toTag, ...answer });
    await started;
    if (first) return;
    // What comes after the ACK has been dealt with after it.
    cseq++;
    phone.ask({ method: 'INFO', branch: `z9hG4bK${cseq}`, cseq, toTag, body: 'x' });
    expect(header(await phone.next(), 'cseq')).toBe(`${cseq} INFO`);
  };
  /** What the phone gets of two seconds. */
  const hear = async (): Promise<RtpPacket[]> => {
    const before = rtp.received.length;
    const heardByOther = other.frames.length;
    for (const payload of noise(TICKS)) {
      speaker.say(payload);
      clock.advance(20);
      mixer.tick();
    }
    await until(() => rtp.received.length - before >= TICKS);
    for (let count = 0; count < rtp.received.length; ) {
      count = rtp.received.length;
      for (let turns = 0; turns < 20; turns++) await turn();
    }
    const bits = other.frames.slice(heardByOther).reduce((sum, frame) => sum + 8 * frame.length, 0);
    expect(bits / SECONDS).toBeGreaterThan(40_000); // who states no limit shares no encoder with who does
    return rtp.received.slice(before).map((packet) => parseRtp(packet)!);
  };
  return { agree, hear };
}

function bitrateOf(packets: RtpPacket[]): number {
  return packets.reduce((sum, { payload }) => sum + 8 * payload.length, 0) / SECONDS;
}

const opus = (...lines: string[]) => ['m=audio PORT RTP/AVP 96', OPUS, ...lines];

describe('a phone that states the bitrate it takes gets no more', () => {
  test.each<[string, string[], number]>([
    ['6000', opus('a=fmtp:96 maxaveragebitrate=6000'), 6_000],
    ['8000', opus('a=fmtp:96 maxaveragebitrate=8000'), 8_000],
    ['12000, at 8 kHz', opus('a=fmtp:96 maxplaybackrate=8000; maxaveragebitrate=12000'), 12_000],
    ['16000, with FEC', opus('a=fmtp:96 useinbandfec=1;maxaveragebitrate=16000;stereo=0'), 16_000],
    ['28000', opus('a=fmtp:96 maxaveragebitrate=28000'), 28_000],
    ['16000 for all of the line', opus('b=TIAS:16000'), 16_000],
    // With 40 bytes of headers in each of 50 packets, half of it is left.
    ['32 kbit/s with headers', opus('b=AS:32'), 16_000],
  ])('%s', async (_, lines, limit) => {
    const { agree, hear } = await listening();
    await agree(lines);
    const bitrate = bitrateOf(await hear());
    expect(bitrate).toBeLessThanOrEqual(limit * TOLERANCE);
    expect(bitrate).toBeGreaterThan(limit / 2);
  });

  test('in its answer to our offer', async () => {
    const { agree, hear } = await listening();
    await agree(opus('a=fmtp:96 maxaveragebitrate=8000'), true);
    expect(bitrateOf(await hear())).toBeLessThanOrEqual(8_000 * TOLERANCE);
  });

  test('in a re-INVITE, from then on, and more again when it takes more again', async () => {
    const { agree, hear } = await listening();
    await agree(opus());
    expect(bitrateOf(await hear())).toBeGreaterThan(40_000);
    await agree(opus('a=fmtp:96 maxaveragebitrate=8000'));
    expect(bitrateOf(await hear())).toBeLessThanOrEqual(8_000 * TOLERANCE);
    await agree(opus('a=fmtp:96 maxaveragebitrate=64000'));
    expect(bitrateOf(await hear())).toBeGreaterThan(40_000);
  });
});

describe('a phone that states how long a packet may be gets no longer ones', () => {
  const g711 = (type: number, ...lines: string[]) => [`m=audio PORT RTP/AVP ${type}`, ...lines];

  test.each<[string, string[], number, (packet: RtpPacket) => number, number]>([
    ['10 ms of PCMU', g711(0, 'a=maxptime:10'), 80, ({ payload }) => payload.length / 8, 10],
    [
      '10 ms of PCMA, of 20 that it prefers',
      g711(8, 'a=ptime:20', 'a=maxptime:10'),
      80,
      ({ payload }) => payload.length / 8,
      10,
    ],
    [
      '10 ms of PCMU, where 15 would do',
      g711(0, 'a=maxptime:15'),
      80,
      ({ payload }) => payload.length / 8,
      10,
    ],
    ['10 ms of Opus', opus('a=maxptime:10'), 480, opusMs, 10],
    ['10 ms of Opus at 8 kHz', opus('a=fmtp:96 maxplaybackrate=8000', 'a=maxptime:10'), 480, opusMs, 10],
  ])('%s', async (_, lines, step, msOf, expected) => {
    const { agree, hear } = await listening();
    await agree(lines);
    const packets = await hear();
    expect(new Set(packets.map(msOf))).toEqual(new Set([expected]));
    expect(packets).toHaveLength((TICKS * 20) / expected);
    const [first, ...others] = packets;
    for (const [index, packet] of others.entries()) {
      expect((packet.timestamp - first!.timestamp) >>> 0).toBe(step * (index + 1));
      expect((packet.sequenceNumber - first!.sequenceNumber) & 0xffff).toBe(index + 1);
      expect(packet.marker).toBe(false);
    }
  });

  test('from a re-INVITE on, in the same stream, whose time goes on', async () => {
    const { agree, hear } = await listening();
    await agree(g711(0));
    const before = await hear();
    await agree(g711(0, 'a=maxptime:10'));
    const after = await hear();
    expect(new Set(after.map(({ payload }) => payload.length))).toEqual(new Set([80]));
    const [last, next] = [before.at(-1)!, after[0]!];
    expect(next.ssrc).toBe(last.ssrc);
    expect((next.sequenceNumber - last.sequenceNumber) & 0xffff).toBe(1);
    expect((next.timestamp - last.timestamp) >>> 0).toBe(160);
  });
});
