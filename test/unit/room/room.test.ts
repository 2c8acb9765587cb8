import { describe, expect, test } from 'vitest';
import { refusal } from '../support/refusal.ts';
import { camera, listenTo, openRoom, person, voice } from '../support/rooms.ts';

describe('joining', () => {
  test('puts a participant into the room with what its gateway says of it', () => {
    const { room, clock } = openRoom();
    clock.advance(1500);
    const ann = room.join({ ...person('ann'), kind: 'phone', metadata: 'm', attributes: { a: '1' } });
    expect(room.participants).toEqual([ann]);
    expect(room.participant('ann')).toBe(ann);
    expect(ann).toMatchObject({
      identity: 'ann',
      kind: 'phone',
      metadata: 'm',
      attributes: { a: '1' },
      quality: 'excellent',
      leftBecause: undefined,
      joinedAt: clock.wallClock(),
    });
    expect(ann.sid).toMatch(/^PA_\w{12}$/);
  });

  test('with an identity that is there already replaces the first one', () => {
    const { room } = openRoom();
    const first = room.join(person('ann'));
    first.publish(voice());
    const heard = listenTo(room);
    const second = room.join(person('ann'));
    expect(heard).toEqual(['ann unpublished voice', 'ann left: replaced', 'ann joined']);
    expect(first.leftBecause).toBe('replaced');
    expect(room.participants).toEqual([second]);
    expect(second.sid).not.toBe(first.sid);
  });

  test('a full room is refused, except to an identity that is in it', () => {
    const { room } = openRoom({ maxParticipants: 2 });
    room.join(person('ann'));
    room.join(person('bob'));
    expect(() => room.join(person('eve'))).toThrow(refusal('room-full'));
    expect(room.join(person('bob')).leftBecause).toBeUndefined();
    expect(room.participants).toHaveLength(2);
  });

  test('a room without a limit takes many', () => {
    const { room } = openRoom({ maxParticipants: 0 });
    for (let i = 0; i < 50; i++) room.join(person(`guest ${i}`));
    expect(room.participants).toHaveLength(50);
  });

  test('a closed room is refused', () => {
    const { room } = openRoom();
    room.close('deleted');
    expect(() => room.join(person('ann'))).toThrow(refusal('room-not-found'));
  });
});

describe('leaving', () => {
  test('takes the tracks along and is told once, to the participant first', () => {
    const { room } = openRoom();
    const ann = room.join(person('ann'));
    ann.publish(voice());
    ann.publish(camera());
    const heard = listenTo(room);
    ann.on('left', (reason) => heard.push(`to ann: ${reason}`));
    ann.leave('connection-lost');
    ann.leave('left');
    expect(heard).toEqual([
      'ann unpublished voice',
      'ann unpublished camera',
      'to ann: connection-lost',
      'ann left: connection-lost',
    ]);
    expect(ann.leftBecause).toBe('connection-lost');
    expect(room.participant('ann')).toBeUndefined();
    expect(room.tracks).toEqual([]);
  });
});

describe('changes', () => {
  test('name, metadata and attributes change; what is absent stays, an empty attribute goes', () => {
    const { room } = openRoom();
    const ann = room.join({ ...person('ann'), metadata: 'before', attributes: { a: '1', b: '2' } });
    const heard = listenTo(room);
    ann.on('updated', () => heard.push('to ann: updated'));
    ann.update({ name: 'Ann', attributes: { a: '', c: '3' } });
    expect(ann).toMatchObject({ name: 'Ann', metadata: 'before', attributes: { b: '2', c: '3' } });
    expect(ann.attributes).not.toHaveProperty('a');
    expect(heard).toEqual(['to ann: updated', 'ann updated']);
  });

  test('of somebody who left are not told', () => {
    const { room } = openRoom();
    const ann = room.join(person('ann'));
    ann.leave('left');
    const heard = listenTo(room);
    ann.update({ name: 'Ghost' });
    expect(heard).toEqual([]);
  });

  test('quality is told when it changes, and not of somebody who left', () => {
    const { room } = openRoom();
    const ann = room.join(person('ann'));
    const heard = listenTo(room);
    for (const quality of ['excellent', 'poor', 'poor', 'lost'] as const) ann.setQuality(quality);
    ann.leave('left');
    ann.setQuality('good');
    expect(heard).toEqual(['ann quality: poor', 'ann quality: lost', 'ann left: left']);
  });

  test("the room's metadata and speakers are told", () => {
    const { room } = openRoom();
    const ann = room.join(person('ann'));
    const heard = listenTo(room);
    room.setMetadata('topic');
    room.setSpeakers([{ participant: ann, level: -20 }]);
    expect(room.metadata).toBe('topic');
    expect(heard).toEqual(['updated', 'speakers: ann']);
  });
});

describe('speakers', () => {
  function speaking() {
    const { room } = openRoom();
    const [ann, bob, eve] = ['ann', 'bob', 'eve'].map((name) => room.join(person(name)));
    const told: [string, number][][] = [];
    room.on('speakers', (speakers) =>
      told.push(speakers.map(({ participant, level }) => [participant.identity, level])),
    );
    return { room, ann: ann!, bob: bob!, eve: eve!, told };
  }

  test('of the hub and of the mix are told together, the loudest first', () => {
    const { room, ann, bob, eve, told } = speaking();
    room.setSpeakers([{ participant: ann, level: -30 }]);
    room.setSpeakers(
      [
        { participant: bob, level: -40 },
        { participant: eve, level: -10 },
      ],
      'mix',
    );
    room.setSpeakers([], 'hub');
    room.setSpeakers([], 'mix');
    expect(told).toEqual([
      [['ann', -30]],
      [
        ['eve', -10],
        ['ann', -30],
        ['bob', -40],
      ],
      [
        ['eve', -10],
        ['bob', -40],
      ],
      [],
    ]);
  });

  test('whom both hear is told once, as loud as the louder says', () => {
    const { room, ann, told } = speaking();
    room.setSpeakers([{ participant: ann, level: -30 }]);
    room.setSpeakers([{ participant: ann, level: -20 }], 'mix');
    expect(told.at(-1)).toEqual([['ann', -20]]);
  });

  test('who left does not speak any more, whoever heard him last', () => {
    const { room, ann, bob, told } = speaking();
    room.setSpeakers([{ participant: bob, level: -20 }], 'mix');
    bob.leave('left');
    room.setSpeakers([{ participant: ann, level: -30 }]);
    expect(told.at(-1)).toEqual([['ann', -30]]);
  });

  test('are forgotten with the media', () => {
    const { room, ann, bob, told } = speaking();
    room.setSpeakers([{ participant: bob, level: -20 }], 'mix');
    room.loseMedia('hub died');
    room.setSpeakers([{ participant: ann, level: -30 }]);
    expect(told.slice(1)).toEqual([[], [['ann', -30]]]);
  });
});

test('keys that somebody presses are told as long as he is there', () => {
  const { room } = openRoom();
  const ann = room.join(person('ann'));
  const pressed: string[] = [];
  room.on('digit', ({ identity }, digit) => pressed.push(`${identity} ${digit}`));
  ann.press('5');
  ann.press('#');
  ann.leave('left');
  ann.press('1');
  expect(pressed).toEqual(['ann 5', 'ann #']);
});

test('a whole meeting is told in its order, and counted', () => {
  const { room } = openRoom();
  const heard = listenTo(room);
  const ann = room.join(person('ann'));
  const track = ann.publish(voice());
  room.join(person('bob'));
  ann.setMuted(track, true);
  ann.unpublish(track);
  room.participant('bob')!.leave('left');
  room.close('deleted');
  expect(heard).toEqual([
    'ann joined',
    'ann published voice',
    'bob joined',
    'ann muted voice',
    'ann unpublished voice',
    'bob left: left',
    'ann left: room-deleted',
    'closed: deleted',
  ]);
  expect(room.counters).toEqual({ participantsJoined: 2, tracksPublished: 1, mediaLosses: 0 });
});
