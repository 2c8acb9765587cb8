import { beforeEach, describe, expect, test } from 'vitest';
import { pictureOf, trackToShow } from '../../../src/outputs/shown-track.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import type { Participant, Room } from '../../../src/room/room.ts';
import type { NewTrack, Track } from '../../../src/room/track.ts';
import { camera, openRoom, person, voice } from '../support/rooms.ts';

let room: Room;
let ann: Participant;
let bob: Participant;
let eve: Participant;

beforeEach(() => {
  ({ room } = openRoom({ maxParticipants: 0, maxTracksPerParticipant: 9 }));
  [ann, bob, eve] = ['ann', 'bob', 'eve'].map((name) => room.join(person(name))) as [
    Participant,
    Participant,
    Participant,
  ];
});

function screen(): NewTrack {
  return { ...camera('screen'), purpose: 'screen' };
}

function hide(participant: Participant): void {
  // Without taking its tracks away, as a gateway that publishes for somebody hidden might.
  participant.permissions = { ...EVERYDAY_PERMISSIONS, hidden: true };
}

describe('what one participant shows', () => {
  test.each<[string, NewTrack[], number | undefined]>([
    ['nothing', [], undefined],
    ['a voice is no picture', [voice()], undefined],
    ['a camera', [voice(), camera()], 1],
    ['the first of two cameras', [camera('a'), camera('b')], 0],
    ['a screen before a camera, whichever came first', [camera(), screen()], 1],
    ['a screen that came first', [screen(), camera()], 0],
    ['the camera when the screen is muted', [{ ...screen(), muted: true }, camera()], 1],
    [
      'nothing when all is muted',
      [
        { ...screen(), muted: true },
        { ...camera(), muted: true },
      ],
      undefined,
    ],
    ['no sound of a screen', [{ ...voice(), purpose: 'screen-audio' }, camera()], 1],
  ])('%s', (_, tracks, index) => {
    const published = tracks.map((track) => ann.publish(track));
    expect(pictureOf(ann)).toBe(index === undefined ? undefined : published[index]);
  });

  test('nothing when hidden', () => {
    ann.publish(camera());
    hide(ann);
    expect(pictureOf(ann)).toBeUndefined();
  });

  test('of two alike the one that is shown already', () => {
    const [first, second] = [ann.publish(camera('a')), ann.publish(camera('b'))];
    expect(pictureOf(ann, second)).toBe(second);
    const shared = ann.publish(screen());
    expect(pictureOf(ann, second)).toBe(shared);
    room.unpublish(shared);
    expect(pictureOf(ann, shared)).toBe(first);
  });
});

describe('what the room shows', () => {
  /** Asks again after each change, as who follows it does. */
  let shown: Track | undefined;
  const look = () => {
    shown = trackToShow(room, shown);
    return shown;
  };
  beforeEach(() => {
    shown = undefined;
  });

  test('nobody, in an empty room or one without pictures', () => {
    expect(look()).toBeUndefined();
    ann.publish(voice());
    expect(look()).toBeUndefined();
  });

  test('the first in the room who has a picture, and no other who comes later', () => {
    const his = bob.publish(camera());
    expect(look()).toBe(his);
    ann.publish(camera());
    expect(look()).toBe(his);
    eve.publish(screen());
    expect(look()).toBe(his);
  });

  test('whoever is pinned, from now on and back again', () => {
    const hers = ann.publish(camera());
    const his = bob.publish(camera());
    expect(look()).toBe(hers);
    room.pin('bob');
    expect(look()).toBe(his);
    room.pin('ann');
    expect(look()).toBe(hers);
    room.pin('bob');
    look();
    room.pin(undefined);
    // Who is shown stays.
    expect(look()).toBe(his);
  });

  test('who was shown before, while the pinned one has no picture', () => {
    const [, his] = [ann.publish(camera()), bob.publish(camera())];
    room.pin('bob');
    look();
    room.pin('eve');
    expect(look()).toBe(his);
    const hers = eve.publish(camera());
    expect(look()).toBe(hers);
    room.setMuted(hers, true);
    // Bob was not shown directly before: the first one is.
    expect(look()?.participant).toBe(ann);
    room.setMuted(hers, false);
    expect(look()).toBe(hers);
  });

  test('the pinned one again who left and came back', () => {
    const hers = ann.publish(camera());
    const his = bob.publish(camera());
    room.pin('bob');
    expect(look()).toBe(his);
    bob.leave('left');
    expect(look()).toBe(hers);
    expect(room.pinned).toBe('bob');
    const back = room.join(person('bob'));
    expect(look()).toBe(hers);
    const anew = back.publish(camera());
    expect(look()).toBe(anew);
  });

  test('somebody who is pinned before he is there', () => {
    const hers = ann.publish(camera());
    room.pin('zoe');
    expect(look()).toBe(hers);
    const zoes = room.join(person('zoe')).publish(camera());
    expect(look()).toBe(zoes);
  });

  test("the shown one's screen while he shares it, and his camera again after it", () => {
    ann.publish(voice());
    const his = bob.publish(camera());
    expect(look()).toBe(his);
    ann.publish(camera());
    const shared = bob.publish(screen());
    expect(look()).toBe(shared);
    room.unpublish(shared);
    expect(look()).toBe(his);
  });

  test.each<[string, (track: Track) => void]>([
    ['mutes', (track) => room.setMuted(track, true)],
    ['stops', (track) => room.unpublish(track)],
    ['is hidden', ({ participant }) => hide(participant as Participant)],
    ['leaves', ({ participant }) => (participant as Participant).leave('left')],
  ])('somebody else when the shown one %s, pinned or not', (_, go) => {
    const [hers, his, eves] = [ann, bob, eve].map((one) => one.publish(camera())) as [Track, Track, Track];
    expect(look()).toBe(hers);
    go(hers);
    expect(look()).toBe(his);
    room.pin('eve');
    expect(look()).toBe(eves);
    go(eves);
    expect(look()).toBe(his);
    go(his);
    expect(look()).toBeUndefined();
  });
});

describe('pinning', () => {
  test('is told once a change', () => {
    const told: unknown[] = [];
    room.on('pinned', (identity) => told.push(identity));
    for (const identity of ['bob', 'bob', 'ann', undefined, undefined]) room.pin(identity);
    expect(told).toEqual(['bob', 'ann', undefined]);
  });
});
