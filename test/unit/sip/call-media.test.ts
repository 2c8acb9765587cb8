import { describe, expect, test } from 'vitest';
import { CallMedia } from '../../../gateways/sip/media/call-media.ts';
import type { RemoteEnd } from '../../../gateways/sip/media/messages.ts';
import { parseRtcp, reportBytes, writeReport } from '../../../src/media/rtp/rtcp.ts';
import { Mixer } from '../../../transcode/audio/mixer.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { turn } from '../support/fake-process.ts';
import { HOST, listen, phoneCall, SSRC, until } from '../support/phone-call.ts';
import { flat, Mouth, samplesOf, throughLaw, tonePayloads } from '../support/sounds.ts';
import { freePortPair, udpPeer } from '../support/udp.ts';

describe('sound', () => {
  test('of the phone comes into the mix, and the mix without it goes to the phone', async () => {
    const { media, remote, mixer, send, phone, received } = await phoneCall();
    media.start(remote, 30_000);
    const ear = listen(mixer);
    const other = new Mouth(mixer.addContributor('bob', 'PCMU', 'gateway'));
    for (let tick = 0; tick < 4; tick++) {
      await send(flat(5000));
      other.say(flat(3000));
      mixer.tick();
    }
    expect(samplesOf(ear.heard)[0]).toBe(throughLaw(throughLaw(5000) + throughLaw(3000)));
    await until(() => phone.received.length === 4);
    for (const [index, packet] of received().entries()) {
      expect(packet).toMatchObject({ payloadType: 0, marker: index === 0, ssrc: received()[0]!.ssrc });
      expect(new Set(samplesOf(packet.payload))).toEqual(new Set([throughLaw(3000)]));
    }
    expect(media.statistics).toMatchObject({ packets: 4, packetsSent: 4, packetsUnknown: 0, packetsLost: 0 });
  });

  test('goes to where the phone really is, as soon as that is seen', async () => {
    const { media, remote, mixer, send, phone } = await phoneCall();
    const nat = await udpPeer();
    media.start(remote, 30_000);
    mixer.tick();
    await until(() => phone.received.length === 1);
    await send(flat(0), {}, nat);
    mixer.tick();
    await until(() => nat.received.length === 1);
    // It speaks from where it said: that is the phone, whoever was first.
    await send(flat(0));
    await send(flat(0), {}, nat);
    expect(media.statistics.packetsForeign).toBe(1);
    mixer.tick();
    await until(() => phone.received.length === 2);
  });

  test.each(['0.0.0.0', 'phone.example.org'])(
    'goes nowhere while all that is known is %s',
    async (address) => {
      const { media, remote, mixer, send, phone, received } = await phoneCall();
      media.start({ ...remote, address }, 30_000);
      mixer.tick();
      await send(flat(0));
      mixer.tick();
      await until(() => phone.received.length > 0);
      expect(received()[0]!.marker).toBe(false); // it is the second
      expect(media.statistics.packetsSent).toBe(2);
    },
  );

  test('is not let in that is of another kind than was agreed on', async () => {
    const { media, remote, mixer, send, sendRaw } = await phoneCall();
    const ear = listen(mixer);
    await send(flat(5000)); // before the call was answered
    media.start(remote, 30_000);
    await send(flat(5000), { payloadType: 8 });
    await sendRaw(Buffer.from('nonsense'));
    await sendRaw(Buffer.alloc(0));
    await send(Buffer.of(60), { payloadType: 13 }); // comfort noise is a sign of life and no more
    mixer.tick();
    expect(samplesOf(ear.heard)).toEqual(new Array(160).fill(0));
    expect(media.statistics).toMatchObject({ packets: 1, packetsUnknown: 4, packetsForeign: 0 });
  });

  test('of one who is muted is not heard', async () => {
    const { media, remote, mixer, send } = await phoneCall();
    media.mute(true);
    media.start(remote, 30_000);
    const ear = listen(mixer);
    const levels: number[] = [];
    for (const muted of [true, false, true]) {
      media.mute(muted);
      await send(flat(5000));
      mixer.tick();
      levels.push(samplesOf(ear.heard)[0]!);
    }
    expect(levels).toEqual([0, throughLaw(5000), 0]);
  });
});

describe('hold', () => {
  test('by the phone: it is neither heard nor hears, and its voice goes on afterwards as the same stream', async () => {
    const { media, remote, mixer, send, phone, received, clock } = await phoneCall();
    media.start(remote, 30_000);
    const ear = listen(mixer);
    mixer.tick();
    clock.advance(20);
    media.start({ ...remote, sends: false, receives: false }, 30_000);
    await send(flat(5000));
    mixer.tick();
    expect(samplesOf(ear.heard)[0]).toBe(0);
    clock.advance(10_000);
    media.start(remote, 30_000);
    clock.advance(10);
    await send(flat(5000));
    mixer.tick();
    expect(samplesOf(ear.heard)[0]).toBe(throughLaw(5000));
    await until(() => phone.received.length === 2);
    const [before, after] = received();
    expect(after).toMatchObject({ ssrc: before!.ssrc, marker: true });
    expect(after!.sequenceNumber).toBe((before!.sequenceNumber + 1) & 0xffff);
    // Time went on: 10.03 s at 8000 Hz, give or take a frame.
    const elapsed = (after!.timestamp - before!.timestamp) >>> 0;
    expect(Math.abs(elapsed - 10_030 * 8)).toBeLessThanOrEqual(160);
  });

  test('of what it hears alone leaves the rest as it is', async () => {
    const { media, remote, mixer, send } = await phoneCall();
    media.hear(false); // of a call that has not started
    media.start(remote, 30_000);
    const ear = listen(mixer);
    await send(flat(5000));
    media.hear(false);
    media.hear(false);
    expect(mixer.listenerCount).toBe(1);
    mixer.tick();
    expect(samplesOf(ear.heard)[0]).toBe(throughLaw(5000));
    expect(media.statistics.packetsSent).toBe(0);
    media.hear(true);
    mixer.tick();
    expect(media.statistics.packetsSent).toBe(1);
  });
});

test('a codec of another clock rate is another stream (RFC 7160), in a mix of its rate', async () => {
  const { media, remote, mixer, send, phone, received } = await phoneCall();
  media.start(remote, 30_000);
  mixer.tick();
  await send(flat(5000));
  media.start({ ...remote, codec: 'opus', rate: 48_000, payloadType: 96, receivePayloadType: 100 }, 30_000);
  expect([mixer.contributorCount, mixer.listenerCount]).toEqual([1, 1]);
  mixer.tick();
  mixer.tick();
  await until(() => phone.received.length === 3);
  const packets = received();
  expect(packets.map(({ payloadType }) => payloadType)).toEqual([0, 96, 96]);
  expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(2);
  expect(packets[2]!.ssrc).toBe(packets[1]!.ssrc);
  expect((packets[2]!.timestamp - packets[1]!.timestamp) >>> 0).toBe(960);
  await send(flat(0));
  expect(media.statistics.packetsUnknown).toBe(1);
  const [opus] = tonePayloads('opus', 48_000, 440, 1);
  await send(opus!, { payloadType: 100 });
  expect(media.statistics.packets).toBe(2);
});

test('a codec of the same clock rate goes on as the same stream', async () => {
  const { media, remote, mixer, phone, received } = await phoneCall();
  media.start(remote, 30_000);
  mixer.tick();
  media.start({ ...remote, codec: 'PCMA', payloadType: 8, receivePayloadType: 8 }, 30_000);
  mixer.tick();
  await until(() => phone.received.length === 2);
  const [before, after] = received();
  expect([before!.payloadType, after!.payloadType]).toEqual([0, 8]);
  expect(after!.ssrc).toBe(before!.ssrc);
});

describe('a phone that is silent', () => {
  test('for too long is reported once, until it is heard again', async () => {
    const { media, remote, clock, events, send } = await phoneCall();
    const silent = () => events.filter((event) => event === 'silent').length;
    media.start(remote, 5000);
    clock.advance(4999);
    media.watch();
    expect(silent()).toBe(0);
    clock.advance(1);
    media.watch();
    media.watch();
    expect(silent()).toBe(1);
    await send(flat(0));
    media.watch();
    clock.advance(5000);
    media.watch();
    expect(silent()).toBe(2);
  });

  test('is there as long as its reports come', async () => {
    const { media, remote, clock, events, rtcp, ports, send } = await phoneCall();
    media.start(remote, 5000);
    await send(flat(0));
    const report = Buffer.alloc(reportBytes(0));
    const cname = Buffer.from('phone');
    const bytes = writeReport(report, { ssrc: SSRC, sender: undefined, blocks: [], cname, bye: false });
    for (let round = 0; round < 4; round++) {
      clock.advance(3000);
      media.watch();
      await rtcp.send(report.subarray(0, bytes), ports.rtcpPort);
      for (let turns = 0; turns < 20; turns++) await turn();
    }
    expect(events).not.toContain('silent');
  });

  test.each<[string, Partial<RemoteEnd>]>([
    ['holds the call', { sends: false, receives: false }],
    ['only listens', { sends: false }],
  ])('because it %s is left alone', async (_, change) => {
    const { media, remote, clock, events } = await phoneCall();
    media.start({ ...remote, ...change }, 5000);
    clock.advance(60_000);
    media.watch();
    expect(events).not.toContain('silent');
  });

  test('because its call was not answered yet does no harm, however long that takes', async () => {
    const { media, remote, clock, events, rtcp } = await phoneCall();
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      media.watch();
    }
    expect(events).toEqual([]);
    media.start(remote, 5000);
    media.watch();
    expect(events).toEqual([]);
    await until(() => rtcp.received.length === 1);
  });
});

describe('reports', () => {
  test('go to where the description says, and say goodbye', async () => {
    const { media, remote, mixer, clock, rtcp, phone } = await phoneCall();
    media.start(remote, 30_000);
    mixer.tick();
    clock.advance(5000);
    media.watch();
    await until(() => rtcp.received.length === 1);
    await media.close();
    await until(() => rtcp.received.length === 2);
    const parts = rtcp.received.map((packet) => parseRtcp(packet)!.map(({ type }) => type));
    expect(parts).toEqual([['report'], ['report', 'bye']]);
    expect(phone.received).toHaveLength(1);
  });

  test('share the port of sound where that was agreed on', async () => {
    const { media, remote, mixer, clock, rtcp, phone } = await phoneCall();
    media.start({ ...remote, rtcpPort: remote.port }, 30_000);
    mixer.tick();
    clock.advance(5000);
    media.watch();
    await until(() => phone.received.length === 2);
    expect(parseRtcp(phone.received[1]!)).toMatchObject([{ type: 'report', sender: { packets: 1 } }]);
    expect(rtcp.received).toEqual([]);
  });
});

describe('ports', () => {
  test('that somebody else has are told, and nothing stays open', async () => {
    const { ports, media } = await phoneCall();
    const pair = await freePortPair();
    const events = { digit: () => {}, silent: () => {}, quality: () => {} };
    const open = (rtpPort: number, rtcpPort: number) =>
      CallMedia.open(
        { call: 'bob', bind: HOST, rtpPort, rtcpPort },
        () => new Mixer(),
        new FakeClock(),
        events,
      );
    await expect(open(ports.rtpPort, pair.rtcpPort)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(open(pair.rtpPort, ports.rtcpPort)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await (await open(pair.rtpPort, pair.rtcpPort)).close();
    await media.close();
    await media.close();
    await (await open(ports.rtpPort, ports.rtcpPort)).close();
  });

  test('are left with the mix', async () => {
    const { media, remote, mixer } = await phoneCall();
    media.start(remote, 30_000);
    expect([mixer.contributorCount, mixer.listenerCount]).toEqual([1, 1]);
    await media.close();
    expect([mixer.contributorCount, mixer.listenerCount]).toEqual([0, 0]);
  });
});
