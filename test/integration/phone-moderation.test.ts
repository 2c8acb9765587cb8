import { RoomServiceClient, TwirpError } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEMO_KEYS } from '../../config/schema.ts';
import type { Server } from '../../src/server.ts';
import {
  ALL_TONES,
  type Caller,
  Callers,
  expectPacketsOnlyTo,
  hearEachOther,
  leaving,
  TONES,
} from '../peers/callers.ts';
import { publishing } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';

/** What administrators do to phones, by the unmodified npm package livekit-server-sdk. */

const EVERYTHING = { canPublish: true, canSubscribe: true, canPublishData: true };

let server: Server;
let rooms: RoomServiceClient;
beforeAll(async () => {
  server = await startServer({ config: { rooms: { remoteUnmute: true } } });
  rooms = new RoomServiceClient(server.url, 'devkey', DEMO_KEYS.devkey);
});
afterAll(() => server.stop());

function mute({ participant }: Caller, muted: boolean) {
  const [track] = participant.tracks.values();
  return rooms.mutePublishedTrack(participant.room.name, participant.identity, track!.sid, muted);
}

function permit({ participant }: Caller, change: Partial<typeof EVERYTHING>) {
  const permission = { ...EVERYTHING, ...change } as never;
  return rooms.updateParticipant(participant.room.name, participant.identity, { permission });
}

describe.concurrent('administrators', () => {
  test.for(['PCMU', 'opus'] as const)('mute a phone with %s, and unmute it', async (codec, context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair(`mute-${codec}`, { codec });
    const cat = await callers.call(`mute-${codec}`, 'Cat');
    expect(await mute(ann, true)).toMatchObject({ muted: true });
    await bob.phone.hearsNoMore(TONES.Ann);
    expect(await bob.phone.heardDuring(ALL_TONES, 1)).toEqual([TONES.Cat]);
    expect(await ann.phone.heardDuring(ALL_TONES, 1)).toEqual([TONES.Bob, TONES.Cat]);
    expect(await mute(ann, false)).toMatchObject({ muted: false });
    await Promise.all([bob.phone.hears(TONES.Ann), cat.phone.hears(TONES.Ann)]);
  });

  test('mute a phone for good: a new codec does not bring its sound back', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('mute-reinvite');
    await mute(ann, true);
    await bob.phone.hearsNoMore(TONES.Ann);
    await ann.phone.reinvite({ codecs: ['PCMA'] });
    await ann.phone.receives(50);
    expect(await bob.phone.heardDuring(ALL_TONES, 1)).toEqual([]);
    await ann.phone.hears(TONES.Bob);
  });

  test('remove a phone, which is told why', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('remove');
    await rooms.removeParticipant('remove', ann.participant.identity);
    expect(await ann.phone.ended).toEqual({
      by: 'server',
      reasonHeader: 'Q.850;cause=16;text="Removed from the room"',
    });
    expect(await leaving(ann.participant)).toBe('removed');
    await bob.phone.hearsNoMore(TONES.Ann);
    await expect(rooms.getParticipant('remove', ann.participant.identity)).rejects.toThrow(TwirpError);
  });

  test('delete a room: every phone is told', async (context) => {
    const callers = new Callers(server, context);
    const pair = await callers.pair('delete');
    await rooms.deleteRoom('delete');
    const endings = await Promise.all(pair.map(({ phone }) => phone.ended));
    expect(endings).toEqual(
      Array(2).fill({ by: 'server', reasonHeader: 'Q.850;cause=16;text="The room was closed"' }),
    );
  });

  test('take a phone the right to speak, and give it back', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('publish');
    await permit(ann, { canPublish: false });
    expect(ann.participant.tracks.size).toBe(0);
    await bob.phone.hearsNoMore(TONES.Ann);
    expect(await ann.phone.heardDuring(ALL_TONES, 1)).toEqual([TONES.Bob]);
    expect(await bob.phone.heardDuring(ALL_TONES, 0.5)).toEqual([]);
    await permit(ann, {});
    await publishing(ann.participant, 1);
    await hearEachOther(ann, bob);
  });

  test('take a phone the right to hear, and give it back', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('subscribe');
    await permit(ann, { canSubscribe: false });
    expect(ann.participant.subscriptions.size).toBe(0);
    await ann.phone.hearsNoMore(TONES.Bob);
    await expectPacketsOnlyTo(bob, ann);
    await bob.phone.hears(TONES.Ann);
    // Not even a re-INVITE gets it any sound.
    await ann.phone.reinvite({});
    await expectPacketsOnlyTo(bob, ann);
    await permit(ann, {});
    await hearEachOther(ann, bob);
    expect(ann.participant.subscriptions.size).toBe(1);
  });

  test('take a phone that is held the right to hear: taken back, it hears nothing', async (context) => {
    const callers = new Callers(server, context);
    const [ann, bob] = await callers.pair('held');
    await ann.phone.hold('inactive');
    await permit(ann, { canSubscribe: false });
    await ann.phone.resume();
    await bob.phone.receives(50);
    await bob.phone.hears(TONES.Ann);
    await expectPacketsOnlyTo(bob, ann);
  });
});
