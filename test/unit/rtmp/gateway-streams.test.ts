import { describe, expect, test } from 'vitest';
import { PatchroomError } from '../../../src/base/errors.ts';
import { encoders, gone, trackNotice } from '../support/fake-encoder-plane.ts';

const KEY = 'the-key-of-camera-1';
const OTHER_KEY = 'the-key-of-camera-2';
const IN_USE = 'refuse: Somebody is publishing with this stream key already.';

describe('an encoder', () => {
  test('is let in with its key, as a participant that publishes what it sends', async () => {
    const { room, plane, connect, publish, say, counters } = await encoders();
    const session = await connect();
    expect(plane.toldTo(session)).toEqual([]);
    await publish(session, KEY);
    expect(plane.toldTo(session)).toEqual(['admit']);
    const [participant] = room.participants;
    expect(participant).toMatchObject({ name: 'Camera 1', kind: 'encoder', gateway: 'rtmp' });
    await say(session, trackNotice());
    expect(room.tracks.map(({ kind }) => kind)).toEqual(['video']);
    expect(await counters()).toMatchObject({ sessions: 1, live: 1, sessionsTotal: 1 });
  });

  test.each([
    ['no-such-key', 'refuse: This stream key is not known here.'],
    ['lounge', 'refuse: This stream key is not known here.'],
  ])('is refused with %j', async (key, expected) => {
    const { room, plane, connect, publish, counters } = await encoders();
    const session = await connect();
    await publish(session, key);
    expect([plane.toldTo(session), room.participants]).toEqual([[expected], []]);
    expect(await counters()).toMatchObject({ sessions: 1, live: 0, badKey: 1 });
  });

  test("may come with a room's name in demo mode, and is called what it calls itself", async () => {
    const { room, connect, publish, say } = await encoders({ keys: [] }, { demo: true });
    const session = await connect();
    await publish(session, 'lounge');
    const [participant] = room.participants;
    expect(participant!.name).toBe('Encoder');
    await say(session, { type: 'encoder', name: 'OBS' });
    expect(participant!.name).toBe('OBS');
  });

  test('keeps the name of its key, whatever it calls itself', async () => {
    const { room, live, say } = await encoders();
    const session = await live();
    await say(session, { type: 'encoder', name: 'OBS' });
    expect(room.participants[0]!.name).toBe('Camera 1');
  });

  test('is told why, when it cannot join', async () => {
    const { plane, connect, publish, joining, counters } = await encoders();
    joining.open = false;
    const [first, second] = [await connect(), await connect()];
    await publish(first, KEY);
    await joining.letOne(new PatchroomError('room-full', 'The room is full.'));
    expect(plane.toldTo(first)).toEqual(['refuse: The room is full.']);
    // The key is free again.
    joining.open = true;
    await publish(second, KEY);
    expect(plane.toldTo(second)).toEqual(['admit']);
    expect(await counters()).toMatchObject({ live: 1 });
  });

  test('that cannot be admitted leaves its place to the next, for a while', async () => {
    const { room, plane, connect, publish, clock } = await encoders();
    plane.failures.admit = [gone()];
    const [first, second] = [await connect(), await connect()];
    await publish(first, KEY);
    expect(plane.toldTo(first)).toEqual(['admit', 'refuse: The media worker is gone.']);
    await publish(second, KEY);
    expect(plane.toldTo(second)).toEqual(['admit']);
    clock.advance(60_000);
    expect(room.participants).toHaveLength(1);
  });
});

describe('a key that is in use', () => {
  test('is refused to a second encoder, and other keys are not', async () => {
    const { room, plane, connect, publish, live, counters } = await encoders();
    await live();
    const [second, other] = [await connect(), await connect()];
    await publish(second, KEY);
    await publish(other, OTHER_KEY);
    expect([plane.toldTo(second), plane.toldTo(other)]).toEqual([[IN_USE], ['admit']]);
    expect(room.participants).toHaveLength(2);
    expect(await counters()).toMatchObject({ live: 2, keyInUse: 1 });
  });

  test('stays so when the refused one goes', async () => {
    const { plane, room, connect, publish, live, end, clock } = await encoders();
    await live();
    const second = await connect();
    await publish(second, KEY);
    await end(second, 'refused');
    clock.advance(60_000);
    const third = await connect();
    await publish(third, KEY);
    expect(plane.toldTo(third)).toEqual([IN_USE]);
    expect(room.participants).toHaveLength(1);
  });

  test('is refused also while the first one is being let in', async () => {
    const { plane, connect, publish, joining } = await encoders();
    joining.open = false;
    const [first, second] = [await connect(), await connect()];
    await publish(first, KEY);
    await publish(second, KEY);
    await joining.letAll();
    expect([plane.toldTo(first), plane.toldTo(second)]).toEqual([['admit'], [IN_USE]]);
  });
});

describe('an encoder that comes back', () => {
  test('within the time has its place, and its tracks take the new way', async () => {
    const { room, plane, live, end, say, clock } = await encoders();
    const first = await live();
    await say(first, trackNotice());
    await say(first, trackNotice({ kind: 'audio' }));
    const before = room.tracks.map(({ sid }) => sid);
    const [participant] = room.participants;
    await end(first, 'closed');
    expect(participant!.attributes['ingest.status']).toBe('waiting');
    clock.advance(9_999);
    const rerouted: string[] = [];
    room.on('trackRerouted', ({ sid }) => rerouted.push(sid));
    const second = await live();
    expect(plane.toldTo(second)).toEqual(['admit']);
    await say(second, trackNotice());
    await say(second, trackNotice({ kind: 'audio' }));
    expect(room.participants).toEqual([participant]);
    expect(participant!.attributes['ingest.status']).toBe('live');
    expect(room.tracks.map(({ sid }) => sid)).toEqual(before);
    expect(rerouted).toEqual(before);
    clock.advance(60_000);
    expect(room.participants).toEqual([participant]);
  });

  test('later is another participant', async () => {
    const { room, live, end, clock } = await encoders({ reconnectSeconds: 3 });
    const left: string[] = [];
    room.on('participantLeft', ({ identity }, reason) => left.push(`${identity} ${reason}`));
    const first = await live();
    const [participant] = room.participants;
    await end(first, 'closed');
    clock.advance(2_999);
    expect(left).toEqual([]);
    clock.advance(1);
    expect(left).toEqual([`${participant!.identity} connection-lost`]);
    await live();
    expect(room.participants.map(({ identity }) => identity)).not.toContain(participant!.identity);
  });

  test.each(['closed', 'silent', 'error'])('after its connection was %s', async (how) => {
    const { room, live, end } = await encoders();
    await end(await live(), how);
    expect(room.participants[0]!.attributes['ingest.status']).toBe('waiting');
  });

  test('is not waited for when it said that it is done', async () => {
    const { room, live, say, counters } = await encoders();
    await say(await live(), { type: 'unpublished' });
    expect(room.participants).toEqual([]);
    // Its connection stays, and may publish again.
    expect(await counters()).toMatchObject({ sessions: 1, live: 0 });
  });

  test('after its worker died', async () => {
    const { room, plane, live } = await encoders();
    const first = await live();
    plane.mediaWorkers = [{ pid: 2 }];
    first.port.lose();
    const [participant] = room.participants;
    expect(participant!.attributes['ingest.status']).toBe('waiting');
    const second = await live();
    expect([second.port.worker.pid, plane.toldTo(second)]).toEqual([2, ['admit']]);
    expect(room.participants).toEqual([participant]);
  });
});

describe('an encoder that goes while it is let in', () => {
  test('has a place for a while', async () => {
    const { room, plane, connect, publish, end, joining, clock, live } = await encoders();
    joining.open = false;
    const first = await connect();
    await publish(first, KEY);
    await end(first);
    await joining.letAll();
    expect([plane.toldTo(first), room.participants.length]).toEqual([[], 1]);
    const second = await live();
    expect([plane.toldTo(second), room.participants.length]).toEqual([['admit'], 1]);
    await end(second);
    clock.advance(10_000);
    expect(room.participants).toEqual([]);
  });

  test('makes no difference to the one that comes after it', async () => {
    const { room, plane, connect, publish, end, joining, clock } = await encoders();
    joining.open = false;
    const first = await connect();
    await publish(first, KEY);
    await end(first);
    const second = await connect();
    await publish(second, KEY);
    await joining.letAll();
    await joining.letAll();
    clock.advance(60_000);
    expect([plane.toldTo(first), plane.toldTo(second)]).toEqual([[], ['admit']]);
    expect(room.counters.participantsJoined).toBe(1);
    expect(room.participants.map(({ attributes }) => attributes['ingest.status'])).toEqual(['live']);
  });
});

describe('an encoder that was removed', () => {
  test.each<['removed' | 'room-deleted', string]>([
    ['removed', 'dismiss: You were removed from the room.'],
    ['room-deleted', 'dismiss: The room was closed.'],
  ])('(%s) is told so', async (reason, expected) => {
    const { room, plane, live } = await encoders();
    const session = await live();
    room.participants[0]!.leave(reason);
    expect(plane.toldTo(session)).toEqual(['admit', expected]);
  });

  test('cannot come back for a minute', async () => {
    const { room, plane, connect, publish, live, end, clock } = await encoders();
    const first = await live();
    room.participants[0]!.leave('removed');
    await end(first, 'refused');
    const second = await connect();
    await publish(second, KEY);
    expect(plane.toldTo(second)).toEqual(['refuse: You were removed from the room. Try again in a minute.']);
    await end(second, 'refused');
    clock.advance(60_000);
    const third = await live();
    expect([plane.toldTo(third), room.participants.length]).toEqual([['admit'], 1]);
  });

  test('does not bar those with other keys, nor does a room that closed bar anybody', async () => {
    const { room, plane, live } = await encoders();
    const first = await live();
    room.participants[0]!.leave('removed');
    const other = await live(OTHER_KEY);
    room.participants[0]!.leave('room-deleted');
    const again = await live(OTHER_KEY);
    expect([first, other, again].map((one) => plane.toldTo(one)[0])).toEqual(['admit', 'admit', 'admit']);
  });

  test('and whose connection ends late does not take the place of the next one', async () => {
    const { room, live, end } = await encoders();
    const first = await live();
    room.participants[0]!.leave('room-deleted');
    await live();
    await end(first, 'refused');
    expect(room.participants.map(({ attributes }) => attributes['ingest.status'])).toEqual(['live']);
  });
});
