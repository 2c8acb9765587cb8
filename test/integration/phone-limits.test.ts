import dgram from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../config/schema.ts';
import type { Server } from '../../src/server.ts';
import { refusal } from '../peers/callers.ts';
import { Phone } from '../peers/phone.ts';
import { buildMessage, fieldOf } from '../peers/phone-message.ts';
import { type Product, startMain } from '../peers/product.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { startServer, type TestServerOptions } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';

/** Who may call and how often, and how all calls end with the server. */

let server: Server | undefined;
let product: Product | undefined;
const sockets: dgram.Socket[] = [];
afterEach(async () => {
  await server?.stop();
  server = undefined;
  product?.child.kill('SIGKILL');
  await product?.ended();
  product = undefined;
  Phone.closeAll();
  for (const socket of sockets.splice(0)) socket.close();
});

async function start(sip: ConfigInput['sip'], options: TestServerOptions = {}): Promise<number> {
  server = await startServer({ ...options, config: { ...options.config, sip } });
  return sipPort(server);
}

/** Somebody at an address of loopback who sends OPTIONS, and what came back. */
class Asker {
  readonly answers: string[] = [];
  #socket: dgram.Socket;
  #address: string;
  #sent = 0;

  private constructor(socket: dgram.Socket, address: string) {
    this.#socket = socket;
    this.#address = address;
    sockets.push(socket);
    socket.on('message', (datagram) => this.answers.push(datagram.toString().split('\r\n', 1)[0]!));
  }

  static async at(address: string): Promise<Asker> {
    const socket = dgram.createSocket('udp4').bind(0, address);
    await once(socket, 'listening');
    return new Asker(socket, address);
  }

  ask(port: number): void {
    const from = `sip:asker@${this.#address}:${this.#socket.address().port}`;
    const call = `${this.#address}-${++this.#sent}`;
    const lines = [
      `Via: SIP/2.0/UDP ${from.slice(10)};branch=z9hG4bK${call};rport`,
      'Max-Forwards: 70',
      `From: <${from}>;tag=${call}`,
      `To: <sip:127.0.0.1:${port}>`,
      `Call-ID: ${call}`,
      'CSeq: 1 OPTIONS',
    ];
    this.#socket.send(buildMessage(`OPTIONS sip:127.0.0.1:${port} SIP/2.0`, lines), port, '127.0.0.1');
  }

  /** Resolves with the first answer. */
  async answer(): Promise<string> {
    if (this.answers.length === 0) await once(this.#socket, 'message');
    return this.answers[0]!;
  }
}

async function figures(): Promise<Record<string, number>> {
  const report = await (await fetch(`${server!.url}/api/server`)).json();
  return (report as { gateways: { sip: Record<string, number> } }).gateways.sip;
}

describe('who may call', () => {
  test('is on the list: everybody else gets no answer at all, to whatever he asks', async () => {
    const port = await start({ allow: ['127.0.0.2', '127.0.1.0/24'] }, { demo: false });
    const stranger = await Asker.at('127.0.0.9');
    const strange = await Phone.dial(port, { localAddress: '127.0.0.9' });
    stranger.ask(port);
    for (const localAddress of ['127.0.0.2', '127.0.1.77']) {
      const listed = await Phone.call(port, { localAddress, room: 'listed' });
      expect(await listed.hangUp()).toBe(200);
      const asker = await Asker.at(localAddress);
      asker.ask(port);
      expect(await asker.answer()).toBe('SIP/2.0 200 OK');
    }
    // What came before was dealt with before.
    expect([stranger.answers, strange.statuses, strange.strays]).toEqual([[], [], []]);
    expect(server!.rooms.rooms.map(({ name }) => name)).toEqual(['listed']);
  });

  test('in demo mode is this machine', async () => {
    const port = await start({});
    const phone = await Phone.call(port, { localAddress: '127.9.9.9' });
    expect(await phone.hangUp()).toBe(200);
  });

  test('is nobody while the list is empty: there is no SIP port', async () => {
    server = await startServer({ demo: false });
    expect(server.waysIn.map(([name]) => name)).not.toContain('phone');
  });
});

describe('too much', () => {
  test('as to calls at once is answered 503, with when to come back; a place that is free is given again', async () => {
    const port = await start({ maxCalls: 2 });
    const [ann] = [await Phone.call(port), await Phone.call(port)];
    const { status, response } = await refusal(Phone.call(port));
    expect([status, fieldOf(response, 'retry-after')]).toEqual([503, '5']);
    expect(server!.rooms.get('demo')!.participants).toHaveLength(2);
    await ann!.hangUp();
    await Phone.call(port);
  });

  test('as to calls in a second is answered 503, each address for itself', async () => {
    const port = await start({ callsPerSecond: 0.1 });
    await Phone.call(port);
    const { status, response } = await refusal(Phone.call(port));
    expect([status, fieldOf(response, 'retry-after')]).toEqual([503, '5']);
    await Phone.call(port, { localAddress: '127.0.0.2' });
    expect(await figures()).toMatchObject({ overCallRate: 1, calls: 2 });
  });

  test('as to messages in a second is not answered, each address for itself', async () => {
    const port = await start({ messagesPerSecond: 1 });
    const eager = await Asker.at('127.0.0.1');
    for (let count = 0; count < 10; count++) eager.ask(port);
    const modest = await Asker.at('127.0.0.2');
    modest.ask(port);
    expect(await modest.answer()).toBe('SIP/2.0 200 OK');
    const { overRate } = await figures();
    expect(overRate).toBeGreaterThan(0);
    await expect.poll(() => eager.answers.length + overRate!, { timeout: 20_000 }).toBe(10);
  });

  test('as to media ports is answered 503', async () => {
    const network = { rtpPorts: { min: 11_000, max: 11_003 } };
    const port = await start({}, { config: { network } });
    await Phone.call(port);
    await Phone.call(port);
    const { status, response } = await refusal(Phone.call(port));
    expect([status, fieldOf(response, 'warning')]).toEqual([
      503,
      expect.stringContaining('All ports for media are in use.'),
    ]);
    expect(server!.rooms.get('demo')!.participants).toHaveLength(2);
  });
});

test('ports that another program holds, many in a row, are passed over', async () => {
  const network = { rtpPorts: { min: 11_100, max: 11_399 } };
  for (let port = 11_100; port < 11_398; port += 2) {
    const socket = dgram.createSocket('udp4').bind(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'listening');
  }
  const phone = await Phone.call(await start({}, { config: { network } }));
  expect(phone.remoteSdp).toContain('m=audio 11398 ');
});

describe('the end of the server', () => {
  const shuttingDown = {
    by: 'server',
    reasonHeader: 'Q.850;cause=16;text="The server is shutting down"',
  };

  test('is told to every phone in every room', async () => {
    const port = await start({});
    const rooms = ['one', 'one', 'one', 'two', 'two', 'three'];
    const phones = await Promise.all(rooms.map((room) => Phone.call(port, { room })));
    const stopped = server!.stop();
    expect(await Promise.all(phones.map(({ ended }) => ended))).toEqual(rooms.map(() => shuttingDown));
    await stopped;
    const asked = phones.map(({ requests }) => requests.map(({ method }) => method));
    expect(asked).toEqual(rooms.map(() => ['BYE']));
  });

  test('is told to a phone that is just being answered, once its ACK has come', async () => {
    const port = await start({});
    const phone = await Phone.dial(port, { name: 'Ann' });
    await publishing(await participantNamed(await roomNamed(server!, 'demo'), 'Ann'), 1);
    await setImmediate(); // the answer has gone, and its ACK can hardly have come
    const stopped = server!.stop();
    expect(await phone.ended).toEqual(shuttingDown);
    await stopped;
  });

  test('by Ctrl-C is told to the phones, and its process ends well', async () => {
    product = startMain();
    const [, port] = await product.says(/phone +sip:demo@127\.0\.0\.1:(\d+)[\s\S]*health/);
    const ann = await Phone.call(Number(port), { name: 'Ann', toneHz: 440 });
    const bob = await Phone.call(Number(port), { name: 'Bob', toneHz: 1000 });
    await Promise.all([ann.hears(1000), bob.hears(440)]);
    product.child.kill('SIGINT');
    for (const { ended } of [ann, bob]) {
      expect(await ended).toMatchObject({
        by: 'server',
        reasonHeader: expect.stringContaining('shutting down'),
      });
    }
    expect(await product.ended()).toBe(0);
    expect(product.output).not.toMatch(/died|"level":"(warn|error)"/);
  });
});
