import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import {
  ALL_TONES,
  attribute,
  Callers,
  expectPacketsOnlyTo,
  hearEachOther,
  refusal,
  TONES,
} from '../peers/callers.ts';
import { Phone } from '../peers/phone.ts';
import { fieldOf } from '../peers/phone-message.ts';
import { participantNamed, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { SignallingClient } from '../peers/signalling-client.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Phone calls from the offer to the end: what is agreed on, hold, digits, and who is let in. */

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe.concurrent('hold', () => {
  test.for([
    { how: 'sendonly', codec: 'PCMU', answered: 'recvonly' },
    { how: 'sendonly', codec: 'opus', answered: 'recvonly' },
    { how: 'inactive', codec: 'PCMU', answered: 'inactive' },
    { how: 'inactive', codec: 'opus', answered: 'inactive' },
    { how: '0.0.0.0', codec: 'PCMA', answered: 'recvonly' },
  ] as const)(
    'a phone with $codec that holds by $how neither hears nor is heard, whatever it plays, until it takes the call back',
    async ({ how, codec, answered }, context) => {
      const callers = new Callers(server, context);
      const room = `${how}-${codec}`;
      const [ann, bob] = await callers.pair(room, { codec });
      expect(ann.participant.attributes['sip.callStatus']).toBe('active');
      const cat = await callers.call(room, 'Cat');
      const sent = ann.phone.packetsSent;
      expect(await ann.phone.hold(how)).toBe(answered);
      await attribute(ann.participant, 'sip.callStatus', 'hold');
      await bob.phone.hearsNoMore(TONES.Ann);
      await expectPacketsOnlyTo(bob, ann);
      const heard = await Promise.all([bob, cat].map(({ phone }) => phone.heardDuring(ALL_TONES, 1)));
      expect(heard).toEqual([[TONES.Cat], [TONES.Bob]]);
      if (how === 'sendonly') expect(ann.phone.packetsSent - sent).toBeGreaterThan(100);
      expect(await ann.phone.resume()).toBe('sendrecv');
      await attribute(ann.participant, 'sip.callStatus', 'active');
      await Promise.all([ann.phone.hears(TONES.Bob, TONES.Cat), bob.phone.hears(TONES.Ann, TONES.Cat)]);
      expect(await ann.phone.heardDuring(ALL_TONES, 1)).toEqual([TONES.Bob, TONES.Cat]);
    },
  );

  test('a call that is held again and again has its sound each time', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('often');
    for (const how of ['sendonly', 'inactive', '0.0.0.0'] as const) {
      await ann.phone.hold(how);
      await Promise.all([bob.phone.hearsNoMore(TONES.Ann), ann.phone.hearsNoMore(TONES.Bob)]);
      await ann.phone.resume();
      await hearEachOther(ann, bob);
    }
  });

  test('both may hold at once; each hears again when both are back', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('both');
    await Promise.all([ann.phone.hold('inactive'), bob.phone.hold('sendonly')]);
    await Promise.all([ann.phone.hearsNoMore(TONES.Bob), bob.phone.hearsNoMore(TONES.Ann)]);
    await Promise.all([ann.phone.resume(), bob.phone.resume()]);
    await hearEachOther(ann, bob);
  });
});

describe.concurrent('what is agreed on', () => {
  test.for(['PCMU', 'PCMA', 'opus'] as const)('a late offer is answered with %s', async (codec, context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair(`late-${codec}`, { codec, lateOffer: true });
    expect(ann.phone.codec).toBe(codec);
    expect(await bob.phone.heardDuring(ALL_TONES, 1)).toEqual([TONES.Ann]);
  });

  test('an INVITE without SDP within the call gets an offer, and sound goes on both ways', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('again');
    const before = versionOf(ann.phone.remoteSdp);
    await ann.phone.askForOffer();
    expect(versionOf(ann.phone.remoteSdp)).toBe(before + 1);
    expect(ann.phone.remoteSdp).toContain('opus/48000/2'); // all that we have, not only what was agreed on
    expect(ann.phone.codec).toBe('PCMU');
    await ann.phone.receives(50);
    await hearEachOther(ann, bob);
    await ann.phone.hold('inactive');
    await bob.phone.hearsNoMore(TONES.Ann);
    await ann.phone.resume();
    await hearEachOther(ann, bob);
  });

  test.for([
    ['PCMU', 'PCMA'],
    ['PCMA', 'opus'],
    ['opus', 'PCMU'],
  ] as const)(
    'a re-INVITE changes the codec from %s to %s, with sound both ways',
    async ([from, to], context) => {
      const callers = new Callers(server, context);
      const [ann, bob] = await callers.pair(`${from}-${to}`, { codec: from });
      await ann.phone.reinvite({ codecs: [to] });
      expect(ann.phone.codec).toBe(to);
      const payloadTypes = ann.phone.received.payloadTypes;
      const before = payloadTypes.get(PAYLOAD_TYPES[to]) ?? 0;
      await ann.phone.receives(50);
      expect((payloadTypes.get(PAYLOAD_TYPES[to]) ?? 0) - before).toBeGreaterThan(40);
      await hearEachOther(ann, bob);
      expect(await bob.phone.heardDuring(ALL_TONES, 1)).toEqual([TONES.Ann]);
      const [track] = ann.participant.tracks.values();
      expect(track!.codec.name).toBe(to);
    },
  );

  test('a re-INVITE that cannot be answered is refused, and the call goes on as it was', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('kept');
    const only = (sdp: string) => sdp.replace(/^m=audio (\d+) .*$/m, 'm=audio $1 RTP/AVP 18');
    expect((await refusal(ann.phone.reinvite({ rewrite: only }))).status).toBe(488);
    await ann.phone.receives(50);
    await hearEachOther(ann, bob);
  });

  test('video and what is unknown is refused line by line, and the call stands', async (context) => {
    const callers = new Callers(server, context);
    const extraMedia = [
      'm=video 9000 RTP/AVP 96\r\na=rtpmap:96 H264/90000',
      'm=image 9002 udptl t38',
      'm=x-hologram 9004 RTP/AVP 97',
    ];
    const [ann] = await callers.pair('lines', { sdp: { extraMedia } });
    const lines = ann.phone.remoteSdp.match(/^m=.*$/gm)!;
    expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      expect.stringMatching(/^m=audio [1-9]\d* RTP\/AVP$/),
      'm=video 0 RTP/AVP',
      'm=image 0 udptl',
      'm=x-hologram 0 RTP/AVP',
    ]);
  });
});

describe.concurrent('who is refused', () => {
  test('one whose codecs we do not have, with 488 and why', async (context) => {
    const callers = new Callers(server, context);
    const rewrite = (sdp: string) =>
      sdp.replace(/^m=audio (\d+) .*$/m, 'm=audio $1 RTP/AVP 18 9').replace(/^a=rtpmap.*\r\n/gm, '');
    const { status, response } = await refusal(callers.call('nobody', 'Ann', { sdp: { rewrite } }));
    expect([status, fieldOf(response, 'warning')]).toEqual([
      488,
      expect.stringMatching(/No audio codec in common: there is G729\/8000, G722\/8000, supported are opus/),
    ]);
    expect(server.rooms.get('nobody')).toBeUndefined();
  });

  test('one who offers something else than SDP, with 415', async (context) => {
    const callers = new Callers(server, context);
    const headers = ['Content-Type: application/pidf+xml'];
    expect((await refusal(callers.call('nobody', 'Ann', { headers }))).status).toBe(415);
    expect(server.rooms.get('nobody')).toBeUndefined();
  });

  test('one whose SDP is none, with 400', async (context) => {
    const callers = new Callers(server, context);
    const { status } = await refusal(callers.call('nobody', 'Ann', { sdp: { rewrite: () => 'nonsense' } }));
    expect(status).toBe(400);
  });

  test('one who calls no room, with 404', async () => {
    const { status, response } = await refusal(Phone.call(`sip:127.0.0.1:${sipPort(server)}`));
    expect([status, fieldOf(response, 'warning')]).toEqual([404, expect.stringContaining('names no room')]);
    expect(server.rooms.get('nobody')).toBeUndefined();
  });

  test('one too many for the room, with 486 and why; when one has left, the next comes in', async (context) => {
    const callers = new Callers(server, context);
    server.rooms.open('small', { maxParticipants: 2 });
    const [ann] = await callers.pair('small');
    const { status, response } = await refusal(callers.call('small', 'Cat'));
    expect([status, fieldOf(response, 'warning')]).toEqual([
      486,
      expect.stringContaining('The room small is full: 2 participants at most.'),
    ]);
    await ann.phone.hangUp();
    await callers.call('small', 'Cat');
  });
});

describe.concurrent('keys', () => {
  test.for(['PCMU', 'opus'] as const)(
    'pressed on a phone with %s, by RFC 4733 or by INFO, reach everybody once, in order',
    async (codec, context) => {
      const callers = new Callers(server, context);
      const { phone, participant } = await callers.call(`keys-${codec}`, 'Ann', { codec });
      const { room } = participant;
      const watcher = await SignallingClient.open(server);
      await watcher.ask('join', { room: room.name, name: 'Watcher' });
      const inRoom: string[] = [];
      room.on('digit', (_who, digit) => inRoom.push(digit));
      for (const digit of '1123*#D') await phone.press(digit, 60);
      const relay = ['Content-Type: application/dtmf-relay'];
      expect((await phone.send('INFO', relay, 'Signal=5\r\nDuration=160\r\n')).status).toBe(200);
      expect((await phone.send('INFO', ['Content-Type: application/dtmf'], '6')).status).toBe(200);
      expect((await phone.send('INFO', ['Content-Type: application/other'], '7')).status).toBe(200);
      // Whatever came twice has come before this one.
      await phone.press('0', 60);
      const told = () =>
        watcher.notices.flatMap(({ type, body }) =>
          type === 'digit' && body.participant === participant.sid ? [body.digit] : [],
        );
      await expect.poll(() => told().includes('0'), { timeout: 20_000 }).toBe(true);
      expect(told()).toEqual(inRoom);
      const bySignalling = (digit: string) => '567'.includes(digit);
      expect(told().filter((digit) => !bySignalling(digit))).toEqual([...'1123*#D0']);
      expect(told().filter(bySignalling)).toEqual(['5', '6']);
      watcher.close();
    },
  );
});

describe.concurrent('callers', () => {
  test.each([
    [{ name: 'Zoë Müller', user: 'zoe' }, 'Zoë Müller'],
    [{ name: '', user: '+4930123456789' }, '+49…789'],
    [{ name: '030 123 456 789', user: 'line' }, '030…789'],
    [{ name: '', user: 'reception' }, 'reception'],
    [{ name: 'Anonymous', user: 'anonymous' }, 'Anonymous caller'],
    [{ name: '', user: '101' }, '101'],
  ])('with %o is called %s', async (options, shown) => {
    const phone = await Phone.call(sipPort(server), { room: 'names', ...options });
    const participant = await participantNamed(await roomNamed(server, 'names'), shown);
    expect(participant).toMatchObject({ kind: 'phone', gateway: 'sip' });
    // Everybody in the room sees the identity.
    expect(participant.identity).not.toContain(options.user);
    await phone.hangUp();
  });

  test('two phones with the same address and the same Call-ID have a call each', async (context) => {
    const callers = new Callers(server, context);
    const same = { user: 'desk', callId: 'one-and-the-same' };
    const ann = await callers.call('same', 'Ann', same);
    const bob = await callers.call('same', 'Bob', same);
    await hearEachOther(ann, bob);
    expect(ann.participant.identity).not.toBe(bob.participant.identity);
    expect(await ann.phone.hangUp()).toBe(200);
    const cat = await callers.call('same', 'Cat');
    await hearEachOther(bob, cat);
    expect(await bob.phone.hangUp()).toBe(200);
  });
});

const PAYLOAD_TYPES = { PCMU: 0, PCMA: 8, opus: 111 } as const;

/** The version of a description, which grows with each (RFC 4566, section 5.2). */
function versionOf(sdp: string): number {
  return Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)![1]);
}
