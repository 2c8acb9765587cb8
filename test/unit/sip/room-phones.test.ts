import { describe, expect, test } from 'vitest';
import { type RoomPhone, RoomPhones } from '../../../gateways/sip/room-phones.ts';
import { fakeHost } from '../support/fake-media-plane.ts';
import { turn } from '../support/fake-process.ts';
import { listenTo, openRoom, person } from '../support/rooms.ts';

function phonesOf(limit = 2) {
  const { room } = openRoom({ maxParticipants: 0 });
  const { host, media } = fakeHost(room);
  const events: string[] = [];
  const phones = new RoomPhones(room, host, limit, () => events.push('empty'));
  const [port] = media.ports;
  const add = (name: string): RoomPhone => {
    const participant = room.join(person(name));
    const phone: RoomPhone = {
      id: participant.sid,
      participant,
      digit: (digit) => events.push(`${name} ${digit}`),
      silent: () => events.push(`${name} silent`),
      quality: (quality) => events.push(`${name} ${quality}`),
      mediaLost: () => events.push(`${name} lost`),
      rerouted: () => events.push(`${name} rerouted`),
    };
    phones.add(phone);
    return phone;
  };
  return { room, media, phones, port: port!, events, add };
}

describe('the way to the hub', () => {
  test('changes for all with one phone too many, and back with two fewer than that', () => {
    const { phones, events, add } = phonesOf(4);
    const present = [1, 2, 3, 4].map((number) => add(`${number}`));
    expect([phones.route, events]).toEqual([undefined, []]);
    const fifth = add('5');
    expect(phones.route?.codec.name).toBe('opus');
    expect(events.splice(0)).toEqual(['1', '2', '3', '4', '5'].map((name) => `${name} rerouted`));
    add('6');
    phones.remove(fifth);
    phones.remove(present[0]!);
    phones.remove(present[1]!);
    expect([phones.route !== undefined, events.splice(0)]).toEqual([true, []]);
    phones.remove(present[2]!);
    expect(phones.route).toBeUndefined();
    expect(events).toEqual(['4 rerouted', '6 rerouted']);
  });

  test('is its own for each, opened while somebody wants it', async () => {
    const { phones, media, add } = phonesOf();
    const phone = add('ann');
    const producer = phones.producerFor(phone, 'PCMA');
    expect(media.asked).toEqual([]);
    const [one, two] = await Promise.all([producer.hold(), producer.hold()]);
    expect(media.requests).toEqual([
      { type: 'pass', call: phone.id, link: 'a-link', ssrc: expect.any(Number), payloadType: 8 },
    ]);
    expect([...media.producers]).toEqual([one.producerId]);
    expect(media.producers).toContain(`producer 1 of ${media.passing.get(phone.id)}`);
    one.release();
    await turn();
    expect(media.producers.size).toBe(1);
    two.release();
    await turn();
    expect([media.asked, media.producers.size, media.passing.size]).toEqual([['pass', 'unpass'], 0, 0]);
  });

  test('is one mix for all when there are many', async () => {
    const { room, phones, media, add } = phonesOf(1);
    const [ann, bob] = [add('ann'), add('bob')];
    const producer = phones.producerFor(ann, 'PCMU');
    expect(phones.producerFor(bob, 'opus')).toBe(producer);
    const hold = await producer.hold();
    expect(media.requests).toEqual([
      { type: 'send-mix', mix: room.sid, link: 'a-link', ssrc: expect.any(Number), payloadType: 100 },
    ]);
    hold.release();
    await turn();
    expect([media.asked, media.producers.size]).toEqual([['send-mix', 'unsend-mix'], 0]);
    await producer.hold();
    expect(media.asked).toEqual(['send-mix', 'unsend-mix', 'send-mix']);
  });

  test.each([
    ['pass', 8],
    ['send-mix', 0],
  ] as const)('that the media half refuses (%s) leaves no producer', async (type, limit) => {
    const { phones, media, add } = phonesOf(limit);
    const producer = phones.producerFor(add('ann'), 'PCMU');
    media.failures[type] = [new Error('The link is not open.')];
    await expect(producer.hold()).rejects.toThrow('The link is not open.');
    expect(media.producers.size).toBe(0);
    await producer.hold();
    expect(media.producers.size).toBe(1);
  });
});

describe('a way that was left', () => {
  test('and is let go late takes nothing from the new one', async () => {
    const { phones, media, add } = phonesOf();
    const phone = add('ann');
    const before = await phones.producerFor(phone, 'PCMU').hold();
    const after = await phones.producerFor(phone, 'opus').hold();
    before.release();
    await turn();
    expect([...media.producers]).toEqual([after.producerId]);
    expect(after.producerId).toContain(`of ${media.passing.get(phone.id)}`);
    after.release();
    await turn();
    expect([media.producers.size, media.passing.size]).toEqual([0, 0]);
  });

  test('and is opened late takes nothing from the new one', async () => {
    const { phones, media, add } = phonesOf();
    const phone = add('ann');
    media.producing.open = false;
    const before = phones.producerFor(phone, 'PCMU').hold();
    await turn();
    media.producing.open = true;
    const after = await phones.producerFor(phone, 'opus').hold();
    await media.producing.letAll();
    (await before).release();
    await turn();
    expect([...media.producers]).toEqual([after.producerId]);
    expect(after.producerId).toContain(`of ${media.passing.get(phone.id)}`);
  });
});

describe('notices', () => {
  test('reach the phone that they are about', () => {
    const { port, events, add } = phonesOf();
    const [ann, bob] = [add('ann'), add('bob')];
    port.emit('notice', { type: 'digit', call: ann.id, digit: '5' });
    port.emit('notice', { type: 'silent', call: bob.id });
    port.emit('notice', { type: 'quality', call: bob.id, quality: 'poor' });
    port.emit('notice', { type: 'digit', call: 'nobody', digit: '6' });
    port.emit('notice', { type: 'silent', call: 'nobody' });
    expect(events).toEqual(['ann 5', 'bob silent', 'bob poor']);
  });

  test('about speakers reach the room, if they are about its mix', () => {
    const { room, port, add } = phonesOf();
    const [ann, bob] = [add('ann'), add('bob')];
    const heard = listenTo(room);
    const levels = [
      { call: bob.id, levelDb: -30 },
      { call: 'nobody', levelDb: -10 },
      { call: ann.id, levelDb: -20 },
    ];
    port.emit('notice', { type: 'speakers', mix: 'another', levels });
    port.emit('notice', { type: 'speakers', mix: room.sid, levels });
    port.emit('notice', { type: 'speakers', mix: room.sid, levels: [] });
    expect(heard).toEqual(['speakers: ann, bob', 'speakers: ']);
  });
});

describe('the end', () => {
  test('comes with the last phone: the mix is released once, and nothing more is heard', () => {
    const { media, phones, port, events, add } = phonesOf();
    expect(media.mixHolds).toBe(1);
    const [ann, bob] = [add('ann'), add('bob')];
    phones.remove(ann);
    phones.remove(ann);
    expect([media.mixHolds, port.closed, events]).toEqual([1, false, []]);
    phones.remove(bob);
    phones.remove(bob);
    expect([media.mixHolds, port.closed, events]).toEqual([0, true, ['empty']]);
  });

  test('comes with the worker: every phone is told, after it is over', () => {
    const { media, phones, events, add } = phonesOf();
    const [ann] = [add('ann'), add('bob')];
    media.die();
    expect([media.mixHolds, events]).toEqual([0, ['empty', 'ann lost', 'bob lost']]);
    phones.remove(ann!);
    expect([media.mixHolds, events.length]).toEqual([0, 3]);
  });
});
