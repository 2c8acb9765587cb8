import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, listensOnTcp } from './ports.ts';

const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';

export interface NginxRtmpOptions {
  /** Whether it keeps everything that it gets as FLV files. */
  readonly record?: boolean;
}

/** Debian's nginx with its RTMP module, as one process on a port of loopback. Takes any key, once at a time. */
export class NginxRtmp {
  readonly port: number;
  /** Where to push, without the key. */
  readonly url: string;
  readonly child: ChildProcess;
  /** What it wrote on its standard error: its warnings and errors. */
  log = '';
  #folder: string;
  #ended: Promise<unknown>;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.url = `rtmp://127.0.0.1:${port}/live`;
    this.#folder = folder;
    this.child = spawn('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    this.#ended = once(this.child, 'close').catch((error) => {
      this.log += String(error);
    });
  }

  /** @throws when it cannot be started, with what it said */
  static async start(options: NginxRtmpOptions = {}): Promise<NginxRtmp> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-nginx-'));
    const port = await freePort();
    fs.mkdirSync(path.join(folder, 'recordings'));
    fs.writeFileSync(path.join(folder, 'nginx.conf'), configuration(port, folder, options.record ?? false));
    const nginx = new NginxRtmp(port, folder);
    let over = false;
    void nginx.#ended.then(() => {
      over = true;
    });
    while (!(await listensOnTcp(port))) {
      if (over) {
        fs.rmSync(folder, { recursive: true, force: true });
        throw new Error(`nginx ended:\n${nginx.log}`);
      }
      await delay(20);
    }
    return nginx;
  }

  /** The FLV files so far, oldest first; one for each time that somebody published. Gone after `stop`. */
  recordings(): string[] {
    const folder = path.join(this.#folder, 'recordings');
    const born = (file: string) => fs.statSync(file).birthtimeMs;
    return fs
      .readdirSync(folder)
      .map((name) => path.join(folder, name))
      .sort((a, b) => born(a) - born(b));
  }

  /** How many are connected to it, by the kernel's table (see proc(5)). */
  connections(): number {
    const ESTABLISHED = '01';
    const port = this.port.toString(16).toUpperCase().padStart(4, '0');
    const rows = fs.readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
    return rows.filter((row) => {
      const [, local, , state] = row.trim().split(/\s+/);
      return local?.endsWith(`:${port}`) && state === ESTABLISHED;
    }).length;
  }

  /** Holds it without closing a connection (SIGSTOP): the kernel still takes connections and bytes, for a while. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

function configuration(port: number, folder: string, record: boolean): string {
  // One process without a master, so that a signal reaches all of it.
  return `
load_module ${MODULE};
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 256; }
rtmp {
  server {
    listen 127.0.0.1:${port};
    application live {
      live on;
      record ${record ? 'all' : 'off'};
      record_path ${folder}/recordings;
      record_unique on;
    }
  }
}
`;
}
