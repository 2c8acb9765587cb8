/// <reference lib="dom" />
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { launchBrowser, Person } from '../peers/browser.ts';
import { makeFlashClip } from '../peers/flash-clip.ts';
import type { ClipOptions } from '../peers/flv-clip.ts';
import { OBS_CLIP, plainClip } from './encoder-clips.ts';
import { EncoderStage } from './encoder-stage.ts';
import { median } from './median.ts';

/** Browsers learn from the hub's reports, of which those of sound come every 5 s, what belongs together. */
const SETTLE_MS = 15_000;
const MEASURED_MS = 20_000;
const START_MS = 10_000;

/**
 * How much later than its sound a picture is at somebody's browser, in ms, negative for earlier. In two ways: by
 * flashes and bursts in what is shown and played, and by what the browser says it shows and plays.
 */
export async function lipSync(): Promise<Record<string, number>> {
  const browser = await launchBrowser();
  try {
    return {
      ...(await measure(browser, 'passed through', plainClip(1))),
      ...(await measure(browser, 're-encoded', OBS_CLIP)),
    };
  } finally {
    await browser.close();
  }
}

async function measure(browser: Browser, how: string, clip: ClipOptions): Promise<Record<string, number>> {
  const seconds = (START_MS + SETTLE_MS + MEASURED_MS) / 1000;
  const flashes = await makeFlashClip({ ...clip, audio: { toneHz: 1000 }, seconds });
  const stage = await EncoderStage.open(flashes);
  const person = await Person.open(browser, stage.server, { name: 'Guest', room: EncoderStage.room });
  for (const label of ['Microphone', 'Camera'])
    await person.page.getByRole('combobox', { name: label }).selectOption('off');
  await person.join();
  await person.sees(EncoderStage.encoder);
  await delay(SETTLE_MS);
  const { contents, playouts } = await person.page.evaluate(watchAndListen, MEASURED_MS);
  await person.close();
  await stage.close();
  return {
    [`${how}: picture behind its sound, ms`]: median(contents),
    [`${how}: flashes that count`]: contents.length,
    [`${how}: the browser's own figure, ms`]: median(playouts),
  };
}

interface Watched {
  /** Of flashes and the bursts that belong to them. */
  readonly contents: number[];
  /** The picture's place in time, as the reports have it, against that of the sound. */
  readonly playouts: number[];
}

/** Runs in the page, in which there is one stream of sound and one of pictures. */
async function watchAndListen(measuredMs: number): Promise<Watched> {
  const flashes: number[] = [];
  const bursts: number[] = [];
  const playouts: number[] = [];

  const video = [...document.querySelectorAll('video')].find(({ videoWidth }) => videoWidth > 0)!;
  const pixels = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true })!;
  let wasWhite = true;
  const look = (_now: number, { expectedDisplayTime }: VideoFrameCallbackMetadata) => {
    pixels.drawImage(video, 0, 0, 8, 8);
    const { data } = pixels.getImageData(0, 0, 8, 8);
    const isWhite = data.reduce((sum, value) => sum + value, 0) / data.length > 225;
    if (isWhite && !wasWhite) flashes.push(expectedDisplayTime);
    wasWhite = isWhite;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);

  const context = new AudioContext({ latencyHint: 'interactive' });
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  for (const audio of document.querySelectorAll('audio')) {
    if (audio.srcObject) context.createMediaStreamSource(audio.srcObject as MediaStream).connect(analyser);
  }
  const samples = new Float32Array(analyser.fftSize);
  let loudAt = performance.now();
  const listen = setInterval(() => {
    const now = performance.now();
    analyser.getFloatTimeDomainData(samples);
    const first = samples.findIndex((sample) => Math.abs(sample) > 0.1);
    if (first < 0) return;
    const at = now - ((samples.length - first) / context.sampleRate) * 1000;
    if (at - loudAt > 300) bursts.push(at);
    loudAt = now;
  }, 4);

  const all = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
  const ask = setInterval(async () => {
    const times: Record<string, number> = {};
    for (const connection of all) {
      for (const entry of (await connection.getStats()).values() as Iterable<Record<string, unknown>>) {
        if (entry.type !== 'inbound-rtp' || !entry.estimatedPlayoutTimestamp) continue;
        times[String(entry.kind)] = Number(entry.estimatedPlayoutTimestamp);
      }
    }
    if (times.audio && times.video) playouts.push(times.audio - times.video);
  }, 500);

  await new Promise((resolve) => setTimeout(resolve, measuredMs));
  clearInterval(listen);
  clearInterval(ask);
  await context.close();
  const contents = flashes.flatMap((at) => {
    const burst = bursts.find((one) => Math.abs(one - at) < 500);
    return burst === undefined ? [] : [at - burst];
  });
  return { contents, playouts };
}
