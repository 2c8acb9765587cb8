import { describe, expect, test } from 'vitest';
import { VIDEO_CODECS } from '../../../../src/media/access-unit.ts';
import { DEFAULT_ENCODING, programArguments } from '../../../../transcode/ffmpeg/program-arguments.ts';

const valueBehind = (args: readonly string[], name: string) => args[args.indexOf(name) + 1];
const from = (args: readonly string[], name: string) => args.slice(args.indexOf(name));

test('everything behind the decoder depends on the encoding alone', () => {
  const all = VIDEO_CODECS.map((codec) => programArguments({ codec }, DEFAULT_ENCODING));
  for (const args of all) expect(from(args, '-vf')).toEqual(from(all[0]!, '-vf'));
  expect(all.map((args) => args.slice(0, args.indexOf('-i')).includes('hevc'))).toEqual([
    ...[false, true, false, false, false],
  ]);
});

test.each([
  ['-b:v', '3000000'],
  ['-maxrate', '3000000'],
  ['-bufsize', '3000000'],
  ['-preset', 'veryfast'],
  ['-profile:v', 'main'],
  // Four times as far apart as those that are forced.
  ['-g', '300'],
  ['-force_key_frames', 'expr:isnan(prev_forced_t)+gte(t,prev_forced_t+2.980000)+eq(mod(round(t*4000),2),1)'],
  ['-x264-params', 'fps=25:range=tv:colorprim=bt709:transfer=bt709:colormatrix=bt709:chromaloc=0'],
])('%s %s', (name, value) => {
  const encoding = {
    ...{ width: 1920, height: 1080, frameRate: 25, bitrateBps: 3_000_000 },
    ...{ keyFrameSeconds: 3, preset: 'veryfast' },
  };
  expect(valueBehind(programArguments({ codec: 'VP8' }, encoding), name)).toBe(value);
});

describe('filters', () => {
  const filters = (frameRate: number) =>
    valueBehind(programArguments({ codec: 'VP8' }, { ...DEFAULT_ENCODING, frameRate }), '-vf')!;

  test('fit the picture into what is encoded', () => {
    expect(filters(30)).toContain(
      "scale=w='max(2,2*round(min(1280,720*iw/ih)/2))':h='max(2,2*round(min(720,1280*ih/iw)/2))'",
    );
    expect(filters(30)).toContain('pad=1280:720:-1:-1');
  });

  /** FFmpeg's expression, as far as it is used, on a picture of each time. */
  function selected(frameRate: number, timesMs: readonly number[], hidden: readonly number[] = []): number[] {
    const expression = /select='([^']*)'/.exec(filters(frameRate))![1]!;
    const stored = [0];
    const functions = {
      if: (condition: () => number, yes: () => number, no: () => number) => (condition() ? yes() : no()),
      gte: (a: number, b: number) => Number(a >= b),
      lt: (a: number, b: number) => Number(a < b),
      mod: (a: number, b: number) => a % b,
      max: Math.max,
      ld: (index: number) => stored[index]!,
      st: (index: number, value: number) => {
        stored[index] = value;
        return value;
      },
    };
    const [, condition, yes, no] = /^if\((lt.*\)),(1\+0\*st\(.*\)),(0)\)$/.exec(expression)!;
    const names = Object.keys(functions).filter((name) => name !== 'if');
    const compile = (text: string) => new Function(...names, 't', 'pts', `return ${text}`);
    const [when, then, otherwise] = [condition!, yes!, no!].map(compile);
    const values = names.map((name) => functions[name as keyof typeof functions]);
    return timesMs.filter((timeMs) => {
      const pts = 4 * timeMs + (hidden.includes(timeMs) ? 2 : 0);
      return (when!(...values, timeMs / 1000, pts) ? then! : otherwise!)(...values, timeMs / 1000, pts) > 0;
    });
  }
  const times = (rate: number, count: number) =>
    Array.from({ length: count }, (_, index) => 10_000 + Math.round((index * 1000) / rate));

  test.each([
    ['as many as there may be', 30, 30, 90, 90],
    ['29.97', 30, 30_000 / 1001, 90, 90],
    ['fewer', 30, 15, 45, 45],
    ['twice as many', 30, 60, 180, 90],
    ['four times as many', 15, 60, 180, 45],
    ['50', 30, 50, 150, 90],
  ])('pass, of %s, at most %i a second', (_, limit, rate, count, expected) => {
    expect(Math.abs(selected(limit, times(rate, count)).length - expected)).toBeLessThanOrEqual(1);
  });

  test('pass every second of twice as many, at an even pace', () => {
    const all = times(60, 120);
    expect(selected(30, all)).toEqual(all.filter((_, index) => index % 2 === 0));
  });

  test('pass those that waver', () => {
    const all = times(30, 90).map((time, index) => time + ((index * 5) % 14));
    expect(selected(30, all)).toEqual(all);
  });

  test('make up for no pause', () => {
    const all = [10_000, 20_000, 20_005, 20_010, 20_015, 20_020, 20_035];
    expect(selected(30, all)).toEqual([10_000, 20_000, 20_020]);
  });

  test('let hidden ones count for nothing', () => {
    expect(selected(30, [10_000, 10_010, 10_033], [10_000])).toEqual([10_010, 10_033]);
  });
});
