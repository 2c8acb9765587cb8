import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Core } from '../../../../gateways/sip/engine/core.ts';
import { encodeFrame, type Frame, FrameReader } from '../../../../gateways/sip/wire/frame.ts';
import { WireServer } from '../../../../gateways/sip/wire/server.ts';
import { createLogger } from '../../../../src/base/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeTransport, request, requestBytes, UDP } from '../engine/workbench.ts';

const SECRET = 'a secret';

async function served() {
  const clock = new FakeClock();
  const log = createLogger('silent');
  const wire = await WireServer.open(SECRET, log, clock);
  onTestFinished(() => wire.close());
  const core = new Core({ clock, log, announce: undefined }, wire);
  const udp = new FakeTransport('udp');
  core.use(udp);
  wire.serve(core);
  return { clock, wire, core, udp };
}

/** An application that speaks the wire protocol itself. */
class Client {
  readonly socket: net.Socket;
  #frames: Frame[] = [];

  private constructor(socket: net.Socket) {
    this.socket = socket;
    const reader = new FrameReader();
    socket.on('error', () => {});
    socket.on('end', () => setImmediate(() => socket.end()));
    socket.on('data', (bytes) => {
      this.#frames.push(...reader.read(bytes));
      socket.emit('read');
    });
  }

  static async connect(wire: WireServer): Promise<Client> {
    // It keeps its half open when the other one is closed: what comes after that must not count.
    const socket = net.connect({ port: wire.port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return new Client(socket);
  }

  static async authenticated(wire: WireServer): Promise<Client> {
    const client = await Client.connect(wire);
    expect(await client.say('authenticate', [SECRET, ''])).toMatchObject([
      'OK',
      expect.any(String),
      'v0.9.0',
      '',
    ]);
    return client;
  }

  /** Sends a frame. @returns the fields of what comes back, without the id */
  async say(verb: string, fields: string[] = [], message?: Buffer): Promise<readonly string[]> {
    this.socket.write(encodeFrame('1', verb, fields, message));
    const { fields: back } = await this.next();
    return back.slice(1);
  }

  async next(): Promise<Frame> {
    while (this.#frames.length === 0) await once(this.socket, 'read');
    return this.#frames.shift()!;
  }

  closed(): Promise<unknown> {
    return this.socket.closed ? Promise.resolve() : once(this.socket, 'close');
  }
}

describe('who connects', () => {
  test('with the secret is the application', async () => {
    const { wire } = await served();
    expect(wire.connected).toBe(false);
    await Client.authenticated(wire);
    expect(wire.connected).toBe(true);
  });

  test.each(['', 'A SECRET', `${SECRET}x`])(
    'with the secret %j is refused, and disconnected',
    async (secret) => {
      const { wire } = await served();
      const client = await Client.connect(wire);
      expect(await client.say('authenticate', [secret])).toEqual(['NOK', 'not authenticated']);
      await client.closed();
      expect(wire.connected).toBe(false);
    },
  );

  test('has one attempt', async () => {
    const { clock, wire } = await served();
    const application = await Client.authenticated(wire);
    const intruder = await Client.connect(wire);
    const right = encodeFrame('2', 'authenticate', [SECRET]);
    intruder.socket.write(Buffer.concat([encodeFrame('1', 'authenticate', ['wrong']), right]));
    expect((await intruder.next()).fields).toEqual(['1', 'NOK', 'not authenticated']);
    intruder.socket.write(right);
    expect(await application.say('ping')).toEqual(['OK']);
    clock.advance(5_000);
    await intruder.closed();
    expect(await application.say('ping')).toEqual(['OK']);
  });

  test('has to say who it is first', async () => {
    const { wire } = await served();
    const client = await Client.connect(wire);
    expect(await client.say('route', ['invite'])).toEqual(['NOK', 'not authenticated']);
    await client.closed();
    expect(wire.takes('INVITE')).toBe(false);
  });

  test('and says nothing for 5 s is disconnected; the application is not', async () => {
    const { clock, wire } = await served();
    const silent = await Client.connect(wire);
    const application = await Client.authenticated(wire);
    clock.advance(5_000);
    await silent.closed();
    expect(await application.say('ping')).toEqual(['OK']);
  });

  test.each(['GET / HTTP/1.1\r\n\r\n', '5000#1|authenticate|', '\0\0\0\0\0\0\0\0\0'])(
    'and sends %j is disconnected',
    async (garbage) => {
      const { wire } = await served();
      const client = await Client.connect(wire);
      client.socket.write(garbage);
      await client.closed();
    },
  );

  test('later takes the place of the application, whose calls are ended', async () => {
    const { wire, core, udp } = await served();
    const first = await Client.authenticated(wire);
    await first.say('route', ['invite']);
    core.receive(requestBytes(), UDP);
    expect((await first.next()).verb).toBe('sip');
    const second = await Client.authenticated(wire);
    await first.closed();
    expect(wire.connected).toBe(true);
    expect(udp.sent.splice(0).map(({ bytes }) => bytes.toString().slice(0, 11))).toEqual(['SIP/2.0 503']);
    // What the first one wanted, the second one has to ask for itself.
    expect(wire.takes('INVITE')).toBe(false);
    await second.say('route', ['invite']);
    core.receive(requestBytes({ branch: 'z9hG4bK2', callId: 'call-2' }), UDP);
    expect((await second.next()).verb).toBe('sip');
  });
});

test('an application that sends garbage is disconnected, and its calls are ended', async () => {
  const { wire, core } = await served();
  const client = await Client.authenticated(wire);
  client.socket.write('garbage!');
  await client.closed();
  expect(wire.connected).toBe(false);
  expect(core.dialogCount).toBe(0);
});

describe('the application', () => {
  test('says what it takes', async () => {
    const { wire } = await served();
    const client = await Client.authenticated(wire);
    expect(await client.say('route', ['invite'])).toEqual(['OK']);
    expect([wire.takes('INVITE'), wire.takes('invite'), wire.takes('BYE')]).toEqual([true, false, false]);
    expect(await client.say('remove_route', ['invite'])).toEqual(['OK']);
    expect(wire.takes('INVITE')).toBe(false);
  });

  test.each<[string, string[], string | undefined, string]>([
    ['proxy', [], 'x', 'proxy is not implemented'],
    ['sip', [], undefined, 'sip is not implemented'],
    ['sip', ['nothing', ''], 'SIP/2.0 200 OK\r\n\r\n', 'transaction not found'],
    ['sip', ['', 'nothing'], 'BYE sip:a SIP/2.0\r\n\r\n', 'unable to find dialog'],
    ['sip', ['', ''], 'OPTIONS sip:a SIP/2.0\r\n\r\n', 'requests outside a dialog are not implemented'],
    ['sip', ['', ''], 'nonsense', 'malformed request'],
  ])('is told why not: %s %j %j', async (verb, fields, message, reason) => {
    const { wire } = await served();
    const client = await Client.authenticated(wire);
    expect(await client.say(verb, fields, message === undefined ? message : Buffer.from(message))).toEqual([
      'NOK',
      reason,
    ]);
  });

  test('may send large messages', async () => {
    const { wire } = await served();
    const client = await Client.authenticated(wire);
    const message = Buffer.from(`SIP/2.0 200 OK\r\n\r\n${'x'.repeat(60_000)}`);
    expect(await client.say('sip', ['nothing', ''], message)).toEqual(['NOK', 'transaction not found']);
  });

  test('gets a request with where it came from', async () => {
    const { wire, core } = await served();
    const client = await Client.authenticated(wire);
    await client.say('route', ['invite']);
    const bytes = requestBytes({ via: 'SIP/2.0/UDP 192.0.2.10', body: '\xff\0' });
    core.receive(bytes, UDP);
    const { verb, fields, message } = await client.next();
    const [source, size, protocol, address, port, time, transaction, dialog, ...on] = fields;
    expect(verb).toBe('sip');
    expect([source, protocol, address, port, dialog]).toEqual(['network', 'udp', '192.0.2.10', '5060', '']);
    expect(on).toEqual(['198.51.100.1', '5060']);
    expect(size).toBe(String(message!.length));
    expect(time).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
    expect(transaction).not.toBe('');
    expect(message!.equals(bytes)).toBe(true);
  });

  test('gets nothing when it is not there', async () => {
    const { wire } = await served();
    expect(() => wire.request(request(), UDP, '1', undefined)).not.toThrow();
  });
});

test('closing ends connections of any kind', async () => {
  const { wire } = await served();
  const silent = await Client.connect(wire);
  const application = await Client.authenticated(wire);
  await wire.close();
  await Promise.all([silent.closed(), application.closed()]);
});
