import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { Phone } from '../peers/phone.ts';
import { roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Names of callers, from their bytes on the network to what the room shows. */

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test.for([
  ['cyrillic', 'Роман Рябов'],
  ['accents', 'Là-bas, voilà'],
  // It looks like bytes that are yet to be decoded, and is not.
  ['signs', 'Sauna 90 Â°C'],
] as const)('a caller whose name has %s is shown by that name', async ([room, name], context) => {
  const opened = roomNamed(server, room);
  const phone = await Phone.dial(sipPort(server), { room, name });
  context.onTestFinished(() => phone.vanish());
  await phone.answered;
  expect((await opened).participants.map((one) => one.name)).toEqual([name]);
});
