import { describe, expect, test } from 'vitest';
import { mustBeRoomName, RoomDirectory } from '../../../src/room/directory.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { refusal } from '../support/refusal.ts';
import { person, ROOM_OPTIONS } from '../support/rooms.ts';

function directory({ maxRooms = 3 } = {}) {
  const clock = new FakeClock();
  const rooms = new RoomDirectory({ defaults: ROOM_OPTIONS, maxRooms }, clock);
  const heard: string[] = [];
  rooms.on('roomOpened', ({ name }) => heard.push(`${name} opened`));
  rooms.on('roomClosed', ({ name }, reason) => heard.push(`${name} closed: ${reason}`));
  return { rooms, clock, heard };
}

describe("a room's name", () => {
  test.each([
    'a',
    'demo',
    'Team-1',
    '7',
    'büro',
    '会議室',
    'sales@example.org',
    'a.b_c+d',
    'api2',
    'API',
    'x'.repeat(128),
  ])('may be %s', (name) => {
    expect(() => mustBeRoomName(name)).not.toThrow();
  });

  test.each([
    '',
    ' ',
    'a b',
    '-a',
    '.',
    '..',
    '.hidden',
    '_a',
    '@a',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    'a%2fb',
    'a\n',
    'a\0',
    '<b>',
    'a\u202eb',
    'x'.repeat(129),
  ])('may not be %j', (name) => {
    expect(() => mustBeRoomName(name)).toThrow(refusal('invalid-request'));
  });

  test.each(['api', 'twirp', 'rtc', 'assets', 'healthz', 'metrics', 'favicon.ico', 'robots.txt'])(
    'may not be %s, which is a path of the server',
    (name) => {
      expect(() => mustBeRoomName(name)).toThrow(refusal('invalid-request'));
    },
  );

  test('that is refused is shown cut off', () => {
    expect(() => mustBeRoomName('y'.repeat(100_000))).toThrow(/^"y{140}" cannot be/);
  });
});

describe('opening', () => {
  test('makes a room with the defaults, and its own options before them', () => {
    const { rooms, heard } = directory();
    const room = rooms.open('one', { maxParticipants: 7 }, 'about');
    expect(room.options).toEqual({ ...ROOM_OPTIONS, maxParticipants: 7 });
    expect(room.metadata).toBe('about');
    expect(rooms.get('one')).toBe(room);
    expect(rooms.mustGet('one')).toBe(room);
    expect(heard).toEqual(['one opened']);
  });

  test('a room that is open gives that room, as it is', () => {
    const { rooms, heard } = directory({ maxRooms: 1 });
    const room = rooms.open('one', { maxParticipants: 7 }, 'about');
    expect(rooms.open('one', { maxParticipants: 9 }, 'other')).toBe(room);
    expect(room.options.maxParticipants).toBe(7);
    expect(room.metadata).toBe('about');
    expect(heard).toEqual(['one opened']);
  });

  test('one room too many is refused, until another has closed', () => {
    const { rooms } = directory({ maxRooms: 2 });
    rooms.open('one').join(person('ann'));
    rooms.open('two');
    expect(() => rooms.open('three')).toThrow(refusal('limit-reached'));
    rooms.mustGet('one').close('deleted');
    expect(rooms.open('three').name).toBe('three');
  });

  test('a bad name is refused, and nothing is opened', () => {
    const { rooms, heard } = directory();
    expect(() => rooms.open('api')).toThrow(refusal('invalid-request'));
    expect(rooms.rooms).toEqual([]);
    expect(heard).toEqual([]);
  });
});

test('a room that closes by itself is forgotten, and the next of that name is a new one', () => {
  const { rooms, clock, heard } = directory();
  const first = rooms.open('one');
  clock.advance(ROOM_OPTIONS.emptyTimeoutMs);
  expect(rooms.get('one')).toBeUndefined();
  expect(() => rooms.mustGet('one')).toThrow(refusal('room-not-found'));
  expect(rooms.open('one').sid).not.toBe(first.sid);
  expect(heard).toEqual(['one opened', 'one closed: empty', 'one opened']);
});

test('closing all rooms tells everybody that the server shuts down', () => {
  const { rooms, heard } = directory();
  const ann = rooms.open('one').join(person('ann'));
  rooms.open('two');
  rooms.closeAll();
  expect(rooms.rooms).toEqual([]);
  expect(ann.leftBecause).toBe('shutdown');
  expect(heard).toEqual(['one opened', 'two opened', 'one closed: shutdown', 'two closed: shutdown']);
});
