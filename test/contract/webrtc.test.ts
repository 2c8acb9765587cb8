import { webrtc } from '../../gateways/webrtc/index.ts';
import type { Server } from '../../src/server.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { listensOnTcp } from '../peers/ports.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { SignallingClient } from '../peers/signalling-client.ts';
import { type ContractPeer, contractSuite } from './gateway.ts';

const browser = await launchBrowser();
/** Each name speaks in its own pitch. */
const TONES: Record<string, number> = { Ann: 440, Bob: 1000 };

async function connect(server: Server, room: string, name: string): Promise<ContractPeer> {
  const person = await Person.join(browser, server, { name, room, toneHz: TONES[name]! });
  return {
    // Its microphone and camera are on from the start.
    publish: async () => publishing(await participantNamed(await roomNamed(server, room), name), 2),
    receives: async (from) => {
      await person.sees(from);
      await person.hears(TONES[from]!);
    },
    leave: async () => {
      await person.page.getByRole('button', { name: 'Leave' }).click();
      await person.close();
    },
    // It crashes: a tab that is closed says goodbye.
    vanish: async () => {
      const session = await person.page.context().newCDPSession(person.page);
      void session.send('Page.crash').catch(() => {}); // it never answers
      await person.page.waitForEvent('crash');
    },
    toldToGo: async () => {
      const told = person.page.locator('.card h1, .banner').first();
      await told.waitFor();
      return told.innerText();
    },
  };
}

contractSuite({
  name: 'webrtc',
  modules: [webrtc],
  sections: { webrtc: { port: 0, resumeSeconds: 1 } },
  connect,
  async refused(server) {
    const person = await Person.open(browser, server, { name: 'Ann', room: '!bad' });
    await person.page.getByRole('button', { name: 'Join', exact: true }).click();
    const problem = await person.page.locator('form > .problem').innerText();
    await person.close();
    return problem;
  },
  refusal: /cannot be a room's name/,
  async ports(server) {
    const client = await SignallingClient.open(server);
    await client.ask('join', { room: 'ports' });
    const { transport } = await client.ask('open', { direction: 'send' });
    client.close();
    const tcp = transport.iceCandidates.filter(({ protocol }) => protocol === 'tcp');
    return [Number(new URL(server.url).port), ...tcp.map(({ port }) => Number(port))];
  },
  listens: listensOnTcp,
  close: () => browser.close(),
});
