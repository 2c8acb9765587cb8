import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Admission, TcpTransport } from '../../../../gateways/sip/engine/tcp-transport.ts';
import type { Flow } from '../../../../gateways/sip/engine/transport.ts';
import { requestBytes } from './workbench.ts';

async function listening(admission?: Admission) {
  const messages = new EventEmitter();
  const transport = await TcpTransport.open(
    '127.0.0.1',
    0,
    (bytes, flow) => messages.emit('message', bytes, flow),
    admission,
  );
  onTestFinished(() => transport.close());
  return { transport, next: async () => (await once(messages, 'message')) as [Buffer, Flow] };
}

async function connected(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

const MESSAGE = requestBytes({ via: 'SIP/2.0/TCP phone' });

test('a message comes whole, in however many pieces it was sent; its answer goes back by the connection', async () => {
  const { transport, next } = await listening();
  const socket = await connected(transport.port);
  const message = next();
  for (const byte of MESSAGE) socket.write(Buffer.of(byte));
  const [bytes, flow] = await message;
  expect(bytes.equals(MESSAGE)).toBe(true);
  expect(flow).toEqual({
    protocol: 'tcp',
    address: '127.0.0.1',
    port: socket.localPort,
    localAddress: '127.0.0.1',
    localPort: transport.port,
  });
  const answer = once(socket, 'data');
  transport.send(Buffer.from('answer'), flow, () => expect.unreachable());
  expect(String(await answer)).toBe('answer');
});

test('a ping gets a pong', async () => {
  const { transport } = await listening();
  const socket = await connected(transport.port);
  const pong = once(socket, 'data');
  socket.write('\r\n\r\n');
  expect(String(await pong)).toBe('\r\n');
});

test('when the connection is gone, sending fails, later', async () => {
  const { transport, next } = await listening();
  const socket = await connected(transport.port);
  const message = next();
  socket.write(MESSAGE);
  const [, flow] = await message;
  socket.destroy();
  // Until the end of the connection has come here, what is sent counts as on its way.
  const fails = () =>
    new Promise<boolean>((resolve) => {
      transport.send(Buffer.from('x'), flow, () => resolve(true));
      setImmediate(() => resolve(false));
    });
  while (!(await fails()));
  let inside = true;
  await new Promise<void>((resolve) => {
    transport.send(Buffer.from('x'), flow, () => {
      expect(inside).toBe(false);
      resolve();
    });
    inside = false;
  });
});

test('what cannot be cut any further is passed on to be answered, and the connection ends', async () => {
  const { transport, next } = await listening();
  const socket = await connected(transport.port);
  const message = next();
  const ended = once(socket, 'close');
  socket.resume();
  socket.write('OPTIONS sip:a SIP/2.0\r\nX: no length\r\n\r\nOPTIONS');
  expect(String((await message)[0])).toBe('OPTIONS sip:a SIP/2.0\r\nX: no length\r\n\r\n');
  await ended;
});

test('who is not admitted is disconnected at once', async () => {
  const asked: string[] = [];
  const admits = (address: string) => {
    asked.push(address);
    return false;
  };
  const { transport } = await listening({ admits });
  const socket = net.connect(transport.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'close');
  expect(asked).toEqual(['127.0.0.1']);
});

test('closing ends all connections', async () => {
  const { transport } = await listening();
  const socket = await connected(transport.port);
  socket.resume();
  const ended = once(socket, 'close');
  await transport.close();
  await ended;
});

test('a port in use is an error', async () => {
  const { transport } = await listening();
  await expect(TcpTransport.open('127.0.0.1', transport.port, () => {})).rejects.toThrow('EADDRINUSE');
});
