import { describe, expect, test } from 'vitest';
import type { VideoFormat } from '../../../../src/media/access-unit.ts';
import { serializeAvcConfig } from '../../../../src/media/h264/avc-config.ts';
import { parseSps } from '../../../../src/media/h264/sps.ts';
import { planCopy } from '../../../../transcode/program/copy-plan.ts';
import { BitWriter } from '../../support/bit-writer.ts';
import { PPS } from '../../support/picture-path.ts';
import { SPS_SAMPLES } from '../../support/sps-samples.ts';

function pushed(sps: Buffer, change: Partial<VideoFormat> = {}): VideoFormat {
  const record = serializeAvcConfig({
    ...{ profile: sps[1]!, compatibility: sps[2]!, level: sps[3]! },
    ...{ lengthBytes: 4, sps: [sps], pps: [PPS] },
  });
  return { kind: 'video', codec: 'H264', record, lengthBytes: 4, parameterSets: [sps, PPS], ...change };
}

/** 320x240. @param profile - High and above */
function spsOf(profile: number, chroma: 0 | 1 | 2 | 3, bits: number, interlaced: 0 | 1 = 0): Buffer {
  const writer = new BitWriter().bits(0x67, 8).bits(profile, 8).bits(0, 8).bits(31, 8).ue(0, chroma);
  if (chroma === 3) writer.flags(0);
  writer.ue(bits - 8, bits - 8).flags(0, 0);
  writer.ue(0, 0, 0, 1).flags(0).ue(19, 14);
  writer.flags(...(interlaced ? ([0, 0, 1] as const) : ([1, 1] as const)), 0, 0, 1);
  return writer.bytes();
}

/** Without anything that only a container says. */
const OTHER = { kind: 'video', parameterSets: [] } as const;
const MAIN = Buffer.from(SPS_SAMPLES.find(([what]) => what === 'Main without B-frames')![1], 'hex');

describe("of x264's and others' streams those in 4:2:0, 8 bits, progressive are copied", () => {
  test.each(SPS_SAMPLES)('%s', (_, hex, __, { chromaFormat, bitDepth, interlaced }) => {
    const plan = planCopy(pushed(Buffer.from(hex, 'hex')), 2_000);
    expect(plan.copies).toBe(chromaFormat === 1 && bitDepth === 8 && !interlaced);
  });

  test('there are such and such among them', () => {
    const copied = SPS_SAMPLES.filter(([, hex]) => planCopy(pushed(Buffer.from(hex, 'hex')), 0).copies);
    expect(copied.length).toBeGreaterThan(3);
    expect(copied.length).toBeLessThan(SPS_SAMPLES.length);
  });
});

describe('is not copied', () => {
  test.each<[string, VideoFormat, string]>([
    ['4:2:2', pushed(spsOf(122, 2, 8)), 'its colours are not 4:2:0'],
    ['4:4:4', pushed(spsOf(244, 3, 8)), 'its colours are not 4:2:0'],
    ['grey', pushed(spsOf(100, 0, 8)), 'its colours are not 4:2:0'],
    ['10 bits', pushed(spsOf(110, 1, 10)), 'it has 10 bits a colour'],
    ['interlaced', pushed(spsOf(100, 1, 8, 1)), 'its pictures are interlaced'],
    ['H.265', { ...OTHER, codec: 'H265', lengthBytes: 4 }, 'it is H265, and CDNs take H.264'],
    ['VP8', { ...OTHER, codec: 'VP8' }, 'it is VP8, and CDNs take H.264'],
    ['VP9', { ...OTHER, codec: 'VP9' }, 'it is VP9, and CDNs take H.264'],
    ['AV1', { ...OTHER, codec: 'AV1' }, 'it is AV1, and CDNs take H.264'],
    ["the hub's H.264, without a record", { ...OTHER, codec: 'H264' }, 'it does not come as a push'],
    [
      'short lengths',
      pushed(MAIN, { lengthBytes: 2 }),
      'its NAL units have lengths of 2 bytes, and CDNs expect 4',
    ],
    [
      'a record that is cut off',
      pushed(MAIN, { record: pushed(MAIN).record!.subarray(0, 12) }),
      'its parameter sets cannot be read',
    ],
    ['parameter sets of nonsense', pushed(MAIN.subarray(0, 5)), 'its parameter sets cannot be read'],
  ])('%s', (_, format, reason) => {
    expect(planCopy(format, 2_000)).toEqual({ copies: false, reason });
  });

  test('the parameter sets of this test are what they are said to be', () => {
    expect(parseSps(spsOf(110, 1, 10))).toMatchObject({ chromaFormat: 1, bitDepth: 10, interlaced: false });
    expect(parseSps(spsOf(122, 2, 8))).toMatchObject({ chromaFormat: 2, bitDepth: 8, width: 320 });
    expect(parseSps(spsOf(100, 1, 8, 1))).toMatchObject({ interlaced: true });
    expect(planCopy(pushed(spsOf(100, 1, 8)), 0)).toEqual({ copies: true });
  });
});

describe('key frames', () => {
  test.each([0, 1_000, 4_000, 4_100])('%i ms apart: copied', (gapMs) => {
    expect(planCopy(pushed(MAIN), gapMs)).toEqual({ copies: true });
  });

  test.each([
    [4_101, 4.1],
    [4_200, 4.2],
    [8_340, 8.3],
    [250_000, 250],
  ])('%i ms apart: not copied, with what to do', (gapMs, seconds) => {
    const reason = `key frames are ${seconds} s apart; set the keyframe interval to 2 s to have it copied`;
    expect(planCopy(pushed(MAIN), gapMs)).toEqual({ copies: false, reason });
  });
});
