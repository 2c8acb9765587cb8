/// <reference lib="dom" />
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { launchBrowser, Person } from '../peers/browser.ts';
import { type ClipOptions, loop, makeClip } from '../peers/flv-clip.ts';
import { LATE_MS, OBS_CLIP, plainClip } from './encoder-clips.ts';
import { EncoderStage } from './encoder-stage.ts';

/** Whatever the time between key frames is, people come at any moment of it. */
const PLAIN_LATE_MS = 400;

/** How long somebody at a browser waits for an encoder's picture, from the click on Join, ms. */
export async function firstPictures(): Promise<Record<string, number>> {
  const browser = await launchBrowser();
  try {
    return {
      'Join to first picture, passed through, 1 s GOP, ms': await measure(
        browser,
        plainClip(1),
        PLAIN_LATE_MS,
      ),
      'Join to first picture, re-encoded, late by 4 s, ms': await measure(browser, OBS_CLIP, LATE_MS),
    };
  } finally {
    await browser.close();
  }
}

/** @param lateMs - after a key frame, everything else being ready */
async function measure(browser: Browser, clip: ClipOptions, lateMs: number): Promise<number> {
  const stage = await EncoderStage.open(loop(await makeClip(clip)));
  const { server } = stage;
  const person = await Person.open(browser, server, { name: 'Guest', room: EncoderStage.room });
  for (const label of ['Microphone', 'Camera'])
    await person.page.getByRole('combobox', { name: label }).selectOption('off');
  const waitedMs = person.page.evaluate(clickToPicture, EncoderStage.encoder);
  await stage.keyFrame();
  await delay(lateMs);
  await person.join();
  const found = await waitedMs;
  await person.close();
  await stage.close();
  return found;
}

/** Runs in the page. @returns ms from the last click to the first picture in the tile of that name */
async function clickToPicture(name: string): Promise<number> {
  let clickedAt = performance.now();
  addEventListener(
    'click',
    () => {
      clickedAt = performance.now();
    },
    { capture: true },
  );
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const tiles = [...document.querySelectorAll('.tile')];
      const tile = tiles.find((one) => one.querySelector('footer .name')?.textContent?.includes(name));
      const shown = tile?.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      if (shown === 0) return;
      clearInterval(timer);
      resolve(performance.now() - clickedAt);
    }, 5);
  });
}
