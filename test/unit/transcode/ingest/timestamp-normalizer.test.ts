import { describe, expect, test } from 'vitest';
import { type StreamKind, TimestampNormalizer } from '../../../../transcode/ingest/timestamp-normalizer.ts';
import { seededRandom } from '../../../signals/random.ts';

const MINUTE_MS = 60_000;
const TURN = 2 ** 32;
/** Of what `stream` sends: a picture is shown at a whole frame's time. */
const FRAME_MS = 40;

/** One message: what it is, its time in the source, and when it comes. */
type Message = readonly [kind: StreamKind, timestamp: number, now: number];

function mended(messages: readonly Message[], normalizer = new TimestampNormalizer()): number[] {
  return messages.map(([kind, timestamp, now]) => normalizer.mend(kind, timestamp % TURN, now));
}

/** @returns what each is after the one before, ms */
function distances(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

/**
 * Sound and pictures in turn, as they come without any delay.
 * @param clock - the source's time for a moment of the encoder, by kind
 */
function stream(
  fromMs: number,
  toMs: number,
  clock: (ms: number, kind: StreamKind) => number = (ms) => ms,
): Message[] {
  const messages: Message[] = [];
  for (let ms = fromMs; ms < toMs; ms += FRAME_MS) {
    messages.push(['audio', clock(ms, 'audio'), ms], ['video', clock(ms, 'video'), ms]);
  }
  return messages;
}

/** By how much pictures are off from the sound that belongs to them, at the most and in the end; ms. */
function apart(
  messages: readonly Message[],
  normalizer = new TimestampNormalizer(),
): { most: number; last: number } {
  const times = mended(messages, normalizer);
  let most = 0;
  let last = 0;
  for (let index = 0; index + 1 < times.length; index += 2) {
    last = Math.abs(times[index]! - times[index + 1]!);
    most = Math.max(most, last);
  }
  return { most, last };
}

describe('times that are in order keep their distances', () => {
  test.each<[string, number, number]>([
    ['from 0', 0, 25],
    ['from anywhere', 123_456, 25],
    ['past 2^32', TURN - 5_000, 25],
    ['past 2^31', 2 ** 31 - 5_000, 25],
  ])('%s', (_, start) => {
    const messages: Message[] = Array.from({ length: 500 }, (__, index) => [
      'video',
      start + 25 * index,
      25 * index,
    ]);
    const normalizer = new TimestampNormalizer();
    expect(new Set(distances(mended(messages, normalizer)))).toEqual(new Set([25]));
    expect(normalizer.repairs).toEqual({ jumps: 0, steps: 0 });
  });

  test('however often they pass 2^32, with the other stream before and behind it', () => {
    const normalizer = new TimestampNormalizer();
    // A turn takes 49 days: a source that counts it in 14 hours is as good.
    const messages: Message[] = [];
    for (let ms = 0; ms < 5 * TURN; ms += 2 ** 30) {
      messages.push(['audio', ms, ms], ['video', ms + 20, ms], ['audio', ms + 40, ms]);
    }
    const times = mended(messages, normalizer);
    expect(times.at(-1)! - times[0]!).toBe(messages.at(-1)![1]);
    expect(normalizer.repairs).toEqual({ jumps: 0, steps: 0 });
  });

  test('when they come late, and all at once', () => {
    const normalizer = new TimestampNormalizer();
    const messages = stream(0, 2_000);
    const stalled = stream(2_000, 14_000).map(([kind, timestamp]): Message => [kind, timestamp, 14_000]);
    const times = mended([...messages, ...stalled], normalizer);
    expect(times.at(-1)! - times.at(0)!).toBe(13_960);
    expect(normalizer.repairs).toEqual({ jumps: 0, steps: 0 });
  });

  test.each([200, -200])('when its clock runs %i ppm fast, for an hour', (ppm) => {
    const normalizer = new TimestampNormalizer();
    const rate = 1 + ppm / 1e6;
    const { most } = apart(
      stream(0, 60 * MINUTE_MS, (ms) => Math.floor(ms * rate)),
      normalizer,
    );
    expect(most).toBe(0);
    expect(normalizer.repairs).toEqual({ jumps: 0, steps: 0 });
    const last = normalizer.mend('video', Math.floor(60 * MINUTE_MS * rate), 60 * MINUTE_MS);
    const first = new TimestampNormalizer().mend('video', 0, 0);
    expect(last - first).toBe(Math.floor(60 * MINUTE_MS * rate));
  });
});

describe('the second stream', () => {
  test.each<[string, number, number, number]>([
    ['begins with the first', 0, 0, 0],
    ['begins a little before it', 50, 20, -30],
    ['begins before it, on the other side of 2^32', 10, TURN - 20, -30],
    ['begins a minute later, on the same clock', 1_000, 61_000, 60_000],
  ])('%s: they are as far apart as they say', (_, first, second, difference) => {
    const normalizer = new TimestampNormalizer();
    const at = normalizer.mend('video', first, 1_000);
    expect(normalizer.mend('audio', second, 1_000 + Math.max(0, difference)) - at).toBe(difference);
  });

  test.each<[string, number]>([
    ['at 0', 0],
    ['an hour ahead', 3_660_000],
  ])('begins a minute later %s, on a clock of its own: it is taken as it comes', (_, timestamp) => {
    const normalizer = new TimestampNormalizer();
    const at = normalizer.mend('video', 1_000, 1_000);
    expect(normalizer.mend('audio', timestamp, 61_000) - at).toBe(60_000);
    expect(normalizer.mend('audio', timestamp + 20, 61_020) - at).toBe(60_020);
  });
});

describe('a jump of both', () => {
  test.each<[string, number]>([
    ['an hour ahead', 3_600_000],
    ['an hour back', -3_600_000],
    ['4 s ahead', 4_000],
    ['4 s back', -4_000],
    ['half a turn', 2 ** 31],
  ])('%s: they go on, and stay together', (_, jumpMs) => {
    const normalizer = new TimestampNormalizer();
    const start = 10_000_000;
    const messages = stream(0, 20_000, (ms) => start + ms + (ms >= 10_000 ? jumpMs : 0));
    const times = mended(messages, normalizer);
    expect(apart(messages).most).toBe(0);
    expect(normalizer.repairs).toEqual({ jumps: 2, steps: 0 });
    expect(times.at(-1)! - times[0]!).toBe(19_960);
  });

  test('back to 0, with sound a bit before the pictures: it stays as far before them', () => {
    const aheadMs = 66;
    const clock = (ms: number, kind: StreamKind) =>
      100_000 + ms + (kind === 'video' ? aheadMs : 0) - (ms >= 5_000 ? 105_000 : 0);
    const { most, last } = apart(stream(0, 10_000, clock));
    expect([most, last]).toEqual([aheadMs, aheadMs]);
  });

  // By their own distances one of them jumped, and the other did not quite.
  test.each([2_980, 3_000, 3_020, -2_980, -3_040, -3_050])(
    'by %i ms, about as far as is a jump: they stay together',
    (jumpMs) => {
      const isOdd = (ms: number) => (ms / FRAME_MS) % 2 === 1;
      const clock = (ms: number, kind: StreamKind) => {
        const uneven = kind === 'video' ? 60 + (isOdd(ms) ? 15 : 0) : 0;
        return 100_000 + ms + uneven + (ms >= 5_000 ? jumpMs : 0);
      };
      const messages = stream(0, 15_000, clock).map(([kind, timestamp, now]): Message => {
        const late = kind === 'video' && isOdd(now) ? 30 : 0;
        return [kind, timestamp, now + late];
      });
      expect(apart(messages).last).toBe(60);
    },
  );
});

describe('a jump of one only', () => {
  test.each([30_000, -30_000])(
    'by %i ms: it goes on from where it was, and the other does not mind',
    (jumpMs) => {
      const normalizer = new TimestampNormalizer();
      const messages = stream(0, 10_000, (ms, kind) =>
        kind === 'audio' && ms >= 5_000 ? 100_000 + ms + jumpMs : 100_000 + ms,
      );
      const times = mended(messages, normalizer);
      expect(normalizer.repairs).toEqual({ jumps: 1, steps: 0 });
      expect(apart(messages).most).toBe(0);
      expect(times.at(-1)! - times[0]!).toBe(9_960);
    },
  );

  test('a jump from a clock of its own to the one of the other stream joins that', () => {
    const normalizer = new TimestampNormalizer();
    const messages = stream(0, 10_000, (ms, kind) => (kind === 'audio' && ms < 5_000 ? ms + 1e6 : ms));
    const { most, last } = apart(messages, normalizer);
    expect([most, last]).toEqual([0, 0]);
    expect(normalizer.repairs.jumps).toBe(1);
  });
});

describe('no jump is', () => {
  test.each([10_000, 120_000])('a pause of %i ms in the source and here', (pauseMs) => {
    const normalizer = new TimestampNormalizer();
    const [before, after] = mended(
      [
        ['video', 0, 0],
        ['video', pauseMs, pauseMs],
      ],
      normalizer,
    );
    expect(after! - before!).toBe(pauseMs);
    expect(normalizer.repairs.jumps).toBe(0);
  });

  test('a pause here that the source does not count', () => {
    const normalizer = new TimestampNormalizer();
    const [before, after] = mended(
      [
        ['video', 0, 0],
        ['video', 40, 9_000],
      ],
      normalizer,
    );
    expect(after! - before!).toBe(40);
    expect(normalizer.repairs.jumps).toBe(0);
  });

  // OBS leaves pictures out while its connection stands still, but no sound; then all comes at once.
  test('what is left out of the pictures when the connection stood still', () => {
    const normalizer = new TimestampNormalizer();
    const messages: Message[] = [
      ...stream(0, 2_000),
      ...stream(2_000, 10_000)
        .filter(([kind, timestamp]) => kind === 'audio' || timestamp < 3_000 || timestamp >= 9_000)
        .map(([kind, timestamp]): Message => [kind, timestamp, 10_000]),
      ...stream(10_000, 12_000),
    ];
    const times = mended(messages, normalizer);
    expect(normalizer.repairs).toEqual({ jumps: 0, steps: 0 });
    expect(times.at(-1)).toBe(times.at(-2));
  });
});

test('times with fractions keep their distances to within a millisecond, however many there are', () => {
  const normalizer = new TimestampNormalizer();
  const frameMs = 1024 / 48;
  const times = Array.from({ length: 10_000 }, (_, index) => {
    const ms = frameMs * index;
    return normalizer.mend('audio', ms, ms) - ms;
  });
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(1);
  expect(normalizer.repairs).toEqual({ jumps: 0, steps: 0 });
});

test('a small step back is held until the time is where it was', () => {
  const normalizer = new TimestampNormalizer();
  const times = mended(
    [
      ['video', 1_000, 0],
      ['video', 960, 40],
      ['video', 980, 60],
      ['video', 1_040, 80],
    ],
    normalizer,
  );
  expect(distances(times)).toEqual([0, 0, 40]);
  expect(normalizer.repairs).toEqual({ jumps: 0, steps: 2 });
});

test('whatever comes, times are whole, never go back, and never run away', () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const normalizer = new TimestampNormalizer();
    const last: Partial<Record<StreamKind, number>> = {};
    let now = random() * 1e6;
    let timestamp = random() * TURN;
    for (let message = 0; message < 200; message++) {
      const kind = random() < 0.5 ? 'audio' : 'video';
      const chance = random();
      if (chance < 0.05) timestamp = random() * TURN;
      else if (chance < 0.15) timestamp += (random() - 0.5) * 8_000;
      else timestamp += random() * 60;
      now += chance > 0.95 ? random() * 8_000 : random() * 60;
      const time = normalizer.mend(kind, ((Math.floor(timestamp) % TURN) + TURN) % TURN, now);
      const step = time - (last[kind] ?? time);
      if (!(step >= 0 && step < MINUTE_MS) || !Number.isInteger(time)) {
        broken.push(`seed ${seed}, message ${message}: ${step} to ${time}`);
      }
      last[kind] = time;
    }
  }
  expect(broken).toEqual([]);
});
