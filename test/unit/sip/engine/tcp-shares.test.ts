import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { TcpTransport } from '../../../../gateways/sip/engine/tcp-transport.ts';
import type { Flow } from '../../../../gateways/sip/engine/transport.ts';
import { requestBytes } from './workbench.ts';

const GREEDY = '127.0.0.2';
const OTHER = '127.0.0.3';
/** More than the engine keeps at once. */
const MANY = 1_003;
const MESSAGE = requestBytes({ via: 'SIP/2.0/TCP phone' });

/** An engine's TCP port, and what comes there. */
async function listening() {
  const messages = new EventEmitter();
  const transport = await TcpTransport.open('127.0.0.1', 0, (bytes, flow) =>
    messages.emit(flow.address, bytes, flow),
  );
  onTestFinished(() => transport.close());
  return { transport, messages };
}

function closing(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
}

/** A connection from that address; it may be closed at once. */
async function connected(port: number, localAddress: string): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  await Promise.race([once(socket, 'connect').catch(() => {}), closing(socket)]);
  return socket;
}

test('an address that opens connections until no more are taken does not keep another one from connecting', async () => {
  const { transport, messages } = await listening();
  const greedy = await Promise.all(Array.from({ length: MANY }, () => connected(transport.port, GREEDY)));
  const other = await connected(transport.port, OTHER);
  const outcome = Promise.race([
    once(messages, OTHER).then(() => 'served'),
    closing(other).then(() => 'closed'),
  ]);
  other.write(MESSAGE);
  expect(await outcome).toBe('served');
  // Those that it has are kept: one of them still works, both ways.
  const standing = greedy.find((socket) => !socket.destroyed && socket.readyState === 'open')!;
  const message = once(messages, GREEDY);
  standing.write(MESSAGE);
  const [, flow] = (await message) as [Buffer, Flow];
  const answer = once(standing, 'data');
  transport.send(Buffer.from('answer'), flow, () => expect.unreachable());
  expect(String(await answer)).toBe('answer');

  // What it closes it gets anew.
  for (const socket of greedy) socket.end();
  await Promise.all(greedy.map(closing));
  const again = await connected(transport.port, GREEDY);
  const served = once(messages, GREEDY);
  again.write(MESSAGE);
  await served;
});
