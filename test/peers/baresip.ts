import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ToneMeter } from '../signals/tone-meter.ts';
import { Watch } from './phone-watch.ts';
import { freePort } from './ports.ts';

const MODULES = '/usr/lib/baresip/modules';
const LIMIT_MS = 20_000;
/** Codecs as baresip names them in an account. */
const CODECS = { PCMU: 'PCMU/8000/1', PCMA: 'PCMA/8000/1', opus: 'opus/48000/2' };

export interface BaresipOptions {
  /** The only codec that it offers. */
  readonly codec?: keyof typeof CODECS;
  /** What it says. */
  readonly toneHz?: number;
  readonly user?: string;
}

/** What baresip tells of a call. */
interface CallEvent {
  readonly type: string;
  /** With CALL_CLOSED: why, as a status or in words. */
  readonly param?: string;
}

export interface Recording {
  /** Samples a second. */
  readonly rate: number;
  /** One channel. */
  readonly samples: Int16Array;
}

/**
 * Debian's baresip 1.0 as a caller without a sound card, in a process of its own. It says a tone (`ausine`), plays
 * to nobody (`aubridge`), and writes what it decodes to a WAV file (`sndfile`, a filter: no player of this version
 * writes files; where no packets come, nothing is written, so the recording has no gaps). It is steered over `ctrl_tcp`.
 */
export class Baresip {
  static #running = new Set<Baresip>();

  /** Types of the events so far, such as CALL_RINGING and CALL_ESTABLISHED. */
  readonly events: CallEvent[] = [];
  /** Resolves with the reason when the call is over; never rejects. */
  readonly ended: Promise<string>;
  #child: ChildProcess;
  #folder: string;
  #watch = new Watch();
  #control: net.Socket | undefined;
  #output = '';
  #closed: Promise<unknown>;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#closed = once(child, 'close').then(() => this.#watch.changed());
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
        this.#watch.changed();
      });
    }
    const over = () => this.#event('CALL_CLOSED')?.param ?? (this.#isGone ? 'baresip ended' : undefined);
    this.ended = new Promise((resolve) => {
      this.#watch.until(over, 2 ** 31 - 1, () => '').then(resolve, () => {});
    });
    Baresip.#running.add(this);
  }

  /** Calls; resolves when it is answered. @param uri - such as `sip:demo@127.0.0.1:5060` @throws when it is refused */
  static async call(uri: string, options: BaresipOptions = {}): Promise<Baresip> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'patchroom-baresip-'));
    const controlPort = await freePort();
    await writeConfiguration(folder, controlPort, options);
    const child = spawn('baresip', ['-4', '-f', folder], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const baresip = new Baresip(child, folder);
    try {
      await baresip.#dial(uri, controlPort);
    } catch (error) {
      await baresip.close();
      throw error;
    }
    return baresip;
  }

  /** Ends whatever there is, for the end of a test. */
  static async closeAll(): Promise<void> {
    await Promise.all([...Baresip.#running].map((baresip) => baresip.close()));
  }

  /** Resolves once all these tones were heard, together or one after the other, since the call began. */
  async hears(...tonesHz: number[]): Promise<void> {
    const missing = new Set(tonesHz);
    const listen = () => {
      this.recording().then(
        (recording) => {
          for (const hz of tonesOf(recording, [...missing])) missing.delete(hz);
          this.#watch.changed();
        },
        () => {}, // nothing is written yet
      );
    };
    // It writes every 20 ms.
    let changes = 0;
    const watcher = watch(this.#folder, () => {
      changes++;
      if (changes % 10 === 0) listen();
    });
    try {
      await this.#watch.until(
        () => missing.size === 0,
        LIMIT_MS,
        () => `${[...missing]} Hz not heard; ${changes} changes of the recording\n${this.#output}`,
      );
    } finally {
      watcher.close();
    }
  }

  /** Everything that it has decoded so far, in a call or after it. @throws when that is nothing */
  async recording(): Promise<Recording> {
    const name = (await fs.readdir(this.#folder)).find((file) => file.endsWith('-dec.wav'));
    if (!name) throw new Error(`baresip has recorded nothing:\n${this.#output}`);
    return parseWav(await fs.readFile(path.join(this.#folder, name)));
  }

  /**
   * Resolves once its status line, the mean of the last seconds, tells that RTP comes in, or that none does.
   * This is all there is to see after it has held a call: holding takes its recording filter away for good.
   */
  async receives(isReceiving = true): Promise<void> {
    await this.#until(isReceiving ? 'RTP comes in' : 'no RTP comes in', () => {
      const [, , received] = [...this.#output.matchAll(/audio=(\d+)\/(\d+) \(bit\/s\)/g)].at(-1) ?? [];
      return received !== undefined && (received !== '0') === isReceiving;
    });
  }

  /** All tones that it has heard at any moment of the call, in Hz rounded to tens, rising. */
  async tones(): Promise<number[]> {
    return tonesOf(await this.recording());
  }

  /** Holds the call (`hold`), takes it back (`resume`), and whatever else baresip's menu knows. */
  async command(command: string, params = ''): Promise<void> {
    const json = JSON.stringify({ command, params });
    this.#control!.write(`${Buffer.byteLength(json)}:${json},`);
  }

  /** Resolves once the call is over; the recording stays readable. */
  async hangUp(): Promise<void> {
    await this.command('hangup');
    await this.#watch.until(
      () => this.#event('CALL_CLOSED') !== undefined || this.#isGone,
      LIMIT_MS,
      () => `the call did not end:\n${this.#output}`,
    );
  }

  /** Ends the process and removes what it wrote. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    this.#control?.destroy();
    Baresip.#running.delete(this);
    await fs.rm(this.#folder, { recursive: true, force: true });
  }

  get #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #event(type: string): CallEvent | undefined {
    return this.events.find((event) => event.type === type);
  }

  async #dial(uri: string, controlPort: number): Promise<void> {
    await this.#until('it is ready', () => /baresip is ready/.test(this.#output));
    this.#control = net.connect(controlPort, '127.0.0.1');
    this.#control.on('error', () => {});
    await once(this.#control, 'connect');
    this.#receive(this.#control);
    await this.command('dial', uri);
    await this.#until('an answer', () => {
      const closed = this.#event('CALL_CLOSED');
      if (closed) throw new Error(`Refused: ${closed.param}`);
      return this.#event('CALL_ESTABLISHED') !== undefined;
    });
  }

  async #until(what: string, isDone: () => boolean): Promise<void> {
    await this.#watch.until(
      () => {
        if (this.#isGone) throw new Error(`baresip ended before ${what}:\n${this.#output}`);
        return isDone();
      },
      LIMIT_MS,
      () => `no sign that ${what}, but ${JSON.stringify(this.events)}\n${this.#output}`,
    );
  }

  /** JSON in netstrings: `<bytes>:<json>,` */
  #receive(control: net.Socket): void {
    let waiting = Buffer.alloc(0);
    control.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      for (;;) {
        const colon = waiting.indexOf(':');
        const end = colon + 1 + Number(waiting.subarray(0, Math.max(0, colon)).toString());
        if (colon < 0 || waiting.length <= end) break;
        const message = JSON.parse(waiting.subarray(colon + 1, end).toString()) as Record<string, unknown>;
        waiting = waiting.subarray(end + 1);
        if (message.event) this.events.push({ type: String(message.type), param: message.param as string });
      }
      this.#watch.changed();
    });
  }
}

async function writeConfiguration(
  folder: string,
  controlPort: number,
  options: BaresipOptions,
): Promise<void> {
  const { codec = 'PCMU', toneHz = 440, user = 'baresip' } = options;
  const lines = [
    'sip_listen 127.0.0.1:0',
    'net_interface 127.0.0.1',
    // Below the ports that systems give away by themselves.
    'rtp_ports 20000-29998',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    `audio_source ausine,${toneHz}`,
    'audio_player aubridge,nobody',
    'audio_alert aubridge,nobody',
    // The only format that ausine has; baresip converts it for the codec.
    ...['ausrc_srate 48000', 'ausrc_channels 2', 'auplay_srate 48000', 'auplay_channels 2'],
    'jitter_buffer_delay 2-10',
    `snd_path ${folder}`,
    `module_path ${MODULES}`,
    ...['g711', 'opus', 'ausine', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`),
    ...['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
  ];
  await fs.writeFile(path.join(folder, 'config'), `${lines.join('\n')}\n`);
  const account = `<sip:${user}@127.0.0.1>;regint=0;audio_codecs=${CODECS[codec]}\n`;
  await fs.writeFile(path.join(folder, 'accounts'), account);
  await fs.writeFile(path.join(folder, 'contacts'), '');
}

/** The first channel of a WAV file of 16 bits, which may still be being written: its own length is not believed. */
function parseWav(file: Buffer): Recording {
  const channels = file.readUInt16LE(22);
  const rate = file.readUInt32LE(24);
  const start = file.indexOf('data') + 8;
  const length = Math.max(0, Math.floor((file.length - start) / (2 * channels)));
  const samples = Int16Array.from({ length }, (_, index) => file.readInt16LE(start + index * 2 * channels));
  return { rate, samples };
}

/** Which of these tones, or which tones at all, are there at any moment. */
function tonesOf({ rate, samples }: Recording, wanted?: readonly number[]): number[] {
  const meter = new ToneMeter(rate);
  const step = rate / 10;
  const heard = new Set<number>();
  for (let at = 0; at + step <= samples.length; at += step) {
    meter.push(samples.subarray(at, at + step));
    for (const hz of wanted ? wanted.filter((one) => meter.hears(one)) : meter.tones()) heard.add(hz);
  }
  return [...heard].sort((a, b) => a - b);
}
