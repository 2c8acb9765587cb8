import { EventEmitter, once } from 'node:events';
import { onTestFinished } from 'vitest';
import { Call } from '../../../gateways/sip/call.ts';
import { Core } from '../../../gateways/sip/engine/core.ts';
import { UdpTransport } from '../../../gateways/sip/engine/udp-transport.ts';
import type { Notice, Reply, Request } from '../../../gateways/sip/media/messages.ts';
import sipMedia from '../../../gateways/sip/media.ts';
import { PortPool } from '../../../gateways/sip/port-pool.ts';
import { RoomPhones } from '../../../gateways/sip/room-phones.ts';
import { type IncomingCall, Signalling } from '../../../gateways/sip/signalling.ts';
import { WireServer } from '../../../gateways/sip/wire/server.ts';
import { createLogger } from '../../../src/base/log.ts';
import type { MediaHost } from '../../../src/gateway.ts';
import { Mixer } from '../../../transcode/audio/mixer.ts';
import { FakeClock } from './fake-clock.ts';
import { fakeHost } from './fake-media-plane.ts';
import { openRoom } from './rooms.ts';
import { freePortPair } from './udp.ts';

const SECRET = 'a secret';
const MEDIA_TIMEOUT_MS = 30_000;

/** A gateway's way to its half in a media worker, which is here. */
class LocalPort extends EventEmitter<{ notice: [Notice]; lost: [cause: string] }> {
  #handle: (request: Request) => Promise<Reply>;

  constructor(handle: (request: Request) => Promise<Reply>) {
    super();
    this.#handle = handle;
  }

  request(request: Request): Promise<Reply> {
    return this.#handle(request);
  }

  close(): void {
    this.removeAllListeners();
  }
}

/** The phones' gateway from the SIP port to the sockets of a call's media, without processes, in a time that stands still. */
export async function gatewayForOneCall() {
  const clock = new FakeClock();
  const log = createLogger('silent');
  const wire = await WireServer.open(SECRET, log, clock);
  const core = new Core({ clock, log, announce: undefined }, wire);
  wire.serve(core);
  const udp = await UdpTransport.open('127.0.0.1', 0, (bytes, flow) => core.receive(bytes, flow));
  core.use(udp);
  const { room } = openRoom({});
  let port: LocalPort | undefined;
  const mixer = new Mixer();
  const media = sipMedia.create({
    clock,
    notify: (notice: Notice) => port?.emit('notice', notice),
    mix: () => mixer,
  } as unknown as MediaHost<Notice>);
  const plane = {
    port: () => {
      port = new LocalPort((request) => media.handle(request));
      return port;
    },
    mix: () => () => {},
  };
  const { host } = fakeHost(room, plane, clock);
  const { rtpPort, rtcpPort } = await freePortPair();
  const phones: RoomPhones[] = [];
  const arriving = new EventEmitter();
  const onCall = (incoming: IncomingCall) => {
    const call = new Call(
      incoming,
      {
        host,
        ports: new PortPool({ min: rtpPort, max: rtcpPort }, clock),
        mediaAddress: '127.0.0.1',
        codecs: ['opus', 'PCMU', 'PCMA'],
        mediaTimeoutMs: MEDIA_TIMEOUT_MS,
        phonesOf: () => {
          phones[0] ??= new RoomPhones(room, host, 0, () => phones.splice(0));
          return phones[0];
        },
        onOver: () => {},
      },
      log,
    );
    void call.arrive({ room: room.name, identity: 'phone-1', name: 'Ann' });
    arriving.emit('call', call);
  };
  const address = { host: '127.0.0.1', port: wire.port, secret: SECRET, reconnect: false };
  const signalling = await Signalling.connect(address, { call: onCall, lost: () => {} }, log);
  while (!wire.takes('INVITE')) await new Promise((resolve) => setImmediate(resolve));
  onTestFinished(async () => {
    signalling.close();
    await media.close();
    await wire.close();
    await udp.close();
  });
  return {
    clock,
    core,
    room,
    mixer,
    sipPort: udp.port,
    rtpPort,
    rtcpPort,
    called: () => once(arriving, 'call'),
  };
}
