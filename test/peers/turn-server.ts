import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './ports.ts';

export const TURN_SECRET = 'shared-secret-of-the-turn-server';

/** coturn on loopback, with credentials made from a shared secret. */
export class TurnServer {
  readonly url: string;
  /** Everything that it logged. */
  log = '';
  #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(): Promise<TurnServer> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-turn-'));
    const port = await freePort();
    const args = [
      '-n',
      '--log-file=stdout',
      '--verbose',
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--allow-loopback-peers',
    ];
    const where = [
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      `--listening-port=${port}`,
      '--realm=test',
    ];
    const secret = ['--use-auth-secret', `--static-auth-secret=${TURN_SECRET}`];
    const files = [`--pidfile=${folder}/pid`, `--userdb=${folder}/db`];
    const child = spawn('turnserver', [...args, ...where, ...secret, ...files], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    const server = new TurnServer(`turn:127.0.0.1:${port}?transport=udp`, async () => {
      child.kill('SIGKILL');
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    });
    const listening = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          server.log += text;
          if (/UDP listener opened on/.test(server.log)) resolve();
        });
      }
    });
    await Promise.race([
      listening,
      ended.then(() => {
        throw new Error(`coturn ended:\n${server.log}`);
      }),
    ]);
    return server;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}
