import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { ProgramReport } from '../../src/api/program-routes.ts';
import type { RelayReport } from '../../src/api/relay-report.ts';
import type { RoomReport } from '../../src/api/room-report.ts';
import { RelaySink } from '../bench/relay-sink.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import type { EncodedVideo } from '../peers/ffmpeg-encoding.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { Phone } from '../peers/phone.ts';
import { type Product, startMain } from '../peers/product.ts';
import { UnsteadyCdn } from './unsteady-cdn.ts';

export const ROOM = 'demo';
/** Who has pictures, by their names. */
export const PICTURES = ['Plain', 'OBS', 'Cat'] as const;
const LOOK_MS = 250;
const PATIENCE_MS = 60_000;

interface Parts {
  readonly product: Product;
  readonly url: string;
  readonly steady: RelaySink;
  readonly unsteady: UnsteadyCdn;
  readonly pushes: readonly FfmpegPush[];
  readonly browser: Browser;
}

/** The product in demo mode, a room full of people of every kind, and two CDNs that the room goes out to. */
export class SoakStage {
  /** Receives everything, always. */
  readonly steady: RelaySink;
  readonly unsteady: UnsteadyCdn;
  /** What should not have happened, in words. */
  readonly problems: string[] = [];
  /** How often the relay to the unsteady CDN had given up, and was asked for anew. */
  renewals = 0;
  #parts: Parts;
  #closing = false;
  /** Ids of the relays: to the steady CDN, and to the other. */
  #relays: { steady: string; unsteady: string } = { steady: '', unsteady: '' };

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.steady = parts.steady;
    this.unsteady = parts.unsteady;
    for (const push of parts.pushes) {
      void push.ended.then((code) => {
        if (!this.#closing) this.problems.push(`An encoder ended with ${code}: ${push.complaints}`);
      });
    }
  }

  static async open(): Promise<SoakStage> {
    const closing: (() => unknown)[] = [];
    try {
      const stage = await SoakStage.#set(closing);
      await stage.#openRelays();
      return stage;
    } catch (error) {
      for (const close of closing.reverse()) await close();
      throw error;
    }
  }

  /** @param closing - gets how to end what has been started, the oldest first */
  static async #set(closing: (() => unknown)[]): Promise<SoakStage> {
    const product = startMain();
    closing.push(() => product.child.kill('SIGKILL'));
    const [, url] = await product.says(/browser +(http:\S+)\/demo/);
    const [, sip] = await product.says(/sip:demo@127\.0\.0\.1:(\d+)/);
    const [, rtmp] = await product.says(/(rtmp:\S+)\/live/);
    const steady = await RelaySink.start();
    closing.push(() => steady.close());
    const unsteady = await UnsteadyCdn.start();
    closing.push(() => unsteady.stop());
    const pushes: FfmpegPush[] = [];
    const push = (name: string, video: EncodedVideo, toneHz: number) => {
      const address = `${rtmp}/live/${ROOM}?name=${name}`;
      pushes.push(FfmpegPush.start(address, { video, audio: { toneHz, levelDb: -20 } }));
    };
    closing.push(() => FfmpegPush.killAll());
    // The first with pictures is shown: as they come.
    push('Plain', {}, 300);
    await untilPublishing(url!, 'Plain');
    push('OBS', { bFrames: 2, gop: 250 }, 500);
    closing.push(() => Phone.closeAll());
    await Phone.call(Number(sip), { room: ROOM, name: 'Ann', toneHz: 700 });
    await Phone.call(Number(sip), { room: ROOM, name: 'Bob', toneHz: 900, codec: 'opus' });
    const browser = await launchBrowser();
    closing.push(() => browser.close());
    await Person.join(browser, { url: url! }, { name: 'Cat', room: ROOM, toneHz: 1_100 });
    for (const name of PICTURES) await untilPublishing(url!, name);
    return new SoakStage({ product, url: url!, steady, unsteady, pushes, browser });
  }

  get pid(): number {
    return this.#parts.product.child.pid!;
  }

  /** Warnings and errors that were logged, and how often each. */
  get complaints(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const line of this.#parts.product.output.split('\n')) {
      const [, level] = /"level":"(warn|error|fatal)"/.exec(line) ?? [];
      const [, message] = /"msg":"((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
      if (!level || message === undefined) continue;
      counts[`${level}: ${message}`] = (counts[`${level}: ${message}`] ?? 0) + 1;
    }
    return counts;
  }

  /** @param name - of whose picture is to be shown; undefined: it is chosen by itself */
  async pin(name: string | undefined): Promise<void> {
    const { participants } = await this.#get<RoomReport>('');
    const found = participants.find((one) => one.name === name);
    if (name !== undefined && !found) throw new Error(`${name} is not in the room.`);
    await this.#ask<ProgramReport>('PUT', '/program', { participant: found?.identity ?? null });
  }

  /** How both relays are: 'live', 'waiting' and so on. */
  async states(): Promise<{ steady: RelayReport['state']; unsteady: RelayReport['state'] }> {
    const { relays } = await this.#get<{ relays: RelayReport[] }>('/relays');
    const stateOf = (id: string) => relays.find((one) => one.id === id)?.state ?? 'ended';
    return { steady: stateOf(this.#relays.steady), unsteady: stateOf(this.#relays.unsteady) };
  }

  /** Asks anew for the relay to the unsteady CDN if it has given up, as its owner would. */
  async renew(): Promise<void> {
    const { unsteady } = await this.states();
    if (unsteady !== 'failed' && unsteady !== 'ended') return;
    this.renewals++;
    this.#relays.unsteady = await this.#relayTo(this.unsteady.url);
  }

  /** @returns whether both relays were live at once within that time */
  async live(patienceMs: number): Promise<boolean> {
    const until = performance.now() + patienceMs;
    while (performance.now() < until) {
      const { steady, unsteady } = await this.states();
      if (steady === 'live' && unsteady === 'live') return true;
      await delay(LOOK_MS);
    }
    return false;
  }

  async close(): Promise<void> {
    const { product, browser, pushes } = this.#parts;
    this.#closing = true;
    Phone.closeAll();
    await browser.close();
    await Promise.all(pushes.map((push) => push.stop()));
    product.child.kill('SIGTERM');
    const code = await product.ended();
    if (code !== 0) this.problems.push(`The product ended with ${code}.`);
    this.steady.close();
    await this.unsteady.stop();
  }

  async #openRelays(): Promise<void> {
    this.#relays.steady = await this.#relayTo(this.steady.url);
    this.#relays.unsteady = await this.#relayTo(this.unsteady.url);
    if (!(await this.live(PATIENCE_MS))) throw new Error('The room did not go out.');
  }

  async #relayTo(url: string): Promise<string> {
    return (await this.#ask<RelayReport>('POST', '/relays', { address: `${url}/soak` })).id;
  }

  #get<T>(path: string): Promise<T> {
    return ask<T>(`${this.#parts.url}/api/rooms/${ROOM}${path}`);
  }

  #ask<T>(method: string, path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const request = { method, headers, body: JSON.stringify(body) };
    return ask<T>(`${this.#parts.url}/api/rooms/${ROOM}${path}`, request);
  }
}

/** @throws Error with what it was answered */
async function ask<T>(url: string, request: RequestInit = {}): Promise<T> {
  const response = await fetch(url, request);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** @throws Error when that participant does not publish sound and pictures in time */
async function untilPublishing(url: string, name: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const response = await fetch(`${url}/api/rooms/${ROOM}`);
    const { participants } = response.ok ? ((await response.json()) as RoomReport) : { participants: [] };
    if ((participants.find((one) => one.name === name)?.tracks.length ?? 0) >= 2) return;
    await delay(LOOK_MS);
  }
  throw new Error(`${name} does not publish.`);
}
