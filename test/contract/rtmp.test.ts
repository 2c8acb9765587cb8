import fs from 'node:fs';
import { rtmp } from '../../gateways/rtmp/index.ts';
import { sip } from '../../gateways/sip/index.ts';
import type { Server } from '../../src/server.ts';
import { loop, makeClip, readFlv } from '../peers/flv-clip.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { Phone } from '../peers/phone.ts';
import { freePort, listensOnTcp } from '../peers/ports.ts';
import { rtmpPort } from '../peers/rtmp-port.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { sipPort } from '../peers/sip-port.ts';
import { type ContractPeer, contractSuite, type DialledServer } from './gateway.ts';

const TONE_HZ = 440;
const SECRET = 'the-key-that-nobody-may-see';

/** An encoder publishes only; who listens to it is a phone. */
async function connect(server: Server, room: string, name: string): Promise<ContractPeer> {
  return name === 'Bob' ? callPhone(server, room, name) : connectEncoder(server, room, name);
}

async function connectEncoder(server: Server, room: string, name: string): Promise<ContractPeer> {
  const clip = await makeClip({ video: 'none', audio: { toneHz: TONE_HZ }, seconds: 2 });
  const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
  await encoder.publish(`${room}?name=${name}`);
  return {
    async publish() {
      void encoder.playFlv(loop(clip), { paced: true });
    },
    receives: () => Promise.reject(new Error('An encoder receives nothing.')),
    async leave() {
      encoder.unpublish();
      await encoder.close();
    },
    vanish: () => encoder.destroy(),
    async toldToGo() {
      await encoder.closed;
      return encoder.statuses.at(-1)?.description ?? '';
    },
  };
}

async function callPhone(server: Server, room: string, name: string): Promise<ContractPeer> {
  const phone = await Phone.call(sipPort(server), { room, name });
  return {
    publish: async () => {},
    receives: () => phone.hears(TONE_HZ),
    leave: async () => {
      await phone.hangUp();
    },
    vanish: async () => phone.vanish(),
    toldToGo: async () => (await phone.ended).reasonHeader ?? '',
  };
}

/** nginx-rtmp: a second one with the same key is refused until the first is over. */
async function answering(): Promise<DialledServer> {
  const nginx = await NginxRtmp.start({ record: true });
  const recorded = () => nginx.recordings().flatMap((file) => readFlv(fs.readFileSync(file)));
  return {
    address: `${nginx.url}/${SECRET}`,
    arrived: () => recorded().some(({ type }) => type === 'video'),
    isOver: () => nginx.connections() === 0,
    close: () => nginx.stop(),
  };
}

contractSuite({
  name: 'rtmp',
  modules: [rtmp, sip],
  sections: { rtmp: { port: 0, reconnectSeconds: 0 }, sip: { port: 0 } },
  connect,
  async refused(server) {
    const encoder = await RtmpPublisher.connect({ port: rtmpPort(server) });
    await encoder.publish('!bad');
    await encoder.closed;
    return encoder.statuses.map(({ code, description }) => `${code}: ${description}`).join('; ');
  },
  refusal: /^NetStream\.Publish\.BadName: .*cannot be a room's name/,
  outcome: 'transcode',
  ports: async (server) => [rtmpPort(server)],
  listens: listensOnTcp,
  dialling: {
    secret: SECRET,
    answering,
    unanswered: async () => `rtmp://127.0.0.1:${await freePort()}/live/${SECRET}`,
    malformed: `rtmp://127.0.0.1/${SECRET}`,
  },
  close: async () => Phone.closeAll(),
});
