import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type AccessUnit, isVideo, type VideoFormat } from '../../../../src/media/access-unit.ts';
import { wholeMs } from '../../../../src/media/containers/flv/flv-body.ts';
import { DEFAULT_ENCODING } from '../../../../transcode/ffmpeg/program-arguments.ts';
import { Program } from '../../../../transcode/program/program.ts';
import { SILENT_AAC } from '../../../../transcode/program/silence.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { videoJobs } from '../../support/fake-jobs.ts';
import { aacJobs, ENCODED_RECORD, SLATE, slateRequests } from '../../support/fake-program-jobs.ts';
import { withLengths } from '../../support/nal-units.ts';
import { ENCODED_KEY, INTER, KEY } from '../../support/picture-path.ts';
import { HUB, PUSH } from '../../support/program-video.ts';

vi.mock(import('../../../../transcode/ffmpeg/video-transcoder.ts'), async () => {
  const { FakeVideoTranscoder } = await import('../../support/fake-jobs.ts');
  return { VideoTranscoder: FakeVideoTranscoder } as never;
});
vi.mock(import('../../../../transcode/ffmpeg/aac-encoder.ts'), async () => {
  const { FakeAacEncoder } = await import('../../support/fake-program-jobs.ts');
  return { AacEncoder: FakeAacEncoder } as never;
});
vi.mock(import('../../../../transcode/ffmpeg/slate.ts'), async () => {
  const { fakeEncodeSlate } = await import('../../support/fake-program-jobs.ts');
  return { encodeSlate: fakeEncodeSlate } as never;
});
beforeEach(() => {
  for (const jobs of [videoJobs, aacJobs, slateRequests]) jobs.splice(0);
});

const TICK_MS = 20;
/** Sound that is later does not come any more. */
const LATEST_MS = 1_500;
const FRAME_MS = 1024 / 48;

/** @param epochAgoMs - how long ago the program's time began */
function running(epochAgoMs = 0) {
  const clock = new FakeClock();
  clock.advance(500_000); // the process is older than the program
  const units: AccessUnit[] = [];
  const deaths: string[] = [];
  const program = new Program({
    clock,
    encoding: DEFAULT_ENCODING,
    audioBitrateBps: 128_000,
    title: 'A room',
    epochAt: clock.now() - epochAgoMs,
    mixDelayMs: () => 0,
    onDeath: (what, cause) => deaths.push(`${what}: ${cause}`),
    onPlan: () => {},
  });
  const unsubscribe = program.subscribe((unit) => units.push(unit));
  /** One frame of the source. */
  const receive = (key: boolean, { format = PUSH, dueAt = clock.now() }: Partial<Due> = {}) =>
    program.video.receive('a', {
      ...{ format, data: withLengths([key ? KEY : INTER]), key, disposable: false, discontinuity: false },
      ...{ dtsUs: dueAt * 1000, ptsUs: dueAt * 1000, dueAt, keyFrameGapMs: 2_000, audioLateMs: 0 },
    });
  const ticks = (count: number) => {
    for (let index = 0; index < count; index++) {
      program.audio.tick(new Uint8Array(3_840));
      clock.advance(TICK_MS);
      while (aacJobs.at(-1)!.canGive) aacJobs.at(-1)!.give();
    }
  };
  return { clock, program, units, deaths, receive, ticks, unsubscribe };
}

interface Due {
  readonly format: VideoFormat;
  readonly dueAt: number;
}

/** A key frame comes out of the encoder. */
function encode(): void {
  const [job] = videoJobs;
  job!.options.onConfig(ENCODED_RECORD);
  job!.give({ data: withLengths([ENCODED_KEY]), timestampMs: job!.fed.at(-1)!.timestampMs, key: true });
}

/** In short: V key frame, v another, S silence, a sound; and the time in whole ms. */
function shown(units: readonly AccessUnit[]): string[] {
  return units.map((unit) => {
    const audio = unit.data.equals(SILENT_AAC) ? 'S' : 'a';
    const letter = isVideo(unit) ? (unit.key ? 'V' : 'v') : audio;
    return `${letter}@${wholeMs(unit.dtsUs)}`;
  });
}

function audioOf(units: readonly AccessUnit[]): AccessUnit[] {
  return units.filter((unit) => !isVideo(unit));
}

test('its time begins at 10 s, so that frames from before it have a time', () => {
  const { clock, program, receive, units } = running();
  void program.video.show('a');
  for (const ago of [900, 400, 0]) receive(ago === 900, { dueAt: clock.now() - ago });
  expect(shown(units)).toEqual(['V@9100', 'v@9600', 'v@10000']);
});

describe('a program that goes on with one made elsewhere has the time of that one', () => {
  const AGO_MS = 200_000;

  test('in its video and its audio', () => {
    const { program, receive, ticks, units } = running(AGO_MS);
    ticks(3);
    void program.video.show('a');
    receive(true);
    ticks(10);
    const [first] = units.filter((unit) => isVideo(unit));
    expect(shown([first!])).toEqual([`V@${10_000 + AGO_MS + 3 * TICK_MS}`]);
    expect(shown(audioOf(units))[0]).toBe(`a@${10_000 + AGO_MS}`);
  });

  test('in its slate', async () => {
    const { clock, program, units } = running(AGO_MS);
    clock.advance(300);
    await program.video.show(undefined);
    slateRequests[0]!.succeed(SLATE);
    await slateRequests[0]!.slate;
    await Promise.resolve();
    expect(shown(units)[0]).toBe(`V@${10_000 + AGO_MS + 300}`);
    await program.close();
  });

  test('in the silence that goes out before there is any sound', () => {
    const { clock, program, receive, units } = running(AGO_MS);
    void program.video.show('a');
    receive(true);
    clock.advance(2_000);
    receive(false);
    expect(shown(audioOf(units))[0]).toBe(`S@${10_000 + AGO_MS}`);
  });
});

test('before there is any sound, silence goes out with the video', () => {
  const { clock, program, receive, units, ticks } = running();
  void program.video.show('a');
  for (let ms = -2_960; ms <= 0; ms += 40) receive(ms === -2_960, { dueAt: clock.now() + ms });
  const silence = audioOf(units);
  expect(shown(silence)[0]).toBe('S@7040');
  expect(silence.at(-1)!.dtsUs / 1000).toBeGreaterThan(10_000 - LATEST_MS - 2 * FRAME_MS);
  ticks(10);
  const times = audioOf(units).map(({ dtsUs }) => dtsUs / 1000);
  const distances = times.slice(1).map((time, index) => time - times[index]!);
  // Sound has times of its own: where it begins, it is up to half a frame from where silence would have gone on.
  const off = distances.map((distance) => Math.abs(distance - FRAME_MS)).filter((ms) => ms > 0.002);
  expect(off.length).toBeLessThanOrEqual(1);
  for (const ms of off) expect(ms).toBeLessThanOrEqual(FRAME_MS / 2 + 0.002);
});

test('audio does not stop when the mix and its encoder do', () => {
  const { clock, program, receive, units, ticks } = running();
  const begunAt = clock.now();
  void program.video.show('a');
  receive(true);
  ticks(10);
  for (let index = 0; index < 50; index++) {
    clock.advance(40);
    receive(false);
  }
  const last = audioOf(units).at(-1)!;
  expect(shown([last])[0]).toMatch(/^S/);
  const nowMs = clock.now() - begunAt + 10_000;
  expect(last.dtsUs / 1000).toBeGreaterThan(nowMs - LATEST_MS - 3 * FRAME_MS);
});

describe('whoever joins', () => {
  test('is given what came since the last key frame, each unit with how to decode it', () => {
    const { clock, program, receive, ticks } = running();
    expect([program.video.format, program.recent]).toEqual([undefined, []]);
    void program.video.show('a');
    receive(true);
    ticks(5);
    receive(false);
    const { recent } = program;
    expect(shown(recent).filter((one) => one.startsWith('V'))).toEqual(['V@10000']);
    expect(shown(recent)[0]).toBe('V@10000');
    expect(shown(recent).filter((one) => one.startsWith('a')).length).toBeGreaterThan(2);
    const formats = [...new Set(recent.map(({ format }) => format))];
    expect(formats).toMatchObject([
      { kind: 'video', codec: 'H264', record: PUSH.record },
      { kind: 'audio', codec: 'AAC', config: Buffer.from('1190', 'hex') },
    ]);
    clock.advance(40);
    receive(true);
    expect(shown(program.recent)[0]).toBe('V@10140');
  });

  test('after another format gets none of what was before it', () => {
    const { clock, program, receive } = running();
    void program.video.show('a');
    receive(true);
    clock.advance(40);
    receive(true, { format: HUB });
    expect(program.recent).toHaveLength(1);
    const counts: number[] = [];
    program.subscribe(() => counts.push(program.recent.length));
    encode();
    // Nothing is left of the copied ones as soon as the first of the others is told.
    expect(counts).toEqual([1]);
    expect(program.recent[0]!.data).toEqual(withLengths([ENCODED_KEY]));
    expect(program.recent[0]!.format).toMatchObject({ record: ENCODED_RECORD });
  });

  test('and leaves gets no more', () => {
    const { program, receive, units, unsubscribe } = running();
    const others: AccessUnit[] = [];
    program.subscribe((unit) => others.push(unit));
    void program.video.show('a');
    receive(true);
    expect(program.listenerCount).toBe(2);
    unsubscribe();
    unsubscribe();
    receive(false);
    expect([units.length, program.listenerCount]).toEqual([1, 1]);
    expect(others.filter((unit) => isVideo(unit))).toHaveLength(2);
  });
});

test('its description leaves out what is not known', () => {
  const { clock, program, receive } = running();
  const audio = { audioBitrateBps: 128_000, audioSampleRate: 48_000, audioChannels: 2 };
  expect(program.description).toEqual(audio);
  void program.video.show('a');
  receive(true);
  expect(program.description).toEqual({ ...audio, width: 640, height: 360 });
  clock.advance(40);
  receive(true, { format: HUB });
  encode();
  const encoded = { width: 640, height: 360, frameRate: 30, videoBitrateBps: 2_500_000 };
  expect(program.description).toEqual({ ...audio, ...encoded });
});

test('deaths of its children are told by what they were', () => {
  const { program, receive, deaths } = running();
  void program.video.show('a');
  receive(true, { format: HUB });
  videoJobs[0]!.options.onEnd('killed by SIGKILL');
  aacJobs[0]!.options.onEnd('exit code 1');
  expect(deaths).toEqual(['picture encoder: killed by SIGKILL', 'audio encoder: exit code 1']);
});

test('closed, it leaves no timer, no child and no listener', async () => {
  const { clock, program, receive, units } = running();
  await program.video.show(undefined);
  void program.video.show('a');
  receive(true, { format: HUB });
  await program.close();
  expect([clock.pending, program.listenerCount]).toEqual([0, 0]);
  expect([...videoJobs, ...aacJobs].every(({ stopped }) => stopped)).toBe(true);
  receive(true, { format: HUB });
  program.audio.tick(new Uint8Array(3_840));
  expect(units).toEqual([]);
});
