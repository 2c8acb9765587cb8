import { describe, expect, test } from 'vitest';
import type { RemoteEnd } from '../../../gateways/sip/media/messages.ts';
import type { RtpPacket } from '../../../src/media/rtp/rtp.ts';
import { type LocatedPeer, peerAt } from '../support/located-udp.ts';
import { phoneCall, until } from '../support/phone-call.ts';
import { flat } from '../support/sounds.ts';

/*
 * Nobody gets a room's sound by sending packets to the port of a call ("RTP bleed", CVE-2017-14114): a source is learnt only
 * where the phone can be there, and who is where the phone said, or where it signals from, gives way to nobody elsewhere.
 */

const PHONE = '127.0.0.5';
const PROXY = '127.0.0.6';
const STRANGER = '127.0.0.66';
const UNKNOWN = '0.0.0.0';

/** A call with a phone at an address of its own, and a stranger. */
async function exposedCall(change: Partial<RemoteEnd> = {}) {
  const call = await phoneCall();
  const [phone, stranger] = [await peerAt(PHONE), await peerAt(STRANGER)];
  const remote: RemoteEnd = {
    ...call.remote,
    address: PHONE,
    signalled: PHONE,
    port: phone.port,
    rtcpPort: phone.port + 1,
    ...change,
  };
  /** Lets the room speak to its phone. */
  const tick = (count: number) => {
    for (let index = 0; index < count; index++) call.mixer.tick();
  };
  /** Where the next packets of the room's sound go: all of them to that peer, and none to the stranger. */
  const expectSoundAt = async (peer: LocatedPeer) => {
    const [before, bled] = [peer.received.length, stranger.received.length];
    tick(3);
    await until(() => peer.received.length + stranger.received.length === before + bled + 3);
    expect(stranger.received.length - bled).toBe(0);
    expect(peer.received.length - before).toBe(3);
  };
  const intrude = (change: Partial<RtpPacket> = {}, payload = flat(0)) =>
    call.send(payload, { ssrc: 0xbad, ...change }, stranger);
  return { ...call, phone, stranger, remote, expectSoundAt, intrude };
}

const LISTENS = { sends: false, receives: true };

describe('a phone that only listens', () => {
  test.each<[string, Partial<RtpPacket>, Buffer]>([
    ['sound', {}, flat(5000)],
    ['comfort noise', { payloadType: 13 }, Buffer.of(60)],
    ['a telephone event', { payloadType: 101 }, Buffer.of(5, 0x0a, 0, 160)],
    ['an empty packet', {}, Buffer.alloc(0)],
  ])("goes on hearing the room after a stranger sent %s to its call's port", async (_, change, payload) => {
    const { media, remote, expectSoundAt, intrude, phone } = await exposedCall(LISTENS);
    media.start(remote, 30_000);
    await expectSoundAt(phone);
    await intrude(change, payload);
    await expectSoundAt(phone);
    expect(media.statistics.packetsForeign).toBe(1);
  });

  test('is not robbed of its sound by a stranger who keeps at it for minutes', async () => {
    const { media, remote, expectSoundAt, intrude, phone, clock } = await exposedCall(LISTENS);
    media.start(remote, 30_000);
    for (let minute = 0; minute < 5; minute++) {
      await intrude();
      clock.advance(60_000);
    }
    await expectSoundAt(phone);
    expect(media.statistics.packetsForeign).toBe(5);
  });

  test('whose signalling comes by a proxy is not robbed of its sound either', async () => {
    const { media, remote, expectSoundAt, intrude, phone } = await exposedCall({
      ...LISTENS,
      signalled: PROXY,
    });
    media.start(remote, 30_000);
    await intrude();
    await expectSoundAt(phone);
  });

  test('that gave no address is found where its signalling comes from, and nowhere else', async () => {
    const { media, remote, expectSoundAt, intrude, phone, send, mixer, stranger } = await exposedCall({
      ...LISTENS,
      address: UNKNOWN,
    });
    media.start(remote, 30_000);
    await intrude();
    mixer.tick();
    await send(flat(0), {}, phone); // opens the way through its NAT (RFC 6263)
    await expectSoundAt(phone);
    expect(stranger.received).toHaveLength(0);
  });
});

describe('a phone that says and hears', () => {
  test('but said nothing yet goes on hearing the room after a stranger was there first', async () => {
    const { media, remote, expectSoundAt, intrude, phone } = await exposedCall();
    media.start(remote, 30_000);
    await intrude();
    await expectSoundAt(phone);
  });

  test.each([2_000, 10_000, 600_000])(
    'from where it said it is, and is then silent for %i ms, keeps its call when a stranger sends',
    async (silentMs) => {
      const { media, remote, expectSoundAt, intrude, phone, send, clock } = await exposedCall();
      media.start(remote, 30_000);
      await send(flat(0), {}, phone);
      clock.advance(silentMs);
      await intrude();
      await expectSoundAt(phone);
      expect(media.statistics.packetsForeign).toBe(1);
    },
  );

  test('from behind a NAT, where its signalling comes from, keeps its call when a stranger sends into its silence', async () => {
    const { media, remote, expectSoundAt, intrude, send, clock } = await exposedCall({ signalled: PROXY });
    const nat = await peerAt(PROXY);
    media.start(remote, 30_000);
    await send(flat(0), {}, nat);
    clock.advance(5_000);
    await intrude();
    await expectSoundAt(nat);
  });

  test('and gets a new port from its NAT is found again after its silence, though a stranger was faster', async () => {
    const { media, remote, expectSoundAt, intrude, phone, send, clock } = await exposedCall();
    const moved = await peerAt(PHONE);
    media.start(remote, 30_000);
    await send(flat(0), {}, phone);
    clock.advance(2_500);
    await intrude();
    await expectSoundAt(phone);
    await send(flat(0), {}, moved);
    await expectSoundAt(moved);
  });

  test('from an address that nobody knew of gives way after its silence to its own stream only, not to another', async () => {
    const { media, remote, expectSoundAt, intrude, send, clock } = await exposedCall({ signalled: PROXY });
    const [nat, otherNat] = [await peerAt('127.0.0.20'), await peerAt('127.0.0.21')];
    media.start(remote, 30_000);
    await send(flat(0), {}, nat);
    clock.advance(2_500);
    await intrude();
    await expectSoundAt(nat);
    await send(flat(0), {}, otherNat); // with its SSRC and its sequence numbers
    await expectSoundAt(otherNat);
  });
});

describe('after a re-INVITE', () => {
  test.each<[string, Partial<RemoteEnd>]>([
    ['changes nothing', {}],
    ['makes it a listener', LISTENS],
    ['takes it back from hold', { receives: true }],
    ['changes its codec', { codec: 'PCMA', payloadType: 8, receivePayloadType: 8 }],
  ])('that %s a phone that was heard from where it said keeps its call', async (_, change) => {
    const { media, remote, expectSoundAt, intrude, phone, send } = await exposedCall();
    media.start(remote, 30_000);
    await send(flat(0), {}, phone);
    if (change.receives) media.start({ ...remote, sends: false, receives: false }, 30_000);
    const again = { ...remote, ...change };
    media.start(again, 30_000);
    await intrude({ payloadType: again.receivePayloadType });
    await expectSoundAt(phone);
  });

  test('that moves it, its sound goes to the new place and not to the first who sends from elsewhere', async () => {
    const { media, remote, expectSoundAt, intrude, phone, send } = await exposedCall();
    const moved = await peerAt('127.0.0.7');
    media.start(remote, 30_000);
    await send(flat(0), {}, phone);
    media.start({ ...remote, address: moved.address, port: moved.port }, 30_000);
    await intrude();
    await expectSoundAt(moved);
  });

  test('that a phone sends from another network, it is known by where that came from', async () => {
    const { media, remote, expectSoundAt, intrude, phone, send } = await exposedCall();
    const mobile = await peerAt('127.0.0.8');
    media.start(remote, 30_000);
    await send(flat(0), {}, phone);
    // Its description has an address of its network's inside.
    media.start({ ...remote, address: '127.0.0.99', port: 9, signalled: mobile.address }, 30_000);
    await intrude();
    await send(flat(0), {}, mobile);
    await expectSoundAt(mobile);
  });
});
