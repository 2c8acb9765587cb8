import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { Baresip } from '../peers/baresip.ts';
import { attribute, Callers, leaving, TONES } from '../peers/callers.ts';
import { participantNamed, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Debian's baresip in one room with a phone. */

const BARESIP_HZ = 700;

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterEach(() => Baresip.closeAll());
afterAll(() => server.stop());

async function call(room: string, codec: 'PCMU' | 'PCMA' | 'opus' = 'PCMU') {
  const baresip = await Baresip.call(`sip:${room}@127.0.0.1:${sipPort(server)}`, {
    codec,
    toneHz: BARESIP_HZ,
  });
  return { baresip, participant: await participantNamed(await roomNamed(server, room), 'baresip') };
}

describe('baresip', () => {
  test.for(['PCMU', 'PCMA', 'opus'] as const)(
    'hears a phone and is heard with %s, and hangs up',
    async (codec, context) => {
      const callers = new Callers(server, context);
      const ann = await callers.call(codec, 'Ann');
      const { baresip, participant } = await call(codec, codec);
      await Promise.all([ann.phone.hears(BARESIP_HZ), baresip.hears(TONES.Ann)]);
      const [track] = participant.tracks.values();
      expect(track!.codec.name).toBe(codec);
      expect(await ann.phone.tonesDuring(1)).toEqual([BARESIP_HZ]);
      await baresip.hangUp();
      expect(await baresip.tones()).toEqual([TONES.Ann]); // nothing else in all the call, its own voice least of all
      expect(await leaving(participant)).toBe('left');
      await ann.phone.hearsNoMore(BARESIP_HZ);
    },
  );

  test('holds the call and takes it back', async (context) => {
    const callers = new Callers(server, context);
    const ann = await callers.call('hold', 'Ann');
    const { baresip, participant } = await call('hold');
    await baresip.hears(TONES.Ann);
    await Promise.all([ann.phone.hears(BARESIP_HZ), baresip.receives()]);
    await baresip.command('hold');
    await attribute(participant, 'sip.callStatus', 'hold');
    await Promise.all([ann.phone.hearsNoMore(BARESIP_HZ), baresip.receives(false)]);
    await baresip.command('resume');
    await attribute(participant, 'sip.callStatus', 'active');
    await Promise.all([ann.phone.hears(BARESIP_HZ), baresip.receives()]);
    await baresip.hangUp();
    expect(await leaving(participant)).toBe('left');
  });

  test('is told when the room removes it', async () => {
    const { baresip, participant } = await call('removed');
    participant.leave('removed');
    expect(await baresip.ended).not.toBe('baresip ended');
    expect(baresip.events.map(({ type }) => type)).toContain('CALL_CLOSED');
  });
});
