import { expect, test } from 'vitest';
import { launchBrowser, Person } from '../peers/browser.ts';
import { startServer } from '../peers/server.ts';
import { TURN_SECRET, TurnServer } from '../peers/turn-server.ts';

test('people who can only use a TURN server meet through it, with credentials of their own', async () => {
  const turn = await TurnServer.start();
  const server = await startServer({
    config: { webrtc: { iceServers: [{ urls: [turn.url], secret: TURN_SECRET }] } },
  });
  const browser = await launchBrowser();
  const query = 'transport=relay';
  const ann = await Person.join(browser, server, { name: 'Ann', toneHz: 440, query });
  const bob = await Person.join(browser, server, { name: 'Bob', toneHz: 1000, query });
  await Promise.all([ann.hears(1000), bob.hears(440), ann.sees('Bob'), bob.sees('Ann')]);
  expect(new Set(await ann.candidateTypes())).toEqual(new Set(['relay']));
  for (const { identity } of server.rooms.mustGet('demo').participants)
    expect(turn.log).toContain(`:${identity}>`);
  await browser.close();
  await server.stop();
  await turn.stop();
});
