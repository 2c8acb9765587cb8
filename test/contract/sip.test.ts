import { sip } from '../../gateways/sip/index.ts';
import type { Server } from '../../src/server.ts';
import { Phone } from '../peers/phone.ts';
import { CallRefused } from '../peers/phone-call.ts';
import { listensOnTcp } from '../peers/ports.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { sipPort } from '../peers/sip-port.ts';
import { type ContractPeer, contractSuite } from './gateway.ts';

/** Each name speaks in its own pitch. */
const TONES: Record<string, number> = { Ann: 440, Bob: 1000 };

async function connect(server: Server, room: string, name: string): Promise<ContractPeer> {
  const phone = await Phone.call(sipPort(server), { room, name, toneHz: TONES[name]! });
  return {
    // It speaks from the start.
    publish: async () => publishing(await participantNamed(await roomNamed(server, room), name), 1),
    receives: (from) => phone.hears(TONES[from]!),
    leave: async () => {
      await phone.hangUp();
    },
    vanish: async () => phone.vanish(),
    toldToGo: async () => (await phone.ended).reasonHeader ?? '',
  };
}

contractSuite({
  name: 'sip',
  modules: [sip],
  sections: { sip: { port: 0, mediaTimeoutSeconds: 1 } },
  connect,
  async refused(server) {
    const refusal = await Phone.call(sipPort(server), { room: '!bad', name: 'Ann' }).catch((error) => error);
    return refusal instanceof CallRefused ? `${refusal.message} ${JSON.stringify(refusal.response)}` : '';
  },
  refusal: /^Refused with 404 .*warning.*cannot be a room's name/,
  outcome: 'transcode',
  ports: async (server) => [sipPort(server)],
  listens: listensOnTcp,
  close: async () => Phone.closeAll(),
});
