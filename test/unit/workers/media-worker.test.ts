import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { createLogger } from '../../../src/base/log.ts';
import { MediaWorker } from '../../../src/workers/media-worker.ts';
import { REQUEST_TIMEOUT_MS } from '../../../src/workers/messages.ts';
import { WorkerChannel } from '../../../src/workers/worker-channel.ts';
import { FakeClock } from '../support/fake-clock.ts';
import parrot, { type Notice, type Reply, type Request } from '../support/parrot-media.ts';
import { refusal } from '../support/refusal.ts';
import { udpPeer } from '../support/udp.ts';

type ParrotPort = WorkerChannel<Request, Reply, Notice>;

const log = createLogger('silent');
const clock = new FakeClock();
const PARROT = { gateway: 'parrot', url: new URL('../support/parrot-media.ts', import.meta.url) };
const SSRC = 0x89abcdef;
const PACKET = Buffer.from('80600001000000a089abcdef0102', 'hex');

function start(modules = [PARROT]): Promise<MediaWorker> {
  return MediaWorker.start({ clock, log, logLevel: 'silent', modules });
}

function portTo(worker: MediaWorker): ParrotPort {
  const port = new WorkerChannel('parrot', worker, parrot.messages, log);
  onTestFinished(() => port.close());
  return port;
}

/** Both ends of a connection on loopback; ours is unread. */
async function connection(): Promise<{ peer: net.Socket; socket: net.Socket }> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const peer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  peer.on('error', () => {});
  const [socket] = await accepted;
  onTestFinished(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });
  return { peer, socket };
}

/** @returns all that comes, once it has ended */
async function textOf(peer: net.Socket): Promise<string> {
  let text = '';
  peer.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  if (!peer.closed) await once(peer, 'close');
  return text;
}

describe('a media worker', () => {
  let worker: MediaWorker;
  beforeAll(async () => {
    worker = await start();
  });
  afterAll(() => worker.close());

  test('answers requests for its gateways, each with its own reply', async () => {
    const port = portTo(worker);
    const texts = ['one', 'two', 'three'];
    const replies = await Promise.all(texts.map((text) => port.request({ type: 'say', text })));
    expect(replies).toEqual(texts.map((said) => ({ said })));
  });

  test('gives a refusal back with its code and sentence', async () => {
    const refused = portTo(worker).request({ type: 'refuse' });
    await expect(refused).rejects.toThrow(refusal('codec-refused'));
    await expect(refused).rejects.toThrow('The parrot does not like it.');
  });

  test('tells a bug as internal, without its detail', async () => {
    const broken = portTo(worker).request({ type: 'break' });
    await expect(broken).rejects.toThrow(refusal('internal'));
    await expect(broken).rejects.not.toThrow('private');
  });

  test('refuses a request that its gateway does not understand', async () => {
    const request = { type: 'sing' } as unknown as Request;
    await expect(portTo(worker).request(request)).rejects.toThrow(refusal('internal'));
  });

  test('refuses a request for a gateway that it does not have', async () => {
    const unknown = worker.request({ type: 'gateway', gateway: 'nobody', body: {} });
    await expect(unknown).rejects.toThrow(refusal('internal'));
    await expect(unknown).rejects.toThrow('No gateway nobody');
  });

  test('refuses a link that is not open', async () => {
    const refused = portTo(worker).request({ type: 'receive', link: 'none', ssrc: 1 });
    await expect(refused).rejects.toThrow(refusal('failed-precondition'));
  });

  test('that does not answer in time makes the request fail, and answers the next', async () => {
    const port = portTo(worker);
    const ignored = port.request({ type: 'ignore' });
    clock.advance(REQUEST_TIMEOUT_MS);
    await expect(ignored).rejects.toThrow(refusal('timeout'));
    expect(await port.request({ type: 'say', text: 'still here' })).toEqual({ said: 'still here' });
  });

  test('brings notices to the ports of their gateway, but none that are malformed', async () => {
    const port = portTo(worker);
    const other = new WorkerChannel('other', worker, parrot.messages, log);
    onTestFinished(() => other.close());
    const heard: unknown[] = [];
    port.on('notice', (notice) => heard.push(notice));
    other.on('notice', () => heard.push('of another gateway'));
    for (const body of [{ text: 'one' }, { text: 2 }, null, { text: 'three' }]) {
      await port.request({ type: 'notify', body });
    }
    expect(heard).toEqual([{ text: 'one' }, { text: 'three' }]);
  });

  test('exchanges packets with a hub through a link, and counts them', async () => {
    const port = portTo(worker);
    const [hub, stranger] = [await udpPeer(), await udpPeer()];
    const linkPort = await worker.openLink('a-link', hub.port);
    await port.request({ type: 'receive', link: 'a-link', ssrc: SSRC });

    const heard = once(port, 'notice');
    await stranger.send(PACKET, linkPort);
    await hub.send(PACKET, linkPort);
    expect(await heard).toEqual([{ text: PACKET.toString('hex') }]);

    const arrived = hub.next();
    await port.request({ type: 'send', link: 'a-link', packet: PACKET });
    expect(await arrived).toEqual({ packet: PACKET, from: linkPort });

    const { links, ...usage } = await worker.statistics();
    expect(links).toEqual([
      { link: 'a-link', packetsReceived: 1, packetsSent: 1, packetsIgnored: 1, sendErrors: 0 },
    ]);
    expect(usage.memoryBytes).toBeGreaterThan(1_000_000);

    const closed = once(port, 'notice');
    await worker.request({ type: 'close-link', link: 'a-link' });
    expect(await closed).toEqual([{ text: 'closed' }]);
    expect((await worker.statistics()).links).toEqual([]);
  });
});

describe('a connection that is handed to a media worker', () => {
  let worker: MediaWorker;
  beforeAll(async () => {
    worker = await start();
  });
  afterAll(() => worker.close());

  test("is the worker's: it reads what was sent before, and writes", async () => {
    const { peer, socket } = await connection();
    peer.write('before ');
    expect(await portTo(worker).hand({ type: 'repeat' }, socket)).toEqual({ said: 'listening' });
    peer.end('and after');
    expect(await textOf(peer)).toBe('before and after');
  });

  test.each<[string, Request, string]>([
    ['is refused', { type: 'refuse' }, 'codec-refused'],
    ['fails', { type: 'break' }, 'internal'],
    ['is not understood', { type: 'sing' } as unknown as Request, 'internal'],
  ])('is closed when the request %s', async (_, request, code) => {
    const { peer, socket } = await connection();
    await expect(portTo(worker).hand(request, socket)).rejects.toThrow(refusal(code as ErrorCode));
    expect(await textOf(peer)).toBe('');
  });

  test('is closed when there is no such gateway', async () => {
    const { peer, socket } = await connection();
    const port = new WorkerChannel('nobody', worker, parrot.messages, log);
    onTestFinished(() => port.close());
    await expect(port.hand({ type: 'repeat' }, socket)).rejects.toThrow(refusal('internal'));
    expect(await textOf(peer)).toBe('');
  });

  test('is closed when the message is malformed', async () => {
    const { peer, socket } = await connection();
    const unanswered = worker.request({ type: 'nonsense' } as never, 60_000, socket);
    expect(await textOf(peer)).toBe('');
    clock.advance(60_000);
    await expect(unanswered).rejects.toThrow(refusal('timeout'));
  });

  test('comes as nothing when it was closed before', async () => {
    const { socket } = await connection();
    socket.destroy();
    expect(await portTo(worker).hand({ type: 'repeat' }, socket)).toEqual({ said: 'nothing came with it' });
  });

  test('is closed when the worker is gone', async () => {
    const short = await start();
    const port = portTo(short);
    await short.close();
    const { peer, socket } = await connection();
    await expect(port.hand({ type: 'repeat' }, socket)).rejects.toThrow(refusal('unavailable'));
    expect([socket.destroyed, await textOf(peer)]).toEqual([true, '']);
  });

  test('ends with the worker', async () => {
    const short = await start();
    const { peer, socket } = await connection();
    await portTo(short).hand({ type: 'repeat' }, socket);
    const closed = once(peer, 'close');
    short.kill();
    await closed;
  });
});

describe('a media worker that ends', () => {
  test('because it was killed makes all that waits for it fail', async () => {
    const before = clock.pending;
    const worker = await start();
    const port = portTo(worker);
    const lost = once(port, 'lost');
    const waiting = [1, 2, 3].map(() => port.request({ type: 'ignore' }));
    worker.kill();
    await Promise.all(waiting.map((one) => expect(one).rejects.toThrow(refusal('unavailable'))));
    expect(clock.pending).toBe(before);
    expect(await worker.ended).toBe('killed by SIGKILL');
    expect(await lost).toEqual(['killed by SIGKILL']);
    await expect(port.request({ type: 'say', text: 'x' })).rejects.toThrow(refusal('unavailable'));
  });

  test('because it was closed exits by itself, and may be closed again', async () => {
    const worker = await start();
    await worker.close();
    await worker.close();
    expect(await worker.ended).toBe('exit code 0');
  });

  test('leaves no timer behind', async () => {
    const before = clock.pending;
    const worker = await start();
    await worker.close();
    expect(clock.pending).toBe(before);
  });
});

test.each([
  ['is malformed', '../support/malformed-media.ts'],
  ['does not exist', '../support/no-such-media.ts'],
])('a media worker does not start when the media half of a gateway %s', async (_, file) => {
  const started = start([PARROT, { gateway: 'bad', url: new URL(file, import.meta.url) }]);
  await expect(started).rejects.toThrow(refusal('internal'));
});
