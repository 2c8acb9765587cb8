import { describe, expect, test } from 'vitest';
import { FrameGate, type GatedFrame, type Verdict } from '../../../../transcode/ffmpeg/frame-gate.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const FRAME_MS = 33;
const MAX_WAIT_MS = 500;

/** A source and a child that takes what is shown; what came out is told by the test. */
class Stream {
  readonly clock = new FakeClock();
  readonly gate = new FrameGate(this.clock, MAX_WAIT_MS);
  readonly verdicts: Verdict[] = [];
  timestampMs = 50_000;
  queuedBytes = 0;
  /** Shown, and not out yet: times in the child. */
  readonly places: number[] = [];

  /** Time passes, and a frame comes. */
  feed(frame: Partial<GatedFrame> = {}): Verdict {
    this.clock.advance(FRAME_MS);
    this.timestampMs += FRAME_MS;
    const whole = { timestampMs: this.timestampMs, key: false, ...frame };
    const verdict = this.gate.judge(whole, this.queuedBytes);
    this.verdicts.push(verdict);
    if (verdict !== 'drop') this.gate.given(whole, verdict);
    if (verdict === 'show') this.places.push(this.gate.place(whole.timestampMs));
    return verdict;
  }

  feedMany(count: number, frame: (index: number) => Partial<GatedFrame> = () => ({})): Verdict[] {
    return Array.from({ length: count }, (_, index) => this.feed(frame(index)));
  }

  /** The oldest frame comes out. */
  come() {
    return this.gate.came(this.places.shift()!);
  }

  /** A stream that runs, with nothing under way. */
  static running(): Stream {
    const stream = new Stream();
    stream.feed({ key: true });
    stream.come();
    for (let count = 0; count < 100; count++) {
      stream.feed();
      stream.come();
    }
    stream.verdicts.length = 0;
    return stream;
  }
}

const count = (verdicts: readonly Verdict[], verdict: Verdict) =>
  verdicts.filter((one) => one === verdict).length;

test('begins with a key frame', () => {
  const stream = new Stream();
  expect(stream.feedMany(4, (index) => ({ key: index === 2 }))).toEqual(['drop', 'drop', 'show', 'show']);
  expect(stream.gate.dropped).toBe(2);
});

test('hidden frames are decoded only, those that no other needs not even that, and none counts as dropped', () => {
  const stream = new Stream();
  expect(stream.feed({ key: true, hidden: true })).toBe('hide');
  expect(stream.feed({ hidden: true })).toBe('hide');
  expect(stream.feed({ hidden: true, disposable: true })).toBe('drop');
  expect(stream.feed({ disposable: true })).toBe('show');
  expect(stream.gate.dropped).toBe(0);
});

test('says when a frame came out and how long it took, by the time it was fed with', () => {
  const stream = new Stream();
  stream.timestampMs = 777_000.25;
  stream.feed({ key: true });
  stream.clock.advance(12);
  expect(stream.come()).toEqual({ timestampMs: 777_033.25, latencyMs: 12 });
  expect(stream.gate.underWay).toBe(0);
});

test('frames come out in the order they are shown, and what is missing between them is lost', () => {
  const { gate } = new Stream();
  for (const [index, timestampMs] of [1000, 1120, 1080, 1040].entries()) {
    gate.judge({ timestampMs, key: index === 0 }, 0);
    gate.given({ timestampMs, key: index === 0 }, 'show');
  }
  const times = [1000, 1040, 1120].map((ms) => gate.came(gate.place(ms)).timestampMs);
  expect(times).toEqual([1000, 1040, 1120]);
  expect(gate.dropped).toBe(1);
  expect(gate.underWay).toBe(0);
});

test('a frame may be shown before the first one, but not 10 s before', () => {
  const { gate } = new Stream();
  gate.judge({ timestampMs: 50_000, key: true }, 0);
  expect(gate.place(40_001)).toBeGreaterThan(0);
  expect(gate.judge({ timestampMs: 39_000, key: true }, 0)).toBe('drop');
});

test('a start may take as long as it likes, and two seconds to work off what gathered', () => {
  const stream = new Stream();
  stream.feedMany(100, (index) => ({ key: index === 0, disposable: index % 2 === 1 }));
  stream.come();
  stream.feedMany(60);
  expect(count(stream.verdicts, 'show')).toBe(160);
  stream.clock.advance(100);
  expect(stream.feed({ disposable: true })).toBe('drop');
});

describe('a child that falls behind', () => {
  test('gets no disposable frames and half of the others, then is only to decode, then nothing', () => {
    const stream = Stream.running();
    const verdicts = stream.feedMany(70, (index) => ({ disposable: index % 4 === 3 }));
    const at = (ms: number) => Math.round(ms / FRAME_MS);
    expect(verdicts.slice(0, at(250))).not.toContain('drop');
    const half = verdicts.slice(at(250) + 1, at(500));
    expect(half.filter((_, index) => (at(250) + 1 + index) % 4 === 3)).not.toContain('show');
    const others = half.filter((_, index) => (at(250) + 1 + index) % 4 !== 3);
    expect(others).not.toContain('drop');
    expect(Math.abs(count(others, 'show') - others.length / 2)).toBeLessThanOrEqual(1);
    const decoding = verdicts.slice(at(500) + 1, at(1500));
    expect(decoding).not.toContain('show');
    expect(decoding.filter((_, index) => (at(500) + 1 + index) % 4 !== 3)).not.toContain('drop');
    expect(new Set(verdicts.slice(at(1500) + 2))).toEqual(new Set(['drop']));
    expect(stream.gate.dropped).toBe(verdicts.length - count(verdicts, 'show'));
  });

  test('a short stall costs some frames, and needs no key frame', () => {
    const stream = Stream.running();
    stream.feedMany(20); // 660 ms
    expect(stream.verdicts.at(-1)).toBe('hide');
    while (stream.places.length > 0) stream.come();
    expect(stream.feedMany(30, () => ({}))[0]).toBe('show');
  });

  test('an encoder of two thirds of the speed gets frames as evenly as it can take them', () => {
    const stream = Stream.running();
    const verdicts: Verdict[] = [];
    let budget = 0;
    let longest = 0;
    for (let index = 0; index < 600; index++) {
      verdicts.push(stream.feed());
      budget += 2 / 3;
      while (budget >= 1 && stream.places.length > 0) {
        budget -= 1;
        longest = Math.max(longest, stream.come().latencyMs ?? 0);
      }
      if (stream.places.length === 0) budget = 0;
    }
    expect(verdicts).not.toContain('drop');
    expect(longest).toBeLessThan(MAX_WAIT_MS);
    expect(count(verdicts, 'show')).toBeGreaterThan(350);
    // Never two after each other: the picture does not stand still.
    expect(verdicts.join(' ')).not.toContain('hide hide');
  });

  test('after the worst it begins anew with a key frame, once the child has read what it had', () => {
    const stream = Stream.running();
    stream.feedMany(60);
    expect(stream.feed()).toBe('drop');
    stream.queuedBytes = 1000;
    expect(stream.feed({ key: true })).toBe('drop');
    stream.queuedBytes = 0;
    expect(stream.feed()).toBe('drop');
    const before = stream.gate.dropped;
    expect(stream.feed({ key: true })).toBe('show');
    expect(stream.feed()).toBe('show');
    // What was given up comes out all the same: it is part of the stream, and not dropped after all.
    const givenUp = stream.gate.dropped - before;
    expect(givenUp).toBeGreaterThan(0);
    expect(stream.come().latencyMs).toBeUndefined();
    expect(stream.gate.dropped - before).toBe(givenUp - 1);
  });

  test('what it did not take breaks the stream until the next key frame', () => {
    const stream = Stream.running();
    stream.gate.judge({ timestampMs: stream.timestampMs, key: false }, 0);
    stream.gate.refused({ timestampMs: stream.timestampMs, key: false });
    expect(stream.feed()).toBe('drop');
    expect(stream.feed({ key: true })).toBe('show');
  });
});

test.each([
  ['B-frames at 10 frames a second, each third one a reference', 100, [0, 400, 200, 100, 300]],
  ['B-frames at 30 frames a second', 33, [0, 132, 66, 33, 99]],
])('frames that wait for others are not late: %s', (_, frameMs, order) => {
  const clock = new FakeClock();
  const gate = new FrameGate(clock, MAX_WAIT_MS);
  const held: number[] = [];
  const verdicts: Verdict[] = [];
  const feed = (timestampMs: number, key: boolean) => {
    const verdict = gate.judge({ timestampMs, key }, 0);
    verdicts.push(verdict);
    if (verdict === 'drop') return;
    gate.given({ timestampMs, key }, verdict);
    held.push(timestampMs);
    held.sort((a, b) => a - b);
    // A decoder that holds two.
    if (held.length > 2) gate.came(gate.place(held.shift()!));
    clock.advance(frameMs);
  };
  feed(0, true);
  for (let group = 0; group < 100; group++) {
    for (const offset of order.slice(1)) feed(group * 4 * frameMs + offset, false);
  }
  expect(new Set(verdicts)).toEqual(new Set(['show']));
});

test('the number under way is bounded', () => {
  const stream = new Stream();
  stream.feedMany(3000, (index) => ({ key: index === 0 }));
  expect(stream.gate.underWay).toBeLessThanOrEqual(1024);
});
