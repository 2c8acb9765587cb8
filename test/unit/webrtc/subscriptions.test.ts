import { describe, expect, test } from 'vitest';
import type { ServerNotice } from '../../../gateways/webrtc/messages.ts';
import { Subscriptions } from '../../../gateways/webrtc/subscriptions.ts';
import { createLogger } from '../../../src/log.ts';
import { fakeReceiver } from '../support/fake-receiver.ts';
import { openRoom, person, voice } from '../support/rooms.ts';

const PCMU = { name: 'PCMU', clockRate: 8000, channels: 1 };

/** A room in which ann listens and bob talks. */
function listening(permissions = {}) {
  const { room } = openRoom({ maxTracksPerParticipant: 8 });
  const ann = room.join(person('ann', permissions));
  const bob = room.join(person('bob'));
  const told: ServerNotice[] = [];
  const subscriptions = new Subscriptions(ann, (notice) => told.push(notice), createLogger('silent'));
  return { room, ann, bob, told, subscriptions };
}

describe('a browser gets', () => {
  test("the others' tracks as they are, and is told how to receive them", async () => {
    const { ann, bob, told, subscriptions } = listening();
    const track = bob.publish(voice('p'));
    ann.publish(voice('own'));
    const { receiver, consumers } = fakeReceiver();
    await subscriptions.receiveThrough(receiver);
    expect(consumers.map(({ producerId }) => producerId)).toEqual(['p']);
    expect(told).toEqual([
      { type: 'subscribed', body: expect.objectContaining({ track: track.sid, producer: 'p' }) },
    ]);
    expect(subscriptions.views).toEqual(told.map(({ body }) => body));
    expect(ann.subscriptions.get(track.sid)).toMatchObject({
      plan: { outcome: 'pass-through' },
      paused: true,
    });
  });

  test('a reason for a track that it cannot take', async () => {
    const { ann, bob, told, subscriptions } = listening();
    const track = bob.publish({ ...voice(), codec: PCMU });
    await subscriptions.receiveThrough(fakeReceiver().receiver);
    const reason = 'the browser cannot take PCMU, only opus';
    expect(told).toEqual([{ type: 'subscription-refused', body: { track: track.sid, reason } }]);
    expect(ann.subscriptions.get(track.sid)?.plan).toEqual({ outcome: 'refused', reason });
  });

  test('nothing without permission to subscribe, and nothing before it can receive', async () => {
    const denied = listening({ subscribe: false });
    denied.bob.publish(voice());
    await denied.subscriptions.receiveThrough(fakeReceiver().receiver);
    const early = listening();
    await early.subscriptions.add(early.bob.publish(voice()));
    expect([...denied.told, ...early.told]).toEqual([]);
  });

  test('nothing of a track that ended meanwhile', async () => {
    const { ann, bob, told, subscriptions } = listening();
    const track = bob.publish(voice());
    const { receiver, consumers } = fakeReceiver();
    const received = subscriptions.receiveThrough(receiver);
    bob.unpublish(track);
    await received;
    expect(consumers.map(({ closed }) => closed)).toEqual([true]);
    expect(told).toEqual([]);
    expect(ann.subscriptions.size).toBe(0);
  });

  test('every track also when it starts anew before the first start was done', async () => {
    const { bob, subscriptions } = listening();
    const track = bob.publish(voice());
    const [first, second] = [fakeReceiver(), fakeReceiver()];
    await Promise.all([
      subscriptions.receiveThrough(first.receiver),
      subscriptions.receiveThrough(second.receiver),
    ]);
    expect(subscriptions.views.map((view) => view.track)).toEqual([track.sid]);
    expect(second.consumers.map(({ closed }) => closed)).toEqual([false]);
  });
});

describe('packets come', () => {
  test('when the browser is ready, and not while it does not want them', async () => {
    const { ann, bob, subscriptions } = listening();
    const track = bob.publish(voice());
    const { receiver, consumers } = fakeReceiver();
    await subscriptions.receiveThrough(receiver);
    const states = [];
    for (const step of ['ready', 'unwanted', 'ready', 'wanted'] as const) {
      if (step === 'ready') await subscriptions.setReady([track.sid]);
      else await subscriptions.setWanted([track.sid], step === 'wanted');
      states.push([step, consumers[0]!.paused, ann.subscriptions.get(track.sid)!.paused]);
    }
    expect(states).toEqual([
      ['ready', false, false],
      ['unwanted', true, true],
      ['ready', true, true],
      ['wanted', false, false],
    ]);
  });

  test('for no track that the browser does not have', async () => {
    const { subscriptions } = listening();
    await expect(subscriptions.setReady(['TR_unknown'])).resolves.toBeUndefined();
    await expect(subscriptions.setWanted(['TR_unknown'], false)).resolves.toBeUndefined();
  });
});

test.each<[string, unknown]>([
  ['a text', 'opus'],
  ['a list of nothing', [null]],
  ['a codec without a type', [{ kind: 'audio', clockRate: 48000 }]],
  ['a codec with a number for a type', [{ kind: 'audio', mimeType: 5, clockRate: 48000 }]],
])('a browser that names %s as its codecs does no harm when somebody publishes', async (_, codecs) => {
  const { bob, subscriptions } = listening();
  await subscriptions.receiveThrough(fakeReceiver(codecs).receiver).catch(() => {});
  await expect(subscriptions.add(bob.publish(voice()))).resolves.toBeUndefined();
});
