import { beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { ProducerOnDemand } from '../../../src/room/producer-on-demand.ts';
import type { Room } from '../../../src/room/room.ts';
import type { Track } from '../../../src/room/track.ts';
import type { HubLink, LinkedTrack } from '../../../src/workers/hub-link.ts';
import type { MediaWorker } from '../../../src/workers/media-worker.ts';
import type { WorkerRequest } from '../../../src/workers/messages.ts';
import { RoomMix, wholeRoom } from '../../../src/workers/room-mix.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { turn } from '../support/fake-process.ts';
import { Gate } from '../support/gate.ts';
import { camera, openRoom, person, voice } from '../support/rooms.ts';

/** A media worker that knows which tracks are in its mix, as the real one does; and a link to it. */
class FakeWorker {
  readonly mixed = new Map<string, WorkerRequest & { type: 'mix-track' }>();
  readonly requests: string[] = [];
  /** Consumers that are open, by producer. */
  readonly linked: string[] = [];
  readonly gates = { consume: new Gate(), mix: new Gate() };
  consumed = 0;
  failing = false;
  #nextSsrc = 1;

  async request(request: WorkerRequest): Promise<unknown> {
    this.requests.push(request.type);
    if (this.failing) throw new Error('gone');
    // Its messages arrive in the order in which they are sent, whenever it answers.
    if (request.type === 'mix-track') this.mixed.set(request.track, request);
    if (request.type === 'unmix-track') this.mixed.delete(request.track);
    if (request.type === 'mix-track') await this.gates.mix.pass();
    return {};
  }

  async consume(producerId: string): Promise<LinkedTrack> {
    this.consumed++;
    await this.gates.consume.pass();
    this.linked.push(producerId);
    let closed = false;
    return {
      ssrc: this.#nextSsrc++,
      payloadType: 100,
      codec: { name: 'opus', clockRate: 48_000 },
      levelExtension: 6,
      requestKeyFrame: async () => {},
      close: () => {
        if (!closed) this.linked.splice(this.linked.indexOf(producerId), 1);
        closed = true;
      },
    };
  }
}

/** Producers that are open at the hub. */
let atHub: string[];
let opening: Gate;
let worker: FakeWorker;
let room: Room;
let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
  atHub = [];
  opening = new Gate();
  worker = new FakeWorker();
  ({ room } = openRoom({ maxParticipants: 0, maxTracksPerParticipant: 9 }));
});

function onDemand(producerId: string): ProducerOnDemand {
  return new ProducerOnDemand(async () => {
    await opening.pass();
    atHub.push(producerId);
    return { producerId, close: () => void atHub.splice(atHub.indexOf(producerId), 1) };
  });
}

function mixOf(link: () => Promise<unknown> = async () => ({ id: 'a-link', consume: consume })): RoomMix {
  return new RoomMix(
    room,
    wholeRoom(room),
    worker as unknown as MediaWorker,
    link as () => Promise<HubLink>,
    createLogger('silent'),
    clock,
  );
}
const consume = (producerId: string) => worker.consume(producerId);

function publish(name: string, track = voice(name)): Track {
  return room.join(person(name)).publish(track);
}

/** Nothing is left anywhere. */
function expectNothing(): void {
  expect({ atHub, linked: worker.linked, mixed: [...worker.mixed.keys()] }).toEqual({
    atHub: [],
    linked: [],
    mixed: [],
  });
}

describe('what the hub has comes into the mix', () => {
  test('the tracks that are there and those that come, until they go', async () => {
    const first = publish('ann');
    const mix = mixOf();
    const second = publish('bob');
    await turn();
    expect([...worker.mixed.values()]).toEqual([
      {
        type: 'mix-track',
        mix: room.sid,
        track: first.sid,
        link: 'a-link',
        ssrc: 1,
        codec: 'opus',
        levelExtension: 6,
      },
      expect.objectContaining({ track: second.sid, ssrc: 2 }),
    ]);
    room.unpublish(first);
    expect([...worker.mixed.keys()]).toEqual([second.sid]);
    expect(worker.linked).toEqual(['bob']);
    mix.close();
    expectNothing();
    publish('eve');
    await turn();
    expectNothing();
  });

  test.each<[string, () => Parameters<typeof publish>[1]]>([
    ['video', () => camera('v')],
    ['what its gateway mixes itself', () => ({ ...voice(), mixed: true })],
    ['a codec that cannot be mixed', () => ({ ...voice(), codec: { name: 'G722', clockRate: 8000 } })],
  ])('but not %s', async (_, track) => {
    const mix = mixOf();
    publish('ann', track());
    await turn();
    expect(worker.requests).toEqual([]);
    mix.close();
  });

  test('as the codec that it has at the hub', async () => {
    mixOf();
    const route = { codec: { name: 'opus', clockRate: 48_000 }, reason: '', steps: [] };
    const track = publish('ann', { ...voice(), codec: { name: 'G722', clockRate: 8000 }, route });
    await turn();
    expect(worker.mixed.get(track.sid)?.codec).toBe('opus');
  });

  test('a track on demand is held there as long as it is mixed', async () => {
    const mix = mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('p') });
    await turn();
    expect(atHub).toEqual(['p']);
    room.unpublish(track);
    await turn();
    expectNothing();
    mix.close();
  });
});

describe('what happens while a track is being added', () => {
  const places = ['opening', 'consume', 'mix'] as const;
  const gateOf = (place: (typeof places)[number]) => (place === 'opening' ? opening : worker.gates[place]);

  test.each(places)('unpublished during %s: nothing is left', async (place) => {
    gateOf(place).open = false;
    mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('p') });
    await turn();
    expect(gateOf(place).waiting).toBe(1);
    room.unpublish(track);
    await turn();
    await gateOf(place).letAll();
    expectNothing();
    expect(worker.consumed).toBe(place === 'opening' ? 0 : 1);
  });

  test.each(places)('closed during %s: nothing is left', async (place) => {
    gateOf(place).open = false;
    const mix = mixOf();
    publish('ann', { ...voice(), producerId: onDemand('p') });
    await turn();
    mix.close();
    mix.close();
    await turn();
    await gateOf(place).letAll();
    expectNothing();
  });

  test.each(places)('closed during %s and begun anew: the new one is not disturbed', async (place) => {
    gateOf(place).open = false;
    const old = mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('p') });
    await turn();
    old.close();
    const mix = mixOf();
    await turn();
    // Whichever comes first.
    while (gateOf(place).waiting > 1) await gateOf(place).letOne();
    await gateOf(place).letAll();
    expect([...worker.mixed.keys()]).toEqual([track.sid]);
    expect([atHub, worker.linked]).toEqual([['p'], ['p']]);
    mix.close();
    await turn();
    expectNothing();
  });

  test.each(places)('rerouted during %s: it comes by the new way only', async (place) => {
    gateOf(place).open = false;
    const mix = mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('old') });
    await turn();
    room.reroute(track, undefined, onDemand('new'));
    await turn();
    await gateOf(place).letAll();
    expect([...worker.mixed.keys()]).toEqual([track.sid]);
    expect([atHub, worker.linked]).toEqual([['new'], ['new']]);
    mix.close();
    await turn();
    expectNothing();
  });

  test('rerouted, and the new way is through before the old one: it stays mixed', async () => {
    opening.open = false;
    const mix = mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('old') });
    await turn();
    opening.open = true;
    room.reroute(track, undefined, onDemand('new'));
    await turn();
    expect(worker.mixed.has(track.sid)).toBe(true);
    await opening.letAll();
    expect(worker.mixed.has(track.sid)).toBe(true);
    expect([atHub, worker.linked]).toEqual([['new'], ['new']]);
    mix.close();
    await turn();
    expectNothing();
  });

  test('rerouted and unpublished: nothing is left', async () => {
    opening.open = false;
    mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('old') });
    await turn();
    room.reroute(track, undefined, onDemand('new'));
    room.unpublish(track);
    await turn();
    await opening.letAll();
    expectNothing();
  });

  test('rerouted again and again: it comes by the last way', async () => {
    opening.open = false;
    const mix = mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('0') });
    for (const name of ['1', '2', '3']) {
      await turn();
      room.reroute(track, undefined, onDemand(name));
    }
    await turn();
    await opening.letAll();
    expect([atHub, worker.linked]).toEqual([['3'], ['3']]);
    mix.close();
    await turn();
    expectNothing();
  });
});

describe('what fails', () => {
  test.each(['opening', 'consume', 'mix'] as const)('during %s leaves nothing held', async (place) => {
    const gate = place === 'opening' ? opening : worker.gates[place];
    gate.open = false;
    const mix = mixOf();
    publish('ann', { ...voice(), producerId: onDemand('p') });
    await turn();
    await gate.letOne(new Error('gone'));
    expect([atHub, worker.linked]).toEqual([[], []]);
    mix.close();
    await turn();
    expectNothing();
  });

  test('is tried again after a second, as long as the track is there', async () => {
    worker.gates.consume.open = false;
    const mix = mixOf();
    const ann = publish('ann', { ...voice(), producerId: onDemand('p') });
    const bob = publish('bob', { ...voice(), producerId: onDemand('q') });
    await turn();
    await worker.gates.consume.letOne(new Error('busy'));
    await worker.gates.consume.letOne(new Error('busy'));
    await worker.gates.consume.letAll();
    room.unpublish(bob);
    clock.advance(999);
    await turn();
    expect([...worker.mixed.keys()]).toEqual([]);
    clock.advance(1);
    await turn();
    expect([...worker.mixed.keys()]).toEqual([ann.sid]);
    mix.close();
    await turn();
    expectNothing();
  });

  test('for want of a link leaves nothing held, and others are not concerned', async () => {
    let links = 0;
    mixOf(async () => {
      if (++links === 1) throw new Error('no hub');
      return { id: 'a-link', consume };
    });
    publish('ann', { ...voice(), producerId: onDemand('p') });
    const track = publish('bob', { ...voice(), producerId: onDemand('q') });
    await turn();
    expect([...worker.mixed.keys()]).toEqual([track.sid]);
    expect([atHub, worker.linked]).toEqual([['q'], ['q']]);
  });

  test('with the worker is no more than a request in vain', async () => {
    const mix = mixOf();
    const track = publish('ann', { ...voice(), producerId: onDemand('p') });
    await turn();
    worker.failing = true;
    room.unpublish(track);
    publish('bob', { ...voice(), producerId: onDemand('q') });
    await turn();
    mix.close();
    await turn();
    expect([atHub, worker.linked]).toEqual([[], []]);
  });
});
