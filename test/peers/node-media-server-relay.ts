import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './ports.ts';

const CHILD = path.join(import.meta.dirname, 'node-media-server-main.ts');

/**
 * node-media-server in a process of its own: whoever publishes to it is relayed on to another RTMP server.
 * It keeps its own publisher's place, and so the relay's connection, for 30 s after that publisher went.
 */
export class NodeMediaServerRelay {
  readonly port: number;
  /** Where to push, without the key. */
  readonly url: string;
  readonly child: ChildProcess;
  /** What it logged. */
  log = '';
  #folder: string;
  #ended: Promise<unknown>;

  private constructor(port: number, target: string, folder: string) {
    this.port = port;
    this.url = `rtmp://127.0.0.1:${port}/live`;
    this.#folder = folder;
    this.child = fork(CHILD, [String(port), target, folder], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    this.#ended = once(this.child, 'close');
  }

  /**
   * @param target - where to, with the key: rtmp://127.0.0.1:1935/live/key
   * @throws when it cannot be started, with what it said
   */
  static async start(target: string): Promise<NodeMediaServerRelay> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-nms-'));
    const relay = new NodeMediaServerRelay(await freePort(), target, folder);
    const ready = once(relay.child, 'message').then(() => true);
    if (!(await Promise.race([ready, relay.#ended.then(() => false)]))) {
      fs.rmSync(folder, { recursive: true, force: true });
      throw new Error(`node-media-server ended:\n${relay.log}`);
    }
    return relay;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}
