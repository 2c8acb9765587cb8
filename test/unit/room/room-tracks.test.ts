import { describe, expect, test } from 'vitest';
import type { Route } from '../../../src/media/plan.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { ProducerOnDemand } from '../../../src/room/producer-on-demand.ts';
import { refusal } from '../support/refusal.ts';
import { camera, listenTo, openRoom, person, voice } from '../support/rooms.ts';

const PASS = { outcome: 'pass-through', reason: 'as it is' } as const;

function annAndBob() {
  const { room } = openRoom();
  return { room, ann: room.join(person('ann')), bob: room.join(person('bob')) };
}

function onDemand(producerId: string): ProducerOnDemand {
  return new ProducerOnDemand(async () => ({ producerId, close: () => {} }));
}

describe('publishing', () => {
  test('makes a track that the room finds by its sid and by its producer', () => {
    const { room, ann } = annAndBob();
    const track = ann.publish(voice('p'));
    expect(track).toMatchObject({ participant: ann, purpose: 'voice', muted: false, layers: 1 });
    expect(track.sid).toMatch(/^TR_\w{12}$/);
    expect(room.track(track.sid)).toBe(track);
    expect(room.trackOfProducer('p')).toBe(track);
    expect(room.trackOfProducer('another')).toBeUndefined();
    expect([...ann.tracks.values()]).toEqual([track]);
  });

  test('more tracks than the limit is refused, until one is unpublished', () => {
    const { ann } = annAndBob();
    const track = ann.publish(voice('1'));
    ann.publish(voice('2'));
    expect(() => ann.publish(camera('3'))).toThrow(refusal('limit-reached'));
    ann.unpublish(track);
    expect(ann.publish(camera('3')).producerId).toBe('3');
  });

  test('without permission for the purpose is refused', () => {
    const { room } = openRoom();
    const eve = room.join(person('eve', { publishPurposes: ['voice'] }));
    expect(() => eve.publish(camera())).toThrow(refusal('forbidden'));
    expect(room.tracks).toEqual([]);
    expect(room.counters.tracksPublished).toBe(0);
  });

  test('after leaving is refused', () => {
    const { room, ann } = annAndBob();
    ann.leave('left');
    expect(() => ann.publish(voice())).toThrow(refusal('failed-precondition'));
    expect(room.tracks).toEqual([]);
  });
});

test('unpublishing twice is told once', () => {
  const { room, ann } = annAndBob();
  const track = ann.publish(voice());
  const heard = listenTo(room);
  ann.unpublish(track);
  ann.unpublish(track);
  expect(heard).toEqual(['ann unpublished voice']);
  expect(ann.tracks.size).toBe(0);
});

test('muting is told when it changes something, and not of a track that is gone', () => {
  const { room, ann } = annAndBob();
  const track = ann.publish({ ...voice(), muted: true });
  const heard = listenTo(room);
  for (const muted of [true, false, false, true]) ann.setMuted(track, muted);
  expect(track.muted).toBe(true);
  ann.unpublish(track);
  ann.setMuted(track, false);
  expect(heard).toEqual(['ann unmuted voice', 'ann muted voice', 'ann unpublished voice']);
});

describe('rerouting', () => {
  const route: Route = { codec: { name: 'opus', clockRate: 48_000 }, reason: 'many phones', steps: [] };

  test('takes another way to the hub, and tells so', async () => {
    const { room, ann } = annAndBob();
    const own = onDemand('own');
    const mix = onDemand('mix');
    const track = ann.publish({ ...voice(), producerId: own });
    const heard: unknown[] = [];
    room.on('trackRerouted', (one) => heard.push(one, one.route));
    const before = await track.hold();
    room.reroute(track, route, mix);
    expect(heard).toEqual([track, route]);
    // Nobody wants it there yet; who holds the former keeps it until he lets it go.
    expect(track.producerId).toBeUndefined();
    expect((await track.hold()).producerId).toBe('mix');
    expect([before.producerId, own.producerId]).toEqual(['own', 'own']);
    room.reroute(track, undefined, own);
    expect([track.route, track.producerId]).toEqual([undefined, 'own']);
  });

  test('nothing happens to a track that is gone', () => {
    const { room, ann } = annAndBob();
    const track = ann.publish({ ...voice(), producerId: onDemand('own') });
    ann.unpublish(track);
    const heard: unknown[] = [];
    room.on('trackRerouted', (one) => heard.push(one));
    room.reroute(track, route, onDemand('mix'));
    expect([heard, track.route]).toEqual([[], undefined]);
  });
});

describe('replanning', () => {
  const route: Route = { codec: { name: 'H264', clockRate: 90_000 }, reason: 'B-frames', steps: [] };

  test('does something else on the same way to the hub, and tells so', async () => {
    const { room, ann } = annAndBob();
    const own = onDemand('own');
    const track = ann.publish({ ...camera(), producerId: own });
    const hold = await track.hold();
    const heard: unknown[] = [];
    room.on('trackRerouted', () => heard.push('rerouted'));
    room.on('trackReplanned', (one) => heard.push(one, one.route));
    room.replan(track, route);
    room.replan(track, undefined);
    expect(heard).toEqual([track, route, track, undefined]);
    expect([track.producerId, hold.producerId]).toEqual(['own', 'own']);
  });

  test('nothing happens to a track that is gone', () => {
    const { room, ann } = annAndBob();
    const track = ann.publish(camera());
    ann.unpublish(track);
    const heard: unknown[] = [];
    room.on('trackReplanned', (one) => heard.push(one));
    room.replan(track, route);
    expect([heard, track.route]).toEqual([[], undefined]);
  });
});

test('a producer that carries several tracks is that of none, until there is one left', async () => {
  const { room, ann, bob } = annAndBob();
  const mix = onDemand('mix');
  const track = ann.publish({ ...voice(), producerId: mix });
  const other = bob.publish({ ...voice(), producerId: mix });
  bob.publish(camera('camera'));
  expect(room.trackOfProducer('mix')).toBeUndefined();
  await track.hold();
  expect([track.producerId, other.producerId]).toEqual(['mix', 'mix']);
  expect(room.trackOfProducer('mix')).toBeUndefined();
  expect(room.trackOfProducer('camera')?.purpose).toBe('camera');
  bob.unpublish(other);
  expect(room.trackOfProducer('mix')).toBe(track);
});

describe('withdrawn permissions', () => {
  test.each([
    ['publishing altogether', { publish: false }, []],
    ['all purposes but voice', { publishPurposes: ['voice'] as const }, ['voice']],
    ['being seen', { hidden: true }, []],
    ['nothing', {}, ['voice', 'camera']],
  ])('%s: the tracks that are not permitted any more are unpublished', (_, change, remaining) => {
    const { room, ann } = annAndBob();
    ann.publish(voice());
    ann.publish(camera());
    ann.update({ permissions: { ...EVERYDAY_PERMISSIONS, ...change } });
    expect(room.tracks.map(({ purpose }) => purpose)).toEqual(remaining);
    expect(ann.tracks.size).toBe(remaining.length);
  });

  test('tracks go before the change is told', () => {
    const { room, ann } = annAndBob();
    ann.publish(voice());
    const heard = listenTo(room);
    ann.update({ permissions: { ...EVERYDAY_PERMISSIONS, publish: false } });
    expect(heard).toEqual(['ann unpublished voice', 'ann updated']);
  });
});

describe('subscriptions', () => {
  test('say what is done to bring a track to a listener, until it is unpublished', () => {
    const { room, ann, bob } = annAndBob();
    const track = ann.publish(voice());
    const kept = ann.publish(camera());
    const subscription = room.subscribe(bob, track, PASS, true);
    room.subscribe(bob, kept, PASS, false);
    expect(subscription).toMatchObject({ track, plan: PASS, paused: true });
    expect([...bob.subscriptions.keys()]).toEqual([track.sid, kept.sid]);
    ann.unpublish(track);
    expect([...bob.subscriptions.keys()]).toEqual([kept.sid]);
  });

  test('end when the listener leaves', () => {
    const { room, ann, bob } = annAndBob();
    room.subscribe(bob, ann.publish(voice()), PASS, false);
    bob.leave('left');
    expect(bob.subscriptions.size).toBe(0);
  });

  test('without permission are refused', () => {
    const { room, ann } = annAndBob();
    const eve = room.join(person('eve', { subscribe: false }));
    const track = ann.publish(voice());
    expect(() => room.subscribe(eve, track, PASS, false)).toThrow(refusal('forbidden'));
    expect(eve.subscriptions.size).toBe(0);
  });
});

test('a room that loses its media has no tracks, no speakers and no subscriptions, but everybody', () => {
  const { room, ann, bob } = annAndBob();
  room.subscribe(bob, ann.publish(voice()), PASS, false);
  bob.publish(camera());
  const heard = listenTo(room);
  room.loseMedia('hub died');
  expect(heard).toEqual([
    'ann unpublished voice',
    'bob unpublished camera',
    'speakers: ',
    'media lost: hub died',
  ]);
  expect(room.participants).toEqual([ann, bob]);
  expect(bob.subscriptions.size).toBe(0);
  expect(room.counters.mediaLosses).toBe(1);
});
