import { EventEmitter, once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import type { Flow } from '../../../../gateways/sip/engine/transport.ts';
import { UdpTransport } from '../../../../gateways/sip/engine/udp-transport.ts';
import { udpPeer } from '../../support/udp.ts';

async function listening(bind = '127.0.0.1') {
  const messages = new EventEmitter();
  const transport = await UdpTransport.open(bind, 0, (bytes, flow) => messages.emit('message', bytes, flow));
  onTestFinished(() => transport.close());
  return { transport, next: async () => (await once(messages, 'message')) as [Buffer, Flow] };
}

test('what comes is told with both ends', async () => {
  const { transport, next } = await listening();
  const peer = await udpPeer();
  const message = next();
  await peer.send(Buffer.from('hello'), transport.port);
  expect(await message).toEqual([
    Buffer.from('hello'),
    {
      protocol: 'udp',
      address: '127.0.0.1',
      port: peer.port,
      localAddress: '127.0.0.1',
      localPort: transport.port,
    },
  ]);
});

test('keep-alives are swallowed', async () => {
  const { transport, next } = await listening();
  const peer = await udpPeer();
  const message = next();
  for (const text of ['', '\0', '\r\n', '\r\n\r\n', 'hello'])
    await peer.send(Buffer.from(text), transport.port);
  expect((await message)[0].toString()).toBe('hello');
});

test.each(['0.0.0.0', '::'])(
  'on %s, IPv4 peers are IPv4 peers, and we have an address for them',
  async (bind) => {
    const { transport, next } = await listening(bind);
    const peer = await udpPeer();
    const message = next();
    await peer.send(Buffer.from('hello'), transport.port);
    const [, flow] = await message;
    expect(flow).toMatchObject({ address: '127.0.0.1', localAddress: '127.0.0.1' });
    const answer = peer.next();
    transport.send(Buffer.from('answer'), flow, () => {});
    expect(await answer).toEqual({ packet: Buffer.from('answer'), from: transport.port });
  },
);

test.each([
  ['what no datagram can hold', Buffer.alloc(70_000), 5060],
  ['what goes to the broadcast address', Buffer.from('x'), 5060, '255.255.255.255'],
])('%s fails, later', async (_, bytes, port, address = '127.0.0.1') => {
  const { transport } = await listening();
  let inside = true;
  await new Promise<void>((resolve) => {
    const to = {
      protocol: 'udp',
      address,
      port,
      localAddress: '127.0.0.1',
      localPort: transport.port,
    } as const;
    transport.send(bytes, to, () => {
      expect(inside).toBe(false);
      resolve();
    });
    inside = false;
  });
});

test('after closing nothing is sent, and nothing throws', async () => {
  const { transport } = await listening();
  await transport.close();
  await transport.close();
  const flow: Flow = {
    protocol: 'udp',
    address: '127.0.0.1',
    port: 9,
    localAddress: '127.0.0.1',
    localPort: 9,
  };
  await new Promise<void>((resolve) => transport.send(Buffer.from('x'), flow, resolve));
});

test('a port in use is an error', async () => {
  const { transport } = await listening();
  await expect(UdpTransport.open('127.0.0.1', transport.port, () => {})).rejects.toThrow('EADDRINUSE');
});
