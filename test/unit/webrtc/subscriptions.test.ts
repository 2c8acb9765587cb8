import { describe, expect, test } from 'vitest';
import type { ServerNotice } from '../../../gateways/webrtc/messages.ts';
import { Subscriptions } from '../../../gateways/webrtc/subscriptions.ts';
import { createLogger } from '../../../src/base/log.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { ProducerOnDemand } from '../../../src/room/producer-on-demand.ts';
import type { Participant } from '../../../src/room/room.ts';
import type { Track } from '../../../src/room/track.ts';
import { turn } from '../support/fake-process.ts';
import { fakeReceiver } from '../support/fake-receiver.ts';
import { Gate } from '../support/gate.ts';
import { openRoom, person, voice } from '../support/rooms.ts';

const PCMU = { name: 'PCMU', clockRate: 8000, channels: 1 };

/** A room in which ann listens and bob talks. */
function listening(permissions = {}) {
  const { room } = openRoom({ maxTracksPerParticipant: 8 });
  const ann = room.join(person('ann', permissions));
  const bob = room.join(person('bob'));
  const told: ServerNotice[] = [];
  const subscriptions = new Subscriptions(ann, (notice) => told.push(notice), createLogger('silent'));
  return { room, ann, bob, told, subscriptions };
}

describe('a browser gets', () => {
  test("the others' tracks as they are, and is told how to receive them", async () => {
    const { ann, bob, told, subscriptions } = listening();
    const track = bob.publish(voice('p'));
    ann.publish(voice('own'));
    const { receiver, consumers } = fakeReceiver();
    await subscriptions.receiveThrough(receiver);
    expect(consumers.map(({ producerId }) => producerId)).toEqual(['p']);
    expect(told).toEqual([
      { type: 'subscribed', body: expect.objectContaining({ track: track.sid, producer: 'p' }) },
    ]);
    expect(subscriptions.views).toEqual(told.map(({ body }) => body));
    expect(ann.subscriptions.get(track.sid)).toMatchObject({
      plan: { outcome: 'pass-through' },
      paused: true,
    });
  });

  test('a reason for a track that it cannot take', async () => {
    const { ann, bob, told, subscriptions } = listening();
    const track = bob.publish({ ...voice(), codec: PCMU });
    await subscriptions.receiveThrough(fakeReceiver().receiver);
    const reason = 'the browser cannot take PCMU, only opus';
    expect(told).toEqual([{ type: 'subscription-refused', body: { track: track.sid, reason } }]);
    expect(ann.subscriptions.get(track.sid)?.plan).toEqual({ outcome: 'refused', reason });
  });

  test('nothing without permission to subscribe, and nothing before it can receive', async () => {
    const denied = listening({ subscribe: false });
    denied.bob.publish(voice());
    await denied.subscriptions.receiveThrough(fakeReceiver().receiver);
    const early = listening();
    await early.subscriptions.add(early.bob.publish(voice()));
    expect([...denied.told, ...early.told]).toEqual([]);
  });

  test('nothing of a track that ended meanwhile', async () => {
    const { ann, bob, told, subscriptions } = listening();
    const track = bob.publish(voice());
    const { receiver, consumers } = fakeReceiver();
    const received = subscriptions.receiveThrough(receiver);
    bob.unpublish(track);
    await received;
    expect(consumers.map(({ closed }) => closed)).toEqual([true]);
    expect(told).toEqual([]);
    expect(ann.subscriptions.size).toBe(0);
  });

  test('every track also when it starts anew before the first start was done', async () => {
    const { bob, subscriptions } = listening();
    const track = bob.publish(voice());
    const [first, second] = [fakeReceiver(), fakeReceiver()];
    await Promise.all([
      subscriptions.receiveThrough(first.receiver),
      subscriptions.receiveThrough(second.receiver),
    ]);
    expect(subscriptions.views.map((view) => view.track)).toEqual([track.sid]);
    expect(second.consumers.map(({ closed }) => closed)).toEqual([false]);
  });
});

test('what belongs together is told by the name of its stream', async () => {
  const { room, ann, bob, subscriptions } = listening();
  const eve = room.join(person('eve'));
  ann.publish(voice('own'));
  const tracks = {
    voice: bob.publish(voice('1')),
    camera: bob.publish({ ...voice('2'), purpose: 'camera' }),
    screen: bob.publish({ ...voice('3'), purpose: 'screen' }),
    screenSound: bob.publish({ ...voice('4'), purpose: 'screen-audio' }),
    other: eve.publish(voice('5')),
  };
  await subscriptions.receiveThrough(fakeReceiver().receiver);
  const streams = new Map(subscriptions.views.map(({ track, stream }) => [track, stream]));
  const of = (name: keyof typeof tracks) => streams.get(tracks[name].sid)!;
  expect([of('voice'), of('screen')]).toEqual([of('camera'), of('screenSound')]);
  expect(new Set(streams.values()).size).toBe(3);
});

describe('a track to which something else is done', () => {
  const route = {
    codec: { name: 'opus', clockRate: 48_000 },
    reason: 'AAC',
    steps: [{ action: 'decode', detail: 'AAC' }],
  } as const;

  test('has another plan, and is not fetched anew', async () => {
    const { room, ann, bob, told, subscriptions } = listening();
    const track = bob.publish(voice('p'));
    const { receiver, consumers } = fakeReceiver();
    await subscriptions.receiveThrough(receiver);
    room.on('trackReplanned', (one) => subscriptions.replan(one));
    room.replan(track, route);
    expect(ann.subscriptions.get(track.sid)?.plan).toEqual({
      outcome: 'transcode',
      reason: 'AAC',
      steps: route.steps,
    });
    room.replan(track, undefined);
    expect(ann.subscriptions.get(track.sid)?.plan.outcome).toBe('pass-through');
    expect([consumers.length, consumers[0]!.closed, told.length]).toEqual([1, false, 1]);
  });

  test('stays refused when the browser could not take it', async () => {
    const { room, ann, bob, subscriptions } = listening();
    const track = bob.publish({ ...voice(), codec: PCMU });
    await subscriptions.receiveThrough(fakeReceiver().receiver);
    room.replan(track, route);
    subscriptions.replan(track);
    expect(ann.subscriptions.get(track.sid)?.plan.outcome).toBe('refused');
  });

  test('that nobody gets is nothing to it', () => {
    const { ann, bob, subscriptions } = listening();
    subscriptions.replan(bob.publish(voice()));
    expect(ann.subscriptions.size).toBe(0);
  });
});

describe('packets come', () => {
  test('when the browser is ready, and not while it does not want them', async () => {
    const { ann, bob, subscriptions } = listening();
    const track = bob.publish(voice());
    const { receiver, consumers } = fakeReceiver();
    await subscriptions.receiveThrough(receiver);
    const states = [];
    for (const step of ['ready', 'unwanted', 'ready', 'wanted'] as const) {
      if (step === 'ready') await subscriptions.setReady([track.sid]);
      else await subscriptions.setWanted([track.sid], step === 'wanted');
      states.push([step, consumers[0]!.paused, ann.subscriptions.get(track.sid)!.paused]);
    }
    expect(states).toEqual([
      ['ready', false, false],
      ['unwanted', true, true],
      ['ready', true, true],
      ['wanted', false, false],
    ]);
  });

  test('for no track that the browser does not have', async () => {
    const { subscriptions } = listening();
    await expect(subscriptions.setReady(['TR_unknown'])).resolves.toBeUndefined();
    await expect(subscriptions.setWanted(['TR_unknown'], false)).resolves.toBeUndefined();
  });
});

test.each<[string, unknown]>([
  ['a text', 'opus'],
  ['a list of nothing', [null]],
  ['a codec without a type', [{ kind: 'audio', clockRate: 48000 }]],
  ['a codec with a number for a type', [{ kind: 'audio', mimeType: 5, clockRate: 48000 }]],
])('a browser that names %s as its codecs does no harm when somebody publishes', async (_, codecs) => {
  const { bob, subscriptions } = listening();
  await subscriptions.receiveThrough(fakeReceiver(codecs).receiver).catch(() => {});
  await expect(subscriptions.add(bob.publish(voice()))).resolves.toBeUndefined();
});

/** A room with phones, whose tracks come to the hub on demand; `ann` listens as a peer does. */
function phones() {
  const room = listening();
  const atHub: string[] = [];
  const [opening, consuming] = [new Gate(), new Gate()];
  const onDemand = (producerId: string) =>
    new ProducerOnDemand(async () => {
      await opening.pass();
      atHub.push(producerId);
      return { producerId, close: () => void atHub.splice(atHub.indexOf(producerId), 1) };
    });
  room.room.options = { ...room.room.options, maxParticipants: 0 };
  room.room.on('trackPublished', (track) => void room.subscriptions.add(track));
  room.room.on('trackUnpublished', (track) => room.subscriptions.remove(track));
  room.room.on('trackRerouted', (track) => room.subscriptions.renew(track));
  const { receiver, consumers } = fakeReceiver(undefined, consuming);
  const call = (name: string, producer: ProducerOnDemand): Track =>
    room.room.join(person(name)).publish({ ...voice(), producerId: producer });
  const open = () => consumers.filter(({ closed }) => !closed).map(({ producerId }) => producerId);
  return { ...room, atHub, opening, consuming, onDemand, receiver, consumers, call, open };
}

describe('a track on demand', () => {
  test('is at the hub as long as the browser gets it', async () => {
    const { subscriptions, receiver, call, onDemand, atHub, open } = phones();
    const track = call('bob-phone', onDemand('p'));
    await turn();
    expect(atHub).toEqual([]); // the browser cannot receive yet
    await subscriptions.receiveThrough(receiver);
    expect([atHub, open()]).toEqual([['p'], ['p']]);
    (track.participant as Participant).leave('left');
    await turn();
    expect([atHub, open()]).toEqual([[], []]);
  });

  test.each<[string, (room: ReturnType<typeof phones>, track: Track) => unknown]>([
    ['it is unpublished', (_, track) => (track.participant as Participant).unpublish(track)],
    ['the connection goes', ({ subscriptions }) => subscriptions.reset()],
    [
      'the permission goes',
      ({ ann, subscriptions }) => {
        ann.permissions = { ...EVERYDAY_PERMISSIONS, subscribe: false };
        subscriptions.revoke();
      },
    ],
    [
      'the listener leaves',
      ({ ann, subscriptions }) => {
        ann.leave('left');
        subscriptions.reset();
      },
    ],
  ])('is let go when %s, whatever was under way', async (_, happen) => {
    for (const during of ['opening', 'consuming', 'nothing'] as const) {
      const room = phones();
      await room.subscriptions.receiveThrough(room.receiver);
      const track = room.call('phone', room.onDemand('p'));
      if (during !== 'nothing') room[during].open = false;
      await turn();
      happen(room, track);
      if (during !== 'nothing') await room[during].letAll();
      await turn();
      expect([during, room.atHub, room.open(), room.ann.subscriptions.size]).toEqual([during, [], [], 0]);
      expect(room.subscriptions.views).toEqual([]);
    }
  });

  test('that cannot be opened does not come, and is tried again when asked for', async () => {
    const { subscriptions, receiver, call, onDemand, opening, atHub, open, told } = phones();
    await subscriptions.receiveThrough(receiver);
    opening.open = false;
    const track = call('phone', onDemand('p'));
    await opening.letOne(new Error('no hub'));
    expect([atHub, open(), told]).toEqual([[], [], []]);
    await opening.letAll();
    await subscriptions.add(track);
    expect([atHub, open()]).toEqual([['p'], ['p']]);
  });

  test('that the connection refuses is not held', async () => {
    const { subscriptions, receiver, call, onDemand, consuming, atHub, open } = phones();
    await subscriptions.receiveThrough(receiver);
    consuming.open = false;
    call('phone', onDemand('p'));
    await turn();
    await consuming.letOne(new Error('closed'));
    expect([atHub, open()]).toEqual([[], []]);
  });

  test('that starts anew while it is opened comes once, by the new connection', async () => {
    const { subscriptions, receiver, consumers, call, onDemand, opening, atHub } = phones();
    opening.open = false;
    call('phone', onDemand('p'));
    const first = subscriptions.receiveThrough(receiver);
    const next = fakeReceiver();
    const second = subscriptions.receiveThrough(next.receiver);
    await opening.letAll();
    await Promise.all([first, second]);
    expect(consumers).toEqual([]);
    expect(next.consumers.map(({ closed }) => closed)).toEqual([false]);
    expect(atHub).toEqual(['p']);
    subscriptions.reset();
    await turn();
    expect(atHub).toEqual([]);
  });
});

describe('tracks that come in one mix', () => {
  async function mixed(names = ['bob-phone', 'eve-phone', 'joe-phone']) {
    const room = phones();
    const mix = room.onDemand('mix');
    await room.subscriptions.receiveThrough(room.receiver);
    return { ...room, mix, tracks: names.map((name) => room.call(name, mix)) };
  }

  test('come by one consumer, and all of them count as subscribed', async () => {
    const { tracks, ann, told, open, atHub } = await mixed();
    await turn();
    expect([open(), atHub]).toEqual([['mix'], ['mix']]);
    expect(new Set(ann.subscriptions.keys())).toEqual(new Set(tracks.map(({ sid }) => sid)));
    expect(told.map(({ type }) => type)).toEqual(['subscribed']);
  });

  test('go on by another of them when the one goes that carried it', async () => {
    const { tracks, told, open, atHub, ann } = await mixed();
    await turn();
    for (const left of [2, 1, 0]) {
      (tracks[2 - left]!.participant as Participant).leave('left');
      await turn();
      const expected = left > 0 ? ['mix'] : [];
      expect([open(), atHub, ann.subscriptions.size]).toEqual([expected, expected, left]);
    }
    expect(told.map(({ type, body }) => `${type} ${(body as { track: string }).track}`)).toEqual(
      tracks.map(({ sid }) => `subscribed ${sid}`),
    );
  });

  test('go on without more ado when one goes that did not', async () => {
    const { tracks, told, consumers } = await mixed();
    await turn();
    (tracks[1]!.participant as Participant).leave('left');
    await turn();
    expect(consumers).toHaveLength(1);
    expect(told).toHaveLength(1);
  });

  test.each(['opening', 'consuming'] as const)(
    'come also if the one goes that was to carry it, during %s',
    async (gate) => {
      const room = phones();
      await room.subscriptions.receiveThrough(room.receiver);
      room[gate].open = false;
      const mix = room.onDemand('mix');
      const tracks = ['bob-phone', 'eve-phone', 'joe-phone'].map((name) => room.call(name, mix));
      await turn();
      (tracks[0]!.participant as Participant).leave('left');
      await room[gate].letAll();
      await turn();
      expect([room.open(), room.atHub]).toEqual([['mix'], ['mix']]);
      expect(new Set(room.ann.subscriptions.keys())).toEqual(new Set([tracks[1]!.sid, tracks[2]!.sid]));
      for (const track of tracks) (track.participant as Participant).leave('left');
      await turn();
      expect([room.open(), room.atHub]).toEqual([[], []]);
    },
  );

  test('come also if the consumer of the first fails', async () => {
    const room = phones();
    await room.subscriptions.receiveThrough(room.receiver);
    room.consuming.open = false;
    const mix = room.onDemand('mix');
    for (const name of ['bob-phone', 'eve-phone', 'joe-phone']) room.call(name, mix);
    await turn();
    await room.consuming.letOne(new Error('not now'));
    await room.consuming.letAll();
    expect([room.open(), room.atHub]).toEqual([['mix'], ['mix']]);
    expect(room.ann.subscriptions.size).toBe(2);
  });

  test('that the browser cannot take are refused one by one, and nothing is held', async () => {
    const room = phones();
    (room.receiver.hub as { canConsume: unknown }).canConsume = () => false;
    await room.subscriptions.receiveThrough(room.receiver);
    const mix = room.onDemand('mix');
    const tracks = ['bob-phone', 'eve-phone', 'joe-phone'].map((name) => room.call(name, mix));
    await turn();
    expect(room.told.map(({ type, body }) => [type, (body as { track: string }).track]).sort()).toEqual(
      tracks.map(({ sid }) => ['subscription-refused', sid]).sort(),
    );
    expect([room.open(), room.atHub]).toEqual([[], []]);
  });
});

describe('rerouted tracks', () => {
  const opus = { name: 'opus', clockRate: 48_000, channels: 2 };
  const route = { codec: opus, reason: 'many phones', steps: [] };

  test('come into the mix and out of it again, and what they leave is let go', async () => {
    const { room, subscriptions, receiver, call, onDemand, atHub, open, told, ann } = phones();
    await subscriptions.receiveThrough(receiver);
    const tracks = ['a', 'b', 'c'].map((name) => call(name, onDemand(name)));
    await turn();
    expect([[...open()].sort(), [...atHub].sort()]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    const mix = onDemand('mix');
    for (const track of tracks) room.reroute(track, route, mix);
    await turn();
    expect([open(), atHub]).toEqual([['mix'], ['mix']]);
    expect(ann.subscriptions.get(tracks[0]!.sid)?.plan).toMatchObject({ reason: 'many phones' });
    for (const track of tracks) room.reroute(track, undefined, onDemand(track.participant.identity));
    await turn();
    expect([[...open()].sort(), [...atHub].sort()]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    expect(told.filter(({ type }) => type === 'unsubscribed')).toHaveLength(3 + 1);
  });

  test.each(['opening', 'consuming'] as const)('during %s come by the new way only', async (gate) => {
    const room = phones();
    await room.subscriptions.receiveThrough(room.receiver);
    room[gate].open = false;
    const track = room.call('a', room.onDemand('old'));
    await turn();
    room.room.reroute(track, undefined, room.onDemand('new'));
    await turn();
    await room[gate].letAll();
    await turn();
    expect([room.open(), room.atHub]).toEqual([['new'], ['new']]);
    // However often it is asked for meanwhile (as whenever permissions change).
    await room.subscriptions.add(track);
    expect(room.open()).toEqual(['new']);
  });

  test('and asked for again while both ways are under way, come once', async () => {
    const room = phones();
    await room.subscriptions.receiveThrough(room.receiver);
    room.opening.open = false;
    const track = room.call('a', room.onDemand('old'));
    room.room.reroute(track, undefined, room.onDemand('new'));
    await turn();
    await room.opening.letOne(); // the old one
    await room.subscriptions.add(track);
    void room.subscriptions.add(track);
    await room.opening.letAll();
    await turn();
    expect([room.open(), room.atHub]).toEqual([['new'], ['new']]);
  });
});
