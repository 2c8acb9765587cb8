import { beforeEach, describe, expect, test } from 'vitest';
import type { NewTrack } from '../../../src/room/track.ts';
import { turn } from '../support/fake-process.ts';
import { Gate } from '../support/gate.ts';
import {
  atHub,
  beginRoom,
  clock,
  onDemand,
  open,
  opening,
  publish,
  push,
  pushing,
  room,
  see,
  sending,
  sourceOf,
  worker,
} from '../support/program-room.ts';
import { camera } from '../support/rooms.ts';

beforeEach(beginRoom);

describe('superseded', () => {
  const places = ['opening', 'consume', 'hub', 'seeing'] as const;
  const gateOf = (place: (typeof places)[number]) =>
    place === 'opening' ? opening : place === 'seeing' ? new Gate() : worker.gates[place];

  test.each(places)('during %s: it is let go, and the later one shown', async (place) => {
    publish('ann', camera());
    publish('bob');
    const eves = publish('eve', { ...camera(), producerId: 'eve' });
    await open();
    await see();
    const gate = gateOf(place);
    gate.open = false;
    room.pin('bob');
    await turn();
    gate.open = true;
    room.pin('eve');
    await turn();
    await see();
    await gate.letAll();
    expect([worker.current, worker.next]).toEqual([sourceOf(eves, 3), undefined]);
    expect([...worker.sources]).toEqual([sourceOf(eves, 3)]);
    expect([atHub, worker.linked, worker.waiting]).toEqual([[], ['eve'], 0]);
  });

  test('a push while it was asked to send: it is told to stop', async () => {
    const hers = publish('ann');
    publish('obs', push());
    await open();
    await see();
    sending.open = false;
    room.pin('obs');
    await turn();
    room.pin('ann');
    await turn();
    await see();
    await sending.letAll();
    expect(pushing).toEqual([]);
    expect([...worker.sources]).toEqual([sourceOf(hers, 3)]);
  });

  test('a push whose place is not known yet: it is not asked to send', async () => {
    publish('ann');
    const obs = publish('obs', push());
    await open();
    await see();
    worker.gates.push.open = false;
    room.pin('obs');
    await turn();
    room.pin('ann');
    await turn();
    sending.open = false;
    await worker.gates.push.letAll();
    expect([sending.waiting, pushing]).toEqual([0, []]);
    expect(worker.sources.has(sourceOf(obs, 2))).toBe(false);
  });

  test('before anything of it could be seen: the one before just goes on', async () => {
    const hers = publish('ann');
    const his = publish('bob');
    const program = await open();
    await see();
    opening.open = false;
    room.pin('bob');
    await turn();
    room.pin('ann');
    await turn();
    await opening.letAll();
    expect(program.shown).toBe(hers);
    expect(worker.current).toBe(sourceOf(hers, 1));
    expect(worker.asked.slice(3, 5)).toEqual([`show ${sourceOf(his, 2)}`, `show ${sourceOf(hers, 1)}`]);
    expect(new Set(worker.asked.slice(5))).toEqual(new Set([`remove-source ${sourceOf(his, 2)}`]));
    expect([atHub, worker.linked]).toEqual([['ann'], ['ann']]);
  });

  test('by the one before, when it may have been seen already: that one is brought anew', async () => {
    const hers = publish('ann');
    publish('bob');
    await open();
    await see();
    room.pin('bob');
    await turn();
    // It is seen, and before that is known here the other is wanted again.
    worker.see();
    room.pin('ann');
    await turn();
    expect(worker.next).toBe(sourceOf(hers, 3));
    await see();
    expect([...worker.sources]).toEqual([sourceOf(hers, 3)]);
    expect([atHub, worker.linked]).toEqual([['ann'], ['ann']]);
  });

  test('muted and unmuted at once, or gone and back: it stays as it is', async () => {
    const hers = publish('ann');
    await open();
    await see();
    room.setMuted(hers, true);
    room.setMuted(hers, false);
    await turn();
    expect([...worker.sources]).toEqual([sourceOf(hers, 1)]);
    expect(worker.linked).toEqual(['ann']);
  });
});

describe('rerouted', () => {
  test('a push that came back on another connection: it is asked to send anew', async () => {
    const track = publish('obs', push());
    const program = await open();
    await see();
    room.reroute(track, undefined, onDemand('new'));
    await turn();
    expect(program.shown).toBe(track);
    expect(pushing).toEqual([`4711 token of ${sourceOf(track, 1)}`, `4711 token of ${sourceOf(track, 2)}`]);
    await see();
    expect(pushing).toEqual([`4711 token of ${sourceOf(track, 2)}`]);
    expect([...worker.sources]).toEqual([sourceOf(track, 2)]);
  });

  test('again before the first was seen: the last counts', async () => {
    const track = publish('obs', push());
    await open();
    for (const name of ['a', 'b', 'c']) room.reroute(track, undefined, onDemand(name));
    await turn();
    await see();
    expect(pushing).toEqual([`4711 token of ${sourceOf(track, 4)}`]);
    expect([...worker.sources]).toEqual([sourceOf(track, 4)]);
  });

  test('a track from the hub: it is held where it is now', async () => {
    const track = publish('ann');
    await open();
    await see();
    room.reroute(track, undefined, onDemand('new'));
    await turn();
    await see();
    expect([atHub, worker.linked]).toEqual([['new'], ['new']]);
  });
});

describe('what fails', () => {
  test.each(['opening', 'consume', 'hub'] as const)(
    'during %s is tried again after a second',
    async (place) => {
      const gate = place === 'opening' ? opening : worker.gates[place];
      gate.open = false;
      const track = publish('ann');
      await open();
      await gate.letOne(new Error('busy'));
      expect([atHub, worker.linked, [...worker.sources]]).toEqual([[], [], []]);
      gate.open = true;
      clock.advance(999);
      await turn();
      expect(worker.linked).toEqual([]);
      clock.advance(1);
      await turn();
      await see();
      expect(worker.current).toBe(sourceOf(track, 2));
      expect([atHub, worker.linked, [...worker.sources]]).toEqual([['ann'], ['ann'], [sourceOf(track, 2)]]);
      expect(clock.pending).toBe(0);
    },
  );

  test('the one before goes on meanwhile', async () => {
    const hers = publish('ann');
    publish('bob');
    await open();
    await see();
    worker.failures['program-hub-source'] = [new Error('busy')];
    room.pin('bob');
    await turn();
    expect([atHub, worker.linked]).toEqual([['ann'], ['ann']]);
    expect([...worker.sources]).toEqual([sourceOf(hers, 1)]);
    clock.advance(1_000);
    await turn();
    await see();
    expect([atHub, worker.linked]).toEqual([['bob'], ['bob']]);
  });

  test.each(['program-show', 'program-push-source'] as const)('%s', async (type) => {
    worker.failures[type] = [new Error('busy')];
    publish('obs', push());
    await open();
    expect([pushing, [...worker.sources]]).toEqual([[], []]);
    clock.advance(1_000);
    await turn();
    await see();
    expect(pushing).toHaveLength(1);
  });

  test('a push that is not connected', async () => {
    let isConnected = false;
    const track = push();
    const sendFrames: NewTrack['sendFrames'] = (to) => {
      if (!isConnected) throw new Error('The encoder is not connected.');
      return track.sendFrames!(to);
    };
    publish('obs', { ...track, sendFrames });
    await open();
    expect(worker.sources.size).toBe(0);
    isConnected = true;
    clock.advance(1_000);
    await turn();
    expect(pushing).toHaveLength(1);
  });

  test('of pictures that programs cannot have: nothing is left held', async () => {
    worker.codec = 'VP9';
    publish('ann');
    await open();
    expect([atHub, worker.linked, [...worker.sources]]).toEqual([[], [], []]);
  });

  test('is not tried again when somebody else is wanted by then', async () => {
    worker.failures['program-hub-source'] = [new Error('busy')];
    publish('ann');
    const his = publish('bob', { ...camera(), producerId: 'bob' });
    await open();
    room.pin('bob');
    await turn();
    await see();
    clock.advance(10_000);
    await turn();
    expect(worker.current).toBe(sourceOf(his, 2));
    expect([clock.pending, atHub, worker.linked]).toEqual([0, [], ['bob']]);
  });

  test('with its worker is not tried again', async () => {
    opening.open = false;
    publish('ann');
    await open();
    worker.die();
    await opening.letAll();
    expect([clock.pending, atHub, worker.linked]).toEqual([0, [], []]);
  });
});
