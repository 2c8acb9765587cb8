import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Server } from '../../src/server.ts';
import {
  countPeerConnections,
  countPictures,
  listenFor,
  narrowCamera,
  type PictureCounts,
  selectedCandidates,
  speakTone,
  waitForPictures,
  waitForSilence,
  waitForTones,
} from './in-page.ts';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--allow-loopback-in-peer-connection',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
];

export interface BrowserOptions {
  /** Pictures a second that the fake camera gives; 20 if not said. */
  readonly cameraRate?: number;
}

/** Debian's Chromium, headless, with a fake camera. One is enough for many people: each gets a context of his own. */
export function launchBrowser({ cameraRate = 20 }: BrowserOptions = {}): Promise<Browser> {
  const args = [...ARGUMENTS, `--use-fake-device-for-media-stream=fps=${cameraRate}`];
  return chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
}

export interface PersonOptions {
  readonly name: string;
  readonly room?: string;
  /** What this person's microphone gives: a tone of so many Hz. */
  readonly toneHz?: number;
  /** Of the camera's pictures, which are 16:9: for who does not look at them closely. As the page likes if not said. */
  readonly cameraWidth?: number;
  /** Added to the page's address, such as `token=…&transport=tcp`. */
  readonly query?: string;
  readonly viewport?: { width: number; height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly permissions?: readonly string[];
}

/** One person at a browser, using the real page. */
export class Person {
  readonly page: Page;
  readonly name: string;
  /** Errors that the page logged or threw. */
  readonly problems: string[] = [];
  #context: BrowserContext;

  private constructor(page: Page, context: BrowserContext, name: string) {
    this.page = page;
    this.#context = context;
    this.name = name;
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
  }

  /** Opens the page up to its lobby. */
  static async open(browser: Browser, server: Pick<Server, 'url'>, options: PersonOptions): Promise<Person> {
    const context = await browser.newContext({
      viewport: options.viewport ?? { width: 1000, height: 700 },
      colorScheme: options.colorScheme ?? 'light',
      ignoreHTTPSErrors: true,
      ...(options.permissions ? { permissions: [...options.permissions] } : {}),
    });
    const page = await context.newPage();
    await page.addInitScript(countPeerConnections);
    if (options.toneHz) await page.addInitScript(speakTone, options.toneHz);
    if (options.cameraWidth) await page.addInitScript(narrowCamera, options.cameraWidth);
    const person = new Person(page, context, options.name);
    await page.goto(`${server.url}/${options.room ?? 'demo'}?${options.query ?? ''}`);
    await page.getByLabel('Your name').fill(options.name);
    return person;
  }

  static async join(browser: Browser, server: Pick<Server, 'url'>, options: PersonOptions): Promise<Person> {
    const person = await Person.open(browser, server, options);
    await person.page.locator('.preview video').waitFor();
    await person.join();
    return person;
  }

  async join(): Promise<void> {
    // What the microphone gives must reach the others unaltered: tones are eaten otherwise.
    await this.page.getByLabel(/Original sound/).check();
    await this.page.getByRole('button', { name: 'Join', exact: true }).click();
    await this.tile(`${this.name} (you)`).waitFor();
  }

  tile(name: string) {
    return this.page.locator('.tile').filter({ has: this.page.locator('footer .name', { hasText: name }) });
  }

  /** Resolves once so many pictures of that person have been decoded after this call. */
  async sees(name: string, pictures = 10): Promise<void> {
    await this.page.evaluate(waitForPictures, { name, pictures });
  }

  /** Resolves once all these tones are heard, together or one after the other, from what the page plays. */
  async hears(...tonesHz: number[]): Promise<void> {
    await this.page.evaluate(waitForTones, tonesHz);
  }

  /** Resolves once that tone has been away for a second. */
  async hearsNoMore(toneHz: number): Promise<void> {
    await this.page.evaluate(waitForSilence, toneHz);
  }

  /** Listens for so long. @returns which of these tones were there at any moment */
  heardDuring(tonesHz: number[], seconds: number): Promise<number[]> {
    return this.page.evaluate(listenFor, { tones: tonesHz, seconds });
  }

  /** Network protocol of the selected path of every connection that has one. */
  paths(): Promise<string[]> {
    return this.page.evaluate(selectedCandidates, 'protocol' as const);
  }

  /** 'host', 'relay' and so on, of the same. */
  candidateTypes(): Promise<string[]> {
    return this.page.evaluate(selectedCandidates, 'candidateType' as const);
  }

  /** Of all pictures that come to it now: what it received, what of it it could decode. */
  pictureCounts(): Promise<PictureCounts> {
    return this.page.evaluate(countPictures);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
