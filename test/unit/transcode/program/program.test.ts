import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parseFlvAudio, parseFlvVideo } from '../../../../src/media/containers/flv/flv.ts';
import type { ProgramPacket } from '../../../../src/media/program.ts';
import { DEFAULT_ENCODING } from '../../../../transcode/ffmpeg/program-arguments.ts';
import { Program } from '../../../../transcode/program/program.ts';
import { SILENT_AAC } from '../../../../transcode/program/silence.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { videoJobs } from '../../support/fake-jobs.ts';
import { aacJobs, cardRequests, ENCODED_RECORD } from '../../support/fake-program-jobs.ts';
import { withLengths } from '../../support/nal-units.ts';
import { ENCODED_KEY, INTER, KEY } from '../../support/picture-path.ts';
import { HUB, PUSH } from '../../support/program-pictures.ts';

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
  for (const jobs of [videoJobs, aacJobs, cardRequests]) jobs.splice(0);
});

const TICK_MS = 20;
/** Sound that is later does not come any more. */
const LATEST_MS = 1_500;

function running() {
  const clock = new FakeClock();
  clock.advance(5_000); // the process is older than the program
  const packets: ProgramPacket[] = [];
  const deaths: string[] = [];
  const program = new Program({
    clock,
    encoding: DEFAULT_ENCODING,
    audioBitrateBps: 128_000,
    title: 'A room',
    mixDelayMs: () => 0,
    onDeath: (what, cause) => deaths.push(`${what}: ${cause}`),
    onPlan: () => {},
  });
  const unsubscribe = program.subscribe((packet) => packets.push(packet));
  const picture = (key: boolean, dueAt = clock.now()) =>
    program.picture.receive('a', {
      ...{ data: withLengths([key ? KEY : INTER]), key, disposable: false },
      ...{ decodeMs: dueAt, showMs: dueAt, dueAt, keyFrameGapMs: 2_000, soundLateMs: 0 },
    });
  const ticks = (count: number) => {
    for (let index = 0; index < count; index++) {
      program.sound.tick(new Uint8Array(3_840));
      clock.advance(TICK_MS);
      while (aacJobs.at(-1)!.canGive) aacJobs.at(-1)!.give();
    }
  };
  return { clock, program, packets, deaths, picture, ticks, unsubscribe };
}

/** In short: V0 configuration, V key frame, v another, S silence, a sound; and the time. */
function shown(packets: readonly ProgramPacket[]): string[] {
  return packets.map(({ kind, packet, key, timestampMs, body }) => {
    const isSilence = kind === 'audio' && parseFlvAudio(body)!.data.equals(SILENT_AAC);
    const letter = packet === 'config' ? 'V0' : kind === 'video' ? (key ? 'V' : 'v') : isSilence ? 'S' : 'a';
    return `${letter}@${timestampMs}`;
  });
}

test('its time begins at 10 s, so that pictures from before it have a time', () => {
  const { clock, program, picture, packets } = running();
  void program.picture.show('a');
  program.picture.configure('a', PUSH);
  for (const ago of [900, 400, 0]) picture(ago === 900, clock.now() - ago);
  expect(shown(packets)).toEqual(['V0@0', 'V@9100', 'v@9600', 'v@10000']);
});

test('before there is any sound, silence goes out with the pictures', () => {
  const { clock, program, picture, packets, ticks } = running();
  void program.picture.show('a');
  program.picture.configure('a', PUSH);
  for (let ms = -2_960; ms <= 0; ms += 40) picture(ms === -2_960, clock.now() + ms);
  const sound = packets.filter(({ kind }) => kind === 'audio');
  expect(shown(sound)[0]).toBe('S@7040');
  expect(sound.at(-1)!.timestampMs).toBeGreaterThan(10_000 - LATEST_MS - (2 * 1024) / 48);
  ticks(10);
  const times = packets.filter(({ kind }) => kind === 'audio').map(({ timestampMs }) => timestampMs);
  const distances = times.slice(1).map((time, index) => time - times[index]!);
  // Sound has times of its own: where it begins, it is up to half a frame from where silence would have gone on.
  const uneven = distances.filter((distance) => distance !== 21 && distance !== 22);
  expect(uneven.length).toBeLessThanOrEqual(1);
  for (const distance of uneven) expect(Math.abs(distance - 1024 / 48)).toBeLessThanOrEqual(512 / 48 + 1);
});

test('sound does not stop when the mix and its encoder do', () => {
  const { clock, program, picture, packets, ticks } = running();
  void program.picture.show('a');
  program.picture.configure('a', PUSH);
  picture(true);
  ticks(10);
  for (let index = 0; index < 50; index++) {
    clock.advance(40);
    picture(false);
  }
  const sound = packets.filter(({ kind }) => kind === 'audio');
  expect(shown(sound).at(-1)).toMatch(/^S/);
  expect(sound.at(-1)!.timestampMs).toBeGreaterThan(clock.now() + 5_000 - LATEST_MS - 3 * 22);
});

describe('whoever joins', () => {
  test('is told how to decode, and given what came since the last key frame', () => {
    const { clock, program, picture, ticks } = running();
    expect([program.videoConfig, program.recent]).toEqual([undefined, []]);
    expect(parseFlvAudio(program.audioConfig.body)!.packet).toBe('config');
    void program.picture.show('a');
    program.picture.configure('a', PUSH);
    picture(true);
    ticks(5);
    picture(false);
    expect(parseFlvVideo(program.videoConfig!.body)!.data).toEqual(PUSH.record);
    expect(shown(program.recent).filter((one) => one.startsWith('V'))).toEqual(['V@10000']);
    expect(program.recent[0]!.key && program.recent[0]!.kind).toBe('video');
    expect(shown(program.recent).filter((one) => one.startsWith('a')).length).toBeGreaterThan(2);
    expect(program.recent.every(({ packet }) => packet === 'frame')).toBe(true);
    clock.advance(40);
    picture(true);
    expect(shown(program.recent)[0]).toBe('V@10140');
  });

  test('after another configuration gets none of what was before it', () => {
    const { clock, program, picture } = running();
    void program.picture.show('a');
    program.picture.configure('a', PUSH);
    picture(true);
    program.picture.configure('a', HUB);
    clock.advance(40);
    picture(true);
    const [job] = videoJobs;
    job!.options.onConfig(ENCODED_RECORD);
    expect(program.recent).toHaveLength(1);
    const configs: number[] = [];
    program.subscribe(({ packet }) => configs.push(packet === 'config' ? program.recent.length : -1));
    job!.give({ data: withLengths([ENCODED_KEY]), timestampMs: job!.fed.at(-1)!.timestampMs, key: true });
    // Nothing is left of the copied ones as soon as the configuration is told.
    expect(configs[0]).toBe(0);
    expect(parseFlvVideo(program.recent[0]!.body)!.data).toEqual(withLengths([ENCODED_KEY]));
    expect(parseFlvVideo(program.videoConfig!.body)!.data).toEqual(ENCODED_RECORD);
  });

  test('and leaves gets no more', () => {
    const { program, picture, packets, unsubscribe } = running();
    const others: ProgramPacket[] = [];
    program.subscribe((packet) => others.push(packet));
    void program.picture.show('a');
    program.picture.configure('a', PUSH);
    picture(true);
    expect(program.listenerCount).toBe(2);
    unsubscribe();
    unsubscribe();
    picture(false);
    expect([packets.length, program.listenerCount]).toEqual([2, 1]);
    expect(others.filter(({ kind }) => kind === 'video')).toHaveLength(3);
  });
});

test('what it is, for onMetaData: what is not known is absent', () => {
  const { clock, program, picture } = running();
  const sound = { audioBitrateBps: 128_000, audioSampleRate: 48_000, audioChannels: 2 };
  expect(program.description).toEqual(sound);
  void program.picture.show('a');
  program.picture.configure('a', PUSH);
  picture(true);
  expect(program.description).toEqual({ ...sound, width: 640, height: 360 });
  program.picture.configure('a', HUB);
  clock.advance(40);
  picture(true);
  const [job] = videoJobs;
  job!.options.onConfig(ENCODED_RECORD);
  job!.give({ data: withLengths([ENCODED_KEY]), timestampMs: job!.fed.at(-1)!.timestampMs, key: true });
  const encoded = { width: 640, height: 360, frameRate: 30, videoBitrateBps: 2_500_000 };
  expect(program.description).toEqual({ ...sound, ...encoded });
});

test('deaths of its children are told by what they were', () => {
  const { program, picture, deaths } = running();
  void program.picture.show('a');
  program.picture.configure('a', HUB);
  picture(true);
  videoJobs[0]!.options.onEnd('killed by SIGKILL');
  aacJobs[0]!.options.onEnd('exit code 1');
  expect(deaths).toEqual(['picture encoder: killed by SIGKILL', 'sound encoder: exit code 1']);
});

test('closed, it leaves no timer, no child and no listener', async () => {
  const { clock, program, picture, packets } = running();
  await program.picture.show(undefined);
  void program.picture.show('a');
  program.picture.configure('a', HUB);
  picture(true);
  await program.close();
  expect([clock.pending, program.listenerCount]).toEqual([0, 0]);
  expect([...videoJobs, ...aacJobs].every(({ stopped }) => stopped)).toBe(true);
  picture(true);
  program.sound.tick(new Uint8Array(3_840));
  expect(packets).toEqual([]);
});
