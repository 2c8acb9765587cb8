import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { AAC_SAMPLES, SILENT_AAC } from '../../../../transcode/program/silence.ts';

const FRAMES = 5;

/** ADTS (ISO/IEC 14496-3, section 1.A.2.2): AAC-LC, 48 kHz, two channels, without a checksum. */
function adts(frame: Buffer): Buffer {
  const bytes = 7 + frame.length;
  return Buffer.concat([
    Buffer.of(
      0xff,
      0xf1,
      (1 << 6) | (3 << 2),
      (2 << 6) | (bytes >> 11),
      bytes >> 3,
      ((bytes & 7) << 5) | 0x1f,
      0xfc,
    ),
    frame,
  ]);
}

test('a decoder makes 1024 silent samples in two channels of each, without a complaint', async () => {
  const decoder = spawn('ffmpeg', [
    ...['-nostdin', '-v', 'warning', '-xerror', '-f', 'aac', '-i', 'pipe:0'],
    ...['-f', 's16le', '-c:a', 'pcm_s16le', 'pipe:1'],
  ]);
  const pcm: Buffer[] = [];
  let words = '';
  decoder.stdout.on('data', (chunk: Buffer) => pcm.push(chunk));
  decoder.stderr.on('data', (chunk: Buffer) => (words += chunk));
  decoder.stdin.end(Buffer.concat(new Array(FRAMES).fill(adts(SILENT_AAC))));
  const [code] = await once(decoder, 'close');
  expect([code, words.replaceAll(/.*Estimating duration from bitrate.*\n/g, '')]).toEqual([0, '']);
  const sound = Buffer.concat(pcm);
  // Two channels of 16 bits.
  expect(sound.length).toBe(FRAMES * AAC_SAMPLES * 2 * 2);
  expect(sound.every((byte) => byte === 0)).toBe(true);
});
