import { describe, expect, test } from 'vitest';
import { listenTo, openRoom, person, voice } from '../support/rooms.ts';

const TIMES = { emptyTimeoutMs: 300_000, departureTimeoutMs: 20_000 };

describe('an empty room', () => {
  test('that nobody came to closes after its empty time', () => {
    const { room, clock } = openRoom(TIMES);
    const heard = listenTo(room);
    clock.advance(299_999);
    expect(room.closed).toBe(false);
    clock.advance(1);
    expect(room.closed).toBe(true);
    expect(heard).toEqual(['closed: empty']);
  });

  test('that the last one left closes after its departure time', () => {
    const { room, clock } = openRoom(TIMES);
    const ann = room.join(person('ann'));
    clock.advance(1_000_000);
    expect(room.closed).toBe(false);
    ann.leave('left');
    clock.advance(19_999);
    expect(room.closed).toBe(false);
    clock.advance(1);
    expect(room.closed).toBe(true);
  });

  test('stays open when somebody comes in time, and waits anew after the next departure', () => {
    const { room, clock } = openRoom(TIMES);
    room.join(person('ann')).leave('left');
    clock.advance(19_999);
    const bob = room.join(person('bob'));
    clock.advance(1_000_000);
    expect(room.closed).toBe(false);
    bob.leave('left');
    clock.advance(19_999);
    expect(room.closed).toBe(false);
    clock.advance(1);
    expect(room.closed).toBe(true);
  });

  test('does not start to wait while others are still there', () => {
    const { room, clock } = openRoom(TIMES);
    room.join(person('ann'));
    room.join(person('bob')).leave('left');
    clock.advance(1_000_000);
    expect(room.closed).toBe(false);
  });

  test('does not start to wait when its only participant is replaced', () => {
    const { room, clock } = openRoom(TIMES);
    room.join(person('ann'));
    room.join(person('ann'));
    clock.advance(1_000_000);
    expect(room.closed).toBe(false);
  });

  test('waits for a departure time that was changed meanwhile', () => {
    const { room, clock } = openRoom(TIMES);
    const ann = room.join(person('ann'));
    room.options = { ...room.options, departureTimeoutMs: 5_000 };
    ann.leave('left');
    clock.advance(5_000);
    expect(room.closed).toBe(true);
  });
});

describe('closing', () => {
  test.each([
    ['deleted', 'room-deleted'],
    ['shutdown', 'shutdown'],
  ] as const)('because it is %s tells everybody in it: %s', (reason, told) => {
    const { room } = openRoom();
    const ann = room.join(person('ann'));
    ann.publish(voice());
    room.join(person('bob'));
    const heard = listenTo(room);
    room.close(reason);
    expect(heard).toEqual([
      'ann unpublished voice',
      `ann left: ${told}`,
      `bob left: ${told}`,
      `closed: ${reason}`,
    ]);
    expect(room.participants).toEqual([]);
  });

  test('twice is told once, and nothing is told afterwards', () => {
    const { room } = openRoom();
    const heard = listenTo(room);
    room.close('deleted');
    room.close('shutdown');
    room.loseMedia('late');
    room.setMetadata('late');
    expect(heard).toEqual(['closed: deleted']);
    expect(room.counters.mediaLosses).toBe(0);
  });

  test('leaves no timer behind', () => {
    const { room, clock } = openRoom();
    room.join(person('ann'));
    room.close('deleted');
    expect(clock.pending).toBe(0);
  });
});
