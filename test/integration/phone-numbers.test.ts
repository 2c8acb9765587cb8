import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { Phone } from '../peers/phone.ts';
import { participantNamed, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Calls to numbers, as a provider of the phone network sends them. */

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test.for([
  ['+49305550101', (host: string) => `sip:+49305550101@${host};user=phone`],
  ['+49305550102', (host: string) => `sip:+49305550102;npdi;rn=+49301999@${host};user=phone`],
  ['+49305550103', (host: string) => `sip:%2B49305550103@${host}`],
  ['+49305550104', (host: string) => `sip:+49-30-555-0104@${host};user=phone`],
] as const)('a call to the number %s gets into the room of that name', async ([room, uriAt], context) => {
  const opened = roomNamed(server, room);
  const phone = await Phone.dial(uriAt(`127.0.0.1:${sipPort(server)}`), { name: 'Ann' });
  context.onTestFinished(() => phone.vanish());
  await phone.answered; // throws with the words of the refusal
  expect((await participantNamed(await opened, 'Ann')).kind).toBe('phone');
});
