import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { GatewayModule } from '../../src/gateway.ts';
import type { Server } from '../../src/server.ts';
import { listensOnTcp } from '../peers/ports.ts';
import { extractExample } from './example.ts';
import { type ContractPeer, contractSuite } from './gateway.ts';

const file = extractExample();
const { intercom } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
  intercom: GatewayModule;
};

class IntercomPeer implements ContractPeer {
  #socket: net.Socket;
  #lines: string[] = [];
  #arrived = new Set<() => void>();

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    const lines = readline.createInterface({ input: socket });
    lines.on('error', () => {});
    lines.on('line', (line) => {
      this.#lines.push(line);
      for (const check of this.#arrived) check();
    });
  }

  say(line: string): void {
    this.#socket.write(`${line}\n`);
  }

  /** The first line of that form from now on. */
  next(form: RegExp): Promise<string> {
    this.#lines.length = 0;
    return new Promise((resolve) => {
      const check = () => {
        const line = this.#lines.find((one) => form.test(one));
        if (line === undefined) return;
        this.#arrived.delete(check);
        resolve(line);
      };
      this.#arrived.add(check);
    });
  }

  async publish(): Promise<void> {
    const sending = this.next(/^SENDING/);
    this.say('TONE 440');
    await sending;
  }

  async receives(name: string): Promise<void> {
    const line = await this.next(new RegExp(`^HEARD ${name}`));
    expect(Number(line.split(' ')[2])).toBeGreaterThan(430);
    expect(Number(line.split(' ')[2])).toBeLessThan(450);
  }

  async leave(): Promise<void> {
    this.say('LEAVE');
    await once(this.#socket, 'close');
  }

  async vanish(): Promise<void> {
    this.#socket.resetAndDestroy();
  }

  toldToGo(): Promise<string> {
    return this.next(/^BYE/);
  }
}

function portOf(server: Server): number {
  return Number(
    server.waysIn
      .find(([name]) => name === 'intercom')![1]
      .split(':')
      .at(-1),
  );
}

async function connect(server: Server, room: string, name: string): Promise<IntercomPeer> {
  const socket = net.connect(portOf(server), '127.0.0.1');
  const peer = new IntercomPeer(socket);
  const welcome = peer.next(/^WELCOME/);
  peer.say(`JOIN ${room} ${name}`);
  await welcome;
  return peer;
}

contractSuite({
  name: 'intercom',
  modules: [intercom],
  sections: { intercom: { port: 0 } },
  connect,
  async refused(server) {
    const peer = new IntercomPeer(net.connect(portOf(server), '127.0.0.1'));
    const refusal = peer.next(/^REFUSED/);
    peer.say('JOIN !bad Ann');
    return refusal;
  },
  refusal: /^REFUSED invalid-request .*room's name/,
  ports: async (server) => [portOf(server)],
  listens: listensOnTcp,
});

test('the example compiles as it stands in gateways/README.md', () => {
  const tsc = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.generated'],
    {
      encoding: 'utf8',
    },
  );
  expect(tsc.stdout).toBe('');
  expect(tsc.status).toBe(0);
});
