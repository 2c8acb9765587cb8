import { describe, expect, test } from 'vitest';
import { feed } from '../../../gateways/webrtc/feed.ts';
import { type ServerNotice, serverNotice } from '../../../gateways/webrtc/messages.ts';
import { viewParticipant, viewTrack, visibleTo } from '../../../gateways/webrtc/views.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { camera, openRoom, person, voice } from '../support/rooms.ts';

/** A room in which `ann` watches and `bob` is, and what ann is told from now on. */
function watchedRoom() {
  const { room } = openRoom({ maxParticipants: 10 });
  const [ann, bob] = [room.join(person('ann')), room.join(person('bob'))];
  const told: ServerNotice[] = [];
  const end = feed(ann, (notice) => told.push(notice));
  return { room, ann, bob, told, end, types: () => told.map(({ type }) => type) };
}

describe('one browser is told', () => {
  test('who joins and who leaves, and why', () => {
    const { room, told } = watchedRoom();
    const eve = room.join(person('eve'));
    eve.leave('removed');
    expect(told).toEqual([
      { type: 'participant-joined', body: expect.objectContaining({ sid: eve.sid, identity: 'eve' }) },
      { type: 'participant-left', body: { participant: eve.sid, reason: 'removed' } },
    ]);
  });

  test('what happens to tracks', () => {
    const { bob, told, types } = watchedRoom();
    const track = bob.publish(camera());
    bob.setMuted(track, true);
    bob.unpublish(track);
    expect(types()).toEqual(['track-published', 'track-updated', 'track-unpublished']);
    expect(told[1]!.body).toEqual({ ...viewTrack(track), muted: true });
    expect(told[2]!.body).toEqual({ track: track.sid, participant: bob.sid });
  });

  test('who changes, and how well he is connected', () => {
    const { bob, told } = watchedRoom();
    bob.update({ name: 'Bob' });
    bob.setQuality('poor');
    expect(told).toEqual([
      { type: 'participant-updated', body: { ...viewParticipant(bob), quality: 'excellent' } },
      { type: 'quality', body: { participant: bob.sid, quality: 'poor' } },
    ]);
  });

  test('its own permissions when they change, after its tracks went', () => {
    const { ann, told, types } = watchedRoom();
    ann.publish(voice());
    ann.update({ permissions: { ...EVERYDAY_PERMISSIONS, publishPurposes: ['camera'] } });
    expect(types()).toEqual(['track-published', 'track-unpublished', 'participant-updated', 'permissions']);
    expect(told.at(-1)!.body).toEqual({
      publish: ['camera'],
      subscribe: true,
      updateOwn: false,
      admin: false,
    });
  });

  test('who speaks, what the room is about, and that the media is lost', () => {
    const { room, bob, told } = watchedRoom();
    room.setSpeakers([{ participant: bob, level: -30 }]);
    room.setMetadata('topic');
    room.loseMedia('worker died');
    expect(told).toEqual([
      { type: 'speakers', body: [{ participant: bob.sid, level: -30 }] },
      { type: 'room-updated', body: { sid: room.sid, name: 'lounge', metadata: 'topic' } },
      { type: 'speakers', body: [] },
      { type: 'media-lost', body: { reason: 'worker died' } },
    ]);
  });
});

describe('the hidden', () => {
  test('are not shown', () => {
    const { room, told } = watchedRoom();
    const ghost = room.join(person('ghost', { hidden: true }));
    ghost.update({ name: 'Boo' });
    ghost.setQuality('poor');
    ghost.leave('left');
    expect(told).toEqual([]);
  });

  test('are not among those that others see, but see themselves', () => {
    const { room, ann, bob } = watchedRoom();
    const ghost = room.join(person('ghost', { hidden: true }));
    expect(visibleTo(ann)).toEqual([ann, bob]);
    expect(visibleTo(ghost)).toEqual([ann, bob, ghost]);
  });

  test('are told of themselves and of others', () => {
    const { room } = watchedRoom();
    const ghost = room.join(person('ghost', { hidden: true }));
    const told: ServerNotice[] = [];
    feed(ghost, (notice) => told.push(notice));
    ghost.setQuality('poor');
    room.join(person('eve'));
    expect(told.map(({ type }) => type)).toEqual(['quality', 'participant-joined']);
  });

  test('who were seen before are gone for others from then on', () => {
    const { bob, told } = watchedRoom();
    bob.update({ permissions: { ...EVERYDAY_PERMISSIONS, hidden: true } });
    bob.leave('left');
    const left = told.filter(({ type }) => type === 'participant-left');
    expect(left.map(({ body }) => body)).toEqual([expect.objectContaining({ participant: bob.sid })]);
  });
});

test('every notice is one that the page understands', () => {
  const { room, ann, bob, told } = watchedRoom();
  room.join({ ...person('eve'), kind: 'phone', attributes: { a: '1' } }).publish(voice());
  bob.update({ metadata: 'x' });
  ann.update({ permissions: { ...EVERYDAY_PERMISSIONS, subscribe: false } });
  bob.setQuality('lost');
  room.setSpeakers([{ participant: bob, level: -127 }]);
  room.loseMedia('worker died');
  room.close('shutdown');
  expect(told.length).toBeGreaterThan(10);
  for (const notice of told) expect(serverNotice.parse(JSON.parse(JSON.stringify(notice)))).toEqual(notice);
});

test('after its end nothing is told any more', () => {
  const { room, bob, told, end } = watchedRoom();
  end();
  bob.publish(voice());
  room.close('deleted');
  expect(told).toEqual([]);
  expect(room.eventNames()).toEqual([]);
});
