import { beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { toMachineTime } from '../../../src/base/machine-time.ts';
import type { Participant } from '../../../src/room/room.ts';
import type { Track } from '../../../src/room/track.ts';
import type { HubLink } from '../../../src/workers/hub-link.ts';
import type { MediaWorker } from '../../../src/workers/media-worker.ts';
import { RoomMix } from '../../../src/workers/room-mix.ts';
import { turn } from '../support/fake-process.ts';
import type { Gate } from '../support/gate.ts';
import {
  atHub,
  beginRoom,
  clock,
  expectNothing,
  link,
  mixes,
  onDemand,
  open,
  opening,
  publish,
  push,
  pushing,
  room,
  SETTINGS,
  see,
  sending,
  sourceOf,
  worker,
} from '../support/program-room.ts';
import { refusal } from '../support/refusal.ts';
import { camera, person, voice } from '../support/rooms.ts';

beforeEach(beginRoom);

describe('opening', () => {
  test('of a room without pictures: the program, its sound, and that nobody is shown', async () => {
    const program = await open();
    expect(worker.requests).toEqual([
      {
        type: 'open-program',
        program: program.id,
        mix: room.sid,
        title: 'lounge',
        epochAt: program.epochAt,
        ...SETTINGS,
      },
      { type: 'program-show', program: program.id },
    ]);
    expect(mixes).toEqual([room.sid]);
    expect(program.shown).toBeUndefined();
    expect(program.worker).toBe(worker);
  });

  test('begins its time now, or when the program that it goes on with did', async () => {
    clock.advance(5_000);
    expect((await open()).epochAt).toBe(toMachineTime(clock.now()));
    const next = await open({ type: 'room' }, { epochAt: 4_321 });
    expect(next.epochAt).toBe(4_321);
    const asked = worker.requests.flatMap((one) => (one.type === 'open-program' ? [one.epochAt] : []));
    expect(asked).toEqual([toMachineTime(clock.now()), 4_321]);
  });

  test('of a room with a picture from the hub: it is wanted before it is brought', async () => {
    const sound = publish('ann', voice());
    const track = publish('ann');
    const program = await open();
    const source = sourceOf(track, 1);
    expect(worker.requests.slice(1)).toEqual([
      { type: 'program-show', program: program.id, source },
      {
        type: 'program-hub-source',
        program: program.id,
        source,
        tracks: [sound.sid],
        link: 'a-link',
        ssrc: 1,
        codec: 'VP8',
      },
    ]);
    expect(program.shown).toBe(track);
    expect([atHub, worker.linked, worker.keyFrames]).toEqual([['ann'], ['ann'], ['ann']]);
  });

  test('of one that is pushed: its pictures go there as they come, not by the hub', async () => {
    const track = publish('obs', push());
    const sound = publish('obs', voice());
    const program = await open();
    const source = sourceOf(track, 1);
    expect(worker.requests.slice(1)).toEqual([
      { type: 'program-show', program: program.id, source },
      { type: 'program-push-source', program: program.id, source, tracks: [sound.sid] },
    ]);
    expect(pushing).toEqual([`4711 token of ${source}`]);
    expect([atHub, worker.linked]).toEqual([[], []]);
  });

  test('that the worker refuses or does not answer leaves nothing in it', async () => {
    worker.failures['open-program'] = [new Error('late')];
    await expect(open()).rejects.toThrow('late');
    expect(worker.asked).toEqual(['open-program', 'close-program']);
    expect(mixes).toEqual([]);
    publish('ann');
    await turn();
    expectNothing();
  });

  test('in a worker that is gone', async () => {
    worker.die();
    await expect(open()).rejects.toThrow(refusal('unavailable'));
    expectNothing();
  });
});

describe('whose picture', () => {
  test('somebody else is pinned: the one before goes on until the new one is seen', async () => {
    const hers = publish('ann');
    const his = publish('bob');
    const program = await open();
    await see();
    room.pin('bob');
    await turn();
    expect(program.shown).toBe(his);
    expect(worker.asked.slice(3)).toEqual([`show ${sourceOf(his, 2)}`, `hub-source ${sourceOf(his, 2)}`]);
    expect([atHub, worker.linked]).toEqual([
      ['ann', 'bob'],
      ['ann', 'bob'],
    ]);
    await see();
    expect(worker.asked.at(-1)).toBe(`remove-source ${sourceOf(hers, 1)}`);
    expect([atHub, worker.linked]).toEqual([['bob'], ['bob']]);
  });

  test.each<[string, (track: Track) => void]>([
    ['is unpublished', (track) => room.unpublish(track)],
    ['is muted', (track) => room.setMuted(track, true)],
    ['leaves', ({ participant }) => (participant as Participant).leave('left')],
    [
      'is hidden',
      ({ participant }) =>
        (participant as Participant).update({
          permissions: { ...(participant as Participant).permissions, hidden: true },
        }),
    ],
  ])('nobody: the only one %s', async (_, go) => {
    const track = publish('ann');
    const program = await open();
    await see();
    go(track);
    await turn();
    expect(program.shown).toBeUndefined();
    expect(worker.asked.slice(3)).toEqual(['show nobody', `remove-source ${sourceOf(track, 1)}`]);
    expect([atHub, worker.linked]).toEqual([[], []]);
  });

  test('his screen as soon as he shares it', async () => {
    publish('ann');
    const program = await open();
    await see();
    const screen = publish('ann', { ...camera(), purpose: 'screen' });
    await turn();
    expect(program.shown).toBe(screen);
  });

  test('what changes elsewhere asks for nothing', async () => {
    publish('ann');
    await open();
    await see();
    const { length } = worker.requests;
    const his = publish('bob');
    publish('ann', voice());
    room.setMuted(his, true);
    (his.participant as Participant).update({ name: 'Robert' });
    room.pin('nobody');
    room.reroute(his, undefined, onDemand('elsewhere'));
    (his.participant as Participant).leave('left');
    await turn();
    expect(worker.requests).toHaveLength(length);
  });
});

describe('of one participant', () => {
  const ofBob = { type: 'participant', identity: 'bob' } as const;

  test('has his name, a mix of its own and only his pictures, whoever is pinned', async () => {
    publish('ann');
    room.join({ ...person('bob'), name: 'Bob B.' });
    const program = await open(ofBob);
    expect(worker.requests[0]).toMatchObject({ mix: program.id, title: 'Bob B.' });
    expect(mixes).toEqual([program.id]);
    expect(program.shown).toBeUndefined();
    const his = publish('bob');
    room.pin('ann');
    await turn();
    expect(program.shown).toBe(his);
    expect([atHub, worker.linked]).toEqual([['bob'], ['bob']]);
    room.unpublish(his);
    await turn();
    expect(program.shown).toBeUndefined();
    expect(atHub).toEqual([]);
  });

  test('by his identity, where he is not there', async () => {
    await open(ofBob);
    expect(worker.requests[0]).toMatchObject({ title: 'bob' });
  });

  test('whose mix has all of his sound, also what goes into the room another way', async () => {
    publish('ann', { ...voice(), producerId: onDemand('ann') });
    const his = publish('bob', { ...voice(), producerId: onDemand('bob'), mixed: true });
    const program = await open(ofBob, {
      mix: (id) => {
        const takes = (track: Track) => track.participant.identity === 'bob';
        const contents = new RoomMix(
          room,
          { id, takes },
          worker as unknown as MediaWorker,
          link as unknown as () => Promise<HubLink>,
          createLogger('silent'),
          clock,
        );
        return () => contents.close();
      },
    });
    const more = publish('bob', { ...voice(), purpose: 'screen-audio', producerId: onDemand('more') });
    await turn();
    expect([...worker.mixed.values()].map(({ mix: id, track }) => [id, track])).toEqual([
      [program.id, his.sid],
      [program.id, more.sid],
    ]);
    room.unpublish(more);
    expect(worker.requests.at(-1)).toEqual({ type: 'unmix-track', mix: program.id, track: more.sid });
    program.close();
    await turn();
    expect([[...worker.mixed], atHub]).toEqual([[], []]);
  });
});

describe('closing', () => {
  const places = ['opening', 'consume', 'hub', 'push', 'sending', 'seeing', 'seen'] as const;

  test.each(places)('during %s lets everything go', async (place) => {
    const gates = { opening, sending, ...worker.gates } as Record<string, Gate>;
    const gate = gates[place];
    if (gate) gate.open = false;
    if (place === 'push' || place === 'sending') publish('obs', push());
    else publish('ann');
    const program = await open();
    if (gate) expect(gate.waiting).toBe(1);
    if (place === 'seen') await see();
    program.close();
    program.close();
    await gate?.letAll();
    // The worker settles what waits in it.
    if (worker.next) await worker.request({ type: 'program-show', program: program.id });
    await turn();
    expectNothing();
    expect(worker.asked.filter((one) => one === 'close-program')).toHaveLength(1);
  });

  test('with one shown and another on its way lets both go, and nothing is asked for after it', async () => {
    publish('ann');
    publish('bob');
    const program = await open();
    await see();
    room.pin('bob');
    await turn();
    program.close();
    await turn();
    expect([atHub, worker.linked, mixes]).toEqual([[], [], []]);
    const { length } = worker.requests;
    room.pin('ann');
    publish('eve');
    await turn();
    expect(worker.requests).toHaveLength(length);
    expect(room.eventNames()).toEqual([]);
  });

  test('while it waits to try again: it does not', async () => {
    worker.failures['program-hub-source'] = [new Error('busy')];
    publish('ann');
    const program = await open();
    expect(clock.pending).toBe(1);
    program.close();
    expect(clock.pending).toBe(0);
  });

  test('when its worker died is no more than a request in vain', async () => {
    publish('ann');
    const program = await open();
    await see();
    worker.die();
    program.close();
    await turn();
    expect([atHub, worker.linked, mixes]).toEqual([[], [], []]);
  });
});
