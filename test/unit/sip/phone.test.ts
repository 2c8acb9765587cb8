import { describe, expect, test } from 'vitest';
import { Phone } from '../../../gateways/sip/phone.ts';
import { RoomPhones } from '../../../gateways/sip/room-phones.ts';
import type { Direction, RemoteMedia } from '../../../gateways/sip/sdp/media.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { fakeHost } from '../support/fake-media-plane.ts';
import { turn } from '../support/fake-process.ts';
import { Gate } from '../support/gate.ts';
import { camera, listenTo, openRoom, person, voice } from '../support/rooms.ts';

const PORTS = { rtpPort: 40_000, rtcpPort: 40_001 };

function media(change: Partial<RemoteMedia> = {}): RemoteMedia {
  return {
    address: '192.0.2.7',
    port: 4000,
    rtcpPort: 4001,
    rtcpMux: false,
    codec: { name: 'PCMU', payloadType: 0, receivePayloadType: 0, parameters: {} },
    digits: undefined,
    direction: 'sendrecv',
    ptime: undefined,
    maxptime: undefined,
    maxBitrateBps: undefined,
    ...change,
  };
}

const OPUS = { name: 'opus', payloadType: 96, receivePayloadType: 100, parameters: {} } as const;

function phone(limit = 8) {
  const { room } = openRoom({ maxParticipants: 0 });
  const { host, media: plane } = fakeHost(room);
  const events: string[] = [];
  const phones = new RoomPhones(room, host, limit, () => events.push('room without phones'));
  const participant = room.join({ ...person('ann'), kind: 'phone', gateway: 'sip' });
  const one = new Phone(participant, phones, {
    silent: () => events.push('silent'),
    mediaLost: () => events.push('media lost'),
  });
  /** What the media half was asked last, by type. */
  const last = <T extends string>(type: T) =>
    plane.requests.findLast((request) => request.type === type) as Extract<
      (typeof plane.requests)[number],
      { type: T }
    >;
  const tracks = () => [...participant.tracks.values()];
  return { room, plane, phones, participant, phone: one, events, last, tracks };
}

async function started(limit?: number, change?: Partial<RemoteMedia>) {
  const all = phone(limit);
  await all.phone.open(PORTS, '0.0.0.0');
  await all.phone.start(media(change), 30_000);
  return all;
}

describe('a call that stands', () => {
  test('publishes a voice, and tells its media half where the phone is', async () => {
    const { room, plane, participant, tracks } = await started(8, {
      digits: { payloadType: 97, receivePayloadType: 101, clockRate: 8000 },
    });
    expect(plane.requests).toEqual([
      { type: 'open', call: participant.sid, mix: room.sid, bind: '0.0.0.0', ...PORTS },
      {
        type: 'start',
        call: participant.sid,
        timeoutMs: 30_000,
        remote: {
          address: '192.0.2.7',
          port: 4000,
          rtcpPort: 4001,
          packetMs: 20,
          codec: 'PCMU',
          payloadType: 0,
          receivePayloadType: 0,
          digitsPayloadType: 101,
          rate: 8000,
          sends: true,
          receives: true,
        },
      },
    ]);
    expect(tracks()).toMatchObject([
      {
        kind: 'audio',
        purpose: 'voice',
        codec: { name: 'PCMU' },
        mixed: true,
        muted: false,
        route: undefined,
      },
    ]);
  });

  test.each([
    [{}, 48_000],
    [{ maxplaybackrate: 48_000 }, 48_000],
    [{ maxplaybackrate: 24_000 }, 48_000],
    [{ maxplaybackrate: 16_000 }, 16_000],
    [{ maxplaybackrate: 12_000 }, 16_000],
    [{ maxplaybackrate: 8000 }, 8000],
  ])('with Opus and %o hears a mix of %i Hz', async (parameters, rate) => {
    const { last } = await started(8, { codec: { ...OPUS, parameters } });
    expect(last('start').remote.rate).toBe(rate);
  });

  test("hears the others' sound in a mix, and is told why not the rest", async () => {
    const { room, phone: one, participant } = phone();
    const eve = room.join(person('eve'));
    const sound = eve.publish(voice('sound'));
    await one.open(PORTS, '0.0.0.0');
    expect(participant.subscriptions.size).toBe(0);
    await one.start(media(), 1);
    const picture = eve.publish(camera('picture'));
    expect(
      [...participant.subscriptions.values()].map(({ track, plan }) => [track.sid, plan.outcome]),
    ).toEqual([
      [sound.sid, 'transcode'],
      [picture.sid, 'refused'],
    ]);
    eve.unpublish(sound);
    expect([...participant.subscriptions.keys()]).toEqual([picture.sid]);
  });

  test('brings digits to the room, and what else its media half says to its call', async () => {
    const { room, plane, participant, events } = await started();
    const digits: string[] = [];
    room.on('digit', (who, digit) => digits.push(`${who.identity} ${digit}`));
    const call = participant.sid;
    plane.ports[0]!.emit('notice', { type: 'digit', call, digit: '#' });
    plane.ports[0]!.emit('notice', { type: 'silent', call });
    plane.ports[0]!.emit('notice', { type: 'quality', call, quality: 'poor' });
    expect([digits, events, participant.quality]).toEqual([['ann #'], ['silent'], 'poor']);
    plane.die();
    expect(events).toEqual(['silent', 'room without phones', 'media lost']);
  });

  test('tells how its packets arrive', async () => {
    const { plane, tracks } = await started();
    const statistics = { packets: 5, packetsLost: 1, bitrateBps: 64_000, jitterMs: 2, packetsForeign: 3 };
    const jitterBuffer = { depth: 1, late: 0, lost: 1, discarded: 0, stretched: 0 };
    const original = plane.request.bind(plane);
    plane.request = async (request) =>
      request.type === 'statistics'
        ? {
            statistics: {
              ...statistics,
              jitterBuffer,
              packetsUnknown: 7,
              packetsSent: 9,
              lostAtPhone: -1,
              roundTripMs: 30,
            },
          }
        : original(request);
    const sent = { packets: 9, packetsLost: 0, roundTripMs: 30 };
    expect(await tracks()[0]!.statistics!()).toEqual({
      ...statistics,
      jitterBuffer,
      packetsUnknown: 7,
      sent,
    });
  });
});

describe('hold', () => {
  test.each<[Direction, boolean, boolean, string]>([
    ['sendrecv', true, true, 'active'],
    ['recvonly', false, true, 'active'],
    ['sendonly', false, false, 'hold'],
    ['inactive', false, false, 'hold'],
  ])('%s: sends %s, receives %s, %s', async (direction, sends, receives, status) => {
    const { room, phone: one, last, participant, tracks } = await started();
    const [track] = tracks();
    const heard = listenTo(room);
    await one.start(media({ direction }), 1);
    expect(last('start').remote).toMatchObject({ sends, receives });
    expect(participant.attributes['sip.callStatus'] ?? 'active').toBe(status);
    // It stays the same track.
    expect(tracks()).toEqual([track]);
    await one.start(media(), 1);
    expect(last('start').remote).toMatchObject({ sends: true, receives: true });
    expect(participant.attributes['sip.callStatus'] ?? 'active').toBe('active');
    expect(heard.filter((what) => !what.endsWith('updated'))).toEqual([]);
  });
});

describe('muting', () => {
  test('reaches the media half when it changes', async () => {
    const { plane, participant, tracks } = await started();
    const [track] = tracks();
    participant.setMuted(track!, true);
    participant.setMuted(track!, true);
    participant.update({ name: 'Ann' });
    participant.setMuted(track!, false);
    expect(plane.requests.filter(({ type }) => type === 'mute')).toEqual([
      { type: 'mute', call: participant.sid, muted: true },
      { type: 'mute', call: participant.sid, muted: false },
    ]);
  });

  test('of others does not concern it', async () => {
    const { plane, room } = await started();
    const bob = room.join(person('bob'));
    bob.setMuted(bob.publish(voice()), true);
    expect(plane.asked).not.toContain('mute');
  });

  test('outlives a change of codec', async () => {
    const { phone: one, participant, tracks, plane } = await started();
    participant.setMuted(tracks()[0]!, true);
    await one.start(media({ codec: OPUS }), 1);
    expect(tracks()).toMatchObject([{ codec: { name: 'opus' }, muted: true }]);
    expect(plane.requests.filter(({ type }) => type === 'mute')).toHaveLength(1);
  });
});

describe('permissions', () => {
  test('to publish, withdrawn and given back: it is silent meanwhile', async () => {
    const { participant, plane, tracks } = await started();
    const mutes = () => plane.requests.flatMap((request) => (request.type === 'mute' ? [request.muted] : []));
    participant.update({ permissions: { ...EVERYDAY_PERMISSIONS, publish: false } });
    expect([tracks().length, mutes()]).toEqual([0, [true]]);
    participant.update({ permissions: { ...EVERYDAY_PERMISSIONS, publishPurposes: ['camera'] } });
    expect([tracks().length, mutes()]).toEqual([0, [true]]);
    participant.update({ permissions: EVERYDAY_PERMISSIONS });
    expect([tracks().length, mutes()]).toEqual([1, [true, false]]);
  });

  test('to subscribe, withdrawn and given back: it hears nothing meanwhile', async () => {
    const { participant, plane, room } = await started();
    const track = room.join(person('bob')).publish(voice());
    const hears = () =>
      plane.requests.flatMap((request) => (request.type === 'hear' ? [request.receives] : []));
    participant.update({ permissions: { ...EVERYDAY_PERMISSIONS, subscribe: false } });
    expect([participant.subscriptions.size, hears()]).toEqual([0, [false]]);
    participant.update({ permissions: EVERYDAY_PERMISSIONS });
    expect([[...participant.subscriptions.keys()], hears()]).toEqual([[track.sid], [false, true]]);
  });

  test('to subscribe do not make a phone hear that holds the call', async () => {
    const { participant, plane, phone: one, last } = await started();
    await one.start(media({ direction: 'sendonly' }), 1);
    participant.update({ permissions: { ...EVERYDAY_PERMISSIONS, subscribe: false } });
    participant.update({ permissions: EVERYDAY_PERMISSIONS });
    expect(plane.asked).not.toContain('hear');
    participant.update({ permissions: { ...EVERYDAY_PERMISSIONS, subscribe: false } });
    await one.start(media(), 1);
    expect(last('start').remote.receives).toBe(false);
  });

  test('never to publish: there is no track, and it is not heard', async () => {
    const all = phone();
    all.participant.permissions = { ...EVERYDAY_PERMISSIONS, publish: false };
    await all.phone.open(PORTS, '0.0.0.0');
    await all.phone.start(media(), 1);
    expect(all.tracks()).toEqual([]);
    expect(all.last('mute').muted).toBe(true);
  });
});

describe('another track takes its place', () => {
  test('when the codec changes', async () => {
    const { room, phone: one, tracks, participant } = await started();
    const [first] = tracks();
    const bob = room.join(person('bob')).publish(voice());
    await one.start(media({ codec: OPUS }), 1);
    expect(tracks()).toMatchObject([{ codec: { name: 'opus' } }]);
    expect(tracks()[0]!.sid).not.toBe(first!.sid);
    expect(participant.subscriptions.get(bob.sid)?.plan).toMatchObject({
      steps: [{}, { detail: 'at 48 kHz, without its own voice' }, {}],
    });
    const [second] = tracks();
    await one.start(media({ codec: OPUS, port: 4002 }), 1);
    expect(tracks()).toEqual([second]);
  });

  test('when the hub was lost, by a producer of its own', async () => {
    const { room, tracks, plane } = await started();
    const [first] = tracks();
    const hold = await first!.hold();
    room.loseMedia('hub died');
    expect(tracks()).toHaveLength(1);
    hold.release();
    const again = await tracks()[0]!.hold();
    await turn();
    expect(again.producerId).not.toBe(hold.producerId);
    expect([...plane.producers]).toEqual([again.producerId]);
    expect(plane.passing.size).toBe(1);
  });
});

describe('with many phones in the room', () => {
  test('its track comes in the mix, and by itself again when there are few', async () => {
    const { room, phones, phone: one, tracks } = await started(1);
    const [track] = tracks();
    const rerouted: string[] = [];
    room.on('trackRerouted', ({ sid, route }) => rerouted.push(`${sid} ${route?.codec.name}`));
    const other = new Phone(room.join(person('bob')), phones, { silent: () => {}, mediaLost: () => {} });
    expect(rerouted).toEqual([`${track!.sid} opus`]);
    await other.open({ rtpPort: 40_002, rtcpPort: 40_003 }, '0.0.0.0');
    await other.start(media(), 1);
    const [third] = [...other.participant.tracks.values()];
    expect(third!.route?.codec.name).toBe('opus');
    const holds = await Promise.all([track!.hold(), third!.hold()]);
    expect(holds[0].producerId).toBe(holds[1].producerId);
    await other.close();
    expect(rerouted.at(-1)).toBe(`${track!.sid} undefined`);
    await one.close();
  });
});

describe('closing', () => {
  test('closes its media, and forgets it in the room; twice is once', async () => {
    const { phone: one, plane, events, room, tracks } = await started();
    const before = plane.requests.length;
    await Promise.all([one.close(), one.close()]);
    expect(plane.asked.slice(before)).toEqual(['close']);
    expect([plane.open.size, events]).toEqual([0, ['room without phones']]);
    // What happens in the room does not concern it any more.
    room.loseMedia('hub died');
    room.join(person('bob')).publish(voice());
    one.participant.update({ permissions: EVERYDAY_PERMISSIONS });
    expect([plane.asked.slice(before), tracks()]).toEqual([['close'], []]);
    expect(one.participant.listenerCount('updated')).toBe(0);
    for (const event of ['trackPublished', 'trackUpdated', 'mediaLost'] as const) {
      expect(room.listenerCount(event)).toBe(0);
    }
  });

  test('while its sockets open: they are closed as soon as they are there', async () => {
    const { phone: one, plane } = phone();
    plane.gates.open = new Gate();
    plane.gates.open.open = false;
    const opened = one.open(PORTS, '0.0.0.0');
    await one.close();
    await plane.gates.open.letAll();
    await opened;
    expect(plane.open.size).toBe(0);
  });

  test.each(['close', 'leave'] as const)('while it starts (%s): nothing is published', async (how) => {
    const { phone: one, plane, participant, tracks, room } = phone();
    await one.open(PORTS, '0.0.0.0');
    plane.gates.start = new Gate();
    plane.gates.start.open = false;
    const begun = one.start(media(), 1);
    await turn();
    if (how === 'leave') participant.leave('left');
    else await one.close();
    await plane.gates.start.letAll();
    await begun;
    expect([tracks(), room.tracks]).toEqual([[], []]);
  });

  test('of a worker that is gone does not fail', async () => {
    const { phone: one, plane, events } = await started();
    plane.die();
    await one.close();
    expect(events).toEqual(['room without phones', 'media lost']);
  });
});
