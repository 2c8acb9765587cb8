import { describe, expect, test } from 'vitest';
import { PatchroomError } from '../../../src/gateway.ts';
import { turn } from '../support/fake-process.ts';
import { Gate } from '../support/gate.ts';
import { ANSWER, type Incoming, incoming, type Options, SDP, standing } from '../support/incoming-call.ts';
import { person } from '../support/rooms.ts';

test('a call comes in, is answered, and ends with the BYE of its phone', async () => {
  const one = incoming();
  await one.arrive();
  await turn();
  expect(one.said).toEqual(['200']);
  expect(one.accepted).toContain('m=audio 40000 RTP/AVP 8 101');
  expect(one.participant).toMatchObject({ name: 'Ann', kind: 'phone', gateway: 'sip' });
  expect(one.participant!.attributes).toEqual({ 'sip.callStatus': 'active' });
  // Nobody is sent a stream before his ACK shows that he asked for it.
  expect([one.media.asked.includes('start'), one.participant!.tracks.size]).toEqual([false, 0]);
  one.dialog.acknowledged(undefined);
  await turn();
  expect([...one.participant!.tracks.values()]).toMatchObject([{ codec: { name: 'PCMA' } }]);
  expect(one.media.requests.find(({ type }) => type === 'start')).toMatchObject({
    remote: { address: '198.51.100.22', port: 14_202 },
    timeoutMs: 30_000,
  });
  expect([one.over, one.call.record]).toEqual([false, { callId: 'call-1' }]);
  one.dialog.ended('phone');
  expect(one.said).toEqual(['200']);
  await one.expectNothing();
});

describe('a call that is not taken', () => {
  test.each<[string, Options, string]>([
    [
      'another description than SDP',
      { offer: { type: 'text/plain', text: 'hello' } },
      '415 Only application/sdp',
    ],
    ['nonsense for a description', { offer: { type: SDP, text: 'hello' } }, '400 '],
    [
      'no codec in common',
      { offer: { type: SDP, text: ANSWER.replace('RTP/AVP 0', 'RTP/AVP 18') } },
      '488 No audio codec in common',
    ],
    ['a room that is full', { maxParticipants: 1 }, '486 '],
    ['no ports', { pairs: 0 }, '503 All ports for media are in use'],
  ])('for %s', async (_, options, expected) => {
    const one = incoming(options);
    const bob = options.maxParticipants ? one.room.join(person('bob')) : undefined;
    await one.arrive();
    expect(one.said).toHaveLength(1);
    expect(one.said[0]!.startsWith(`refuse ${expected}`)).toBe(true);
    bob?.leave('left');
    await one.expectNothing();
  });

  test.each<[string, string, (one: Incoming) => void]>([
    [
      'a caller who may not',
      '403 Not here.',
      (one) => {
        one.gates.admitting.pass = async () => {
          throw new PatchroomError('forbidden', 'Not here.');
        };
      },
    ],
    [
      'a room that cannot be',
      '404 No such name.',
      (one) => {
        one.gates.joining.pass = async () => {
          throw new PatchroomError('invalid-request', 'No such name.');
        };
      },
    ],
    [
      'sockets that do not open',
      '503 It took too long.',
      ({ media }) => {
        media.failures.open = [new PatchroomError('timeout')];
      },
    ],
    ['no media worker', '503 The media worker is gone.', ({ media }) => media.die()],
  ])('for %s', async (_, expected, prepare) => {
    const one = incoming();
    prepare(one);
    await one.arrive();
    expect(one.said).toEqual([`refuse ${expected}`]);
    await one.expectNothing();
  });

  test('has opened nothing if its offer cannot be answered anyway', async () => {
    const one = incoming({ offer: { type: SDP, text: 'hello' } });
    await one.arrive();
    expect(one.media.requests).toEqual([]);
    expect(one.room.counters.participantsJoined).toBe(0);
  });
});

test('ports that another program has are left alone, and others tried', async () => {
  const one = incoming();
  const taken = () => new PatchroomError('limit-reached', 'Taken.');
  one.media.failures.open = [taken(), taken()];
  await one.arrive();
  await turn();
  expect(one.accepted).toContain('m=audio 40004 ');
  one.dialog.acknowledged(undefined);
  one.dialog.ended('phone');
  await one.expectNothing();
  const none = incoming();
  none.media.failures.open = [taken(), taken(), taken()];
  await none.arrive();
  expect(none.said).toEqual(['refuse 503 All ports for media are in use.']);
  await none.expectNothing();
});

const GATES = ['admitting', 'joining', 'opening', 'accepting'] as const;
type Point = (typeof GATES)[number];

const HAPPENS = {
  cancelled: (one: Incoming) => one.cancel(),
  removed: (one: Incoming) => one.participant?.leave('removed'),
  replaced: (one: Incoming) => one.participant && one.room.join(person('phone-1')).leave('left'),
  'room closed': (one: Incoming) => one.room.close('deleted'),
  shutdown: (one: Incoming) => one.call.end(),
  'engine lost': (one: Incoming) => one.call.engineLost(),
  'media lost': (one: Incoming) => one.media.die(),
};
type Happening = keyof typeof HAPPENS;

/** What the phone is told before the call was answered; nothing for what the engine has told it, or cannot. */
const REFUSED: Partial<Record<Happening, string>> = {
  removed: 'refuse 603 Removed from the room',
  replaced: 'refuse 603 Joined from somewhere else',
  'room closed': 'refuse 503 The room was closed',
  shutdown: 'refuse 503 The server is shutting down',
  'media lost': 'refuse 503 The media process failed',
};

/** And afterwards, as soon as its ACK is there. */
const ENDED: Partial<Record<Happening, string>> = {
  removed: 'BYE Q.850;cause=16;text="Removed from the room"',
  replaced: 'BYE Q.850;cause=16;text="Joined from somewhere else"',
  'room closed': 'BYE Q.850;cause=16;text="The room was closed"',
  shutdown: 'BYE Q.850;cause=16;text="The server is shutting down"',
  'media lost': 'BYE Q.850;cause=41;text="The media process failed"',
};

const happenings = Object.keys(HAPPENS) as Happening[];
/** He is not in the room yet, and has no media. */
const tooEarly = (point: Point, what: Happening) =>
  ['admitting', 'joining'].includes(point) && !['cancelled', 'shutdown', 'engine lost'].includes(what);

describe('while media starts, after the ACK', () => {
  test.each(happenings.filter((what) => what !== 'cancelled'))('%s: nothing is left', async (what) => {
    const one = incoming();
    await one.arrive();
    await turn();
    one.gates.starting.open = false;
    one.dialog.acknowledged(undefined);
    await turn();
    expect(one.gates.starting.waiting).toBe(1);
    HAPPENS[what](one);
    await one.gates.starting.letAll();
    await turn();
    expect(one.said).toEqual(['200', ...(ENDED[what] ? [ENDED[what]] : [])]);
    await one.expectNothing();
  });

  test('its failure ends the call', async () => {
    const one = incoming();
    one.media.failures.start = [new TypeError('private detail')];
    await one.arrive();
    await turn();
    one.dialog.acknowledged(undefined);
    await turn();
    expect(one.said).toEqual(['200', ENDED['media lost']]);
    await one.expectNothing();
  });
});

test('a call that is to end, and of whose ACK nothing is ever heard, is over at last', async () => {
  const one = incoming();
  await one.arrive();
  await turn();
  one.participant!.leave('removed');
  expect(one.over).toBe(false);
  one.clock.advance(40_000);
  expect(one.over).toBe(true);
  await one.expectNothing();
});

test('keys by INFO are limited to what fingers can do', async () => {
  const one = incoming();
  await one.arrive();
  await turn();
  one.dialog.acknowledged(undefined);
  const digits: string[] = [];
  one.room.on('digit', (_, digit) => digits.push(digit));
  for (let count = 0; count < 100; count++) {
    one.dialog.info({ type: 'application/dtmf-relay', text: 'Signal=5\r\nDuration=160\r\n' });
  }
  expect(digits).toHaveLength(20);
  one.clock.advance(1000);
  for (let count = 0; count < 100; count++) one.dialog.info({ type: 'application/dtmf', text: '5' });
  expect(digits).toHaveLength(30);
});

describe.each(GATES)('during %s', (point) => {
  test.each(happenings.filter((what) => !tooEarly(point, what)))('%s: nothing is left', async (what) => {
    const one = incoming();
    one.gates[point].open = false;
    const arrived = one.arrive();
    await turn();
    expect(one.gates[point].waiting).toBe(1);
    HAPPENS[what](one);
    await turn();
    if (point === 'accepting' && what === 'cancelled') {
      await one.gates.accepting.letOne(new Error('487'));
    } else await one.gates[point].letAll();
    await arrived;
    await turn();
    // Nothing more was begun for it.
    const begun = { admitting: [], joining: [], opening: ['open', 'close'] }[point as string];
    if (begun) expect(new Set(one.media.asked)).toEqual(new Set(begun));
    if (point === 'admitting') expect(one.room.counters.participantsJoined).toBe(0);
    if (point !== 'accepting') {
      expect(one.said).toEqual(REFUSED[what] ? [REFUSED[what]] : []);
    } else {
      // It left at once; its BYE has to wait for the ACK (RFC 3261, section 15).
      expect([one.said, one.participant, one.media.open.size]).toEqual([['200'], undefined, 0]);
      if (what !== 'cancelled') one.dialog.acknowledged(undefined);
      expect(one.said.slice(1)).toEqual(ENDED[what] ? [ENDED[what]] : []);
    }
    await one.expectNothing();
  });
});

describe('a call that stands', () => {
  test.each(happenings.filter((what) => what !== 'cancelled'))(
    '%s: it is ended, and nothing is left',
    async (what) => {
      const one = await standing();
      HAPPENS[what](one);
      expect(one.said.slice(1)).toEqual(ENDED[what] ? [ENDED[what]] : []);
      await one.expectNothing();
    },
  );

  test('is ended when nothing comes of it any more', async () => {
    const one = await standing();
    one.media.ports[0]!.emit('notice', { type: 'silent', call: one.participant!.sid });
    await turn();
    expect(one.said.slice(1)).toEqual(['BYE Q.850;cause=102;text="No media was received"']);
    await one.expectNothing();
  });

  test('is over when the engine ended it, for want of an ACK', async () => {
    const one = incoming();
    await one.arrive();
    await turn();
    const { participant } = one;
    one.dialog.ended('engine');
    expect(participant!.leftBecause).toBe('connection-lost');
    expect(one.said).toEqual(['200']);
    await one.expectNothing();
  });

  test('brings the keys that INFO tells to the room', async () => {
    const one = await standing();
    const digits: string[] = [];
    one.room.on('digit', (_who, digit) => digits.push(digit));
    one.dialog.info({ type: 'application/dtmf-relay', text: 'Signal=5\r\nDuration=160' });
    one.dialog.info({ type: 'text/plain', text: '5' });
    expect(digits).toEqual(['5']);
    one.dialog.ended('phone');
    one.dialog.info({ type: 'application/dtmf', text: '6' });
    expect(digits).toEqual(['5']);
  });

  test('waits with its end for the answer to its BYE and for its sockets', async () => {
    const one = await standing();
    one.media.gates.close = new Gate();
    one.media.gates.close.open = false;
    let ended = false;
    void one.call.ending.then(() => {
      ended = true;
    });
    one.call.end();
    await turn();
    expect(ended).toBe(false);
    await one.media.gates.close.letAll();
    expect(ended).toBe(true);
    await one.expectNothing();
  });
});
