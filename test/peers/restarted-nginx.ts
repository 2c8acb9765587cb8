import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { NginxRtmp } from './nginx-rtmp.ts';
import { listensOnTcp } from './ports.ts';

/** An nginx that goes away and comes back at the same port, with what it recorded. */
export class RestartedNginx {
  readonly nginx: NginxRtmp;
  #next: ChildProcess | undefined;

  private constructor(nginx: NginxRtmp) {
    this.nginx = nginx;
  }

  static async start(): Promise<RestartedNginx> {
    return new RestartedNginx(await NginxRtmp.start({ record: true }));
  }

  /** Ends it at once (SIGKILL): nobody listens there any more. */
  async kill(): Promise<void> {
    const child = this.#next ?? this.nginx.child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  /** The same once more, when the one before was killed. */
  async revive(): Promise<void> {
    const [command, ...args] = this.nginx.child.spawnargs;
    this.#next = spawn(command!, args, { stdio: 'ignore' });
    while (!(await listensOnTcp(this.nginx.port))) {
      if (this.#next.exitCode !== null) throw new Error('nginx did not come back.');
      await delay(20);
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.nginx.stop();
  }
}
