import { describe, expect, test } from 'vitest';
import { Contributor } from '../../../../transcode/audio/contributor.ts';
import { seededRandom } from '../../../signals/random.ts';
import { flat, Mouth, throughLaw, tonePayloads } from '../../support/sounds.ts';

function heard(codec: 'PCMU' | 'opus' = 'PCMU'): Mouth {
  const contributor = new Contributor(codec, 'gateway');
  contributor.setRates(new Set([8000] as const));
  return new Mouth(contributor);
}

/** Packets of one who speaks: number n comes before the tick `comesAt(n)`. @returns the delay after each tick */
function delays(mouth: Mouth, ticks: number, ms: number, comesAt: (packet: number) => number): number[] {
  let packet = 0;
  return Array.from({ length: ticks }, (_, tick) => {
    for (; comesAt(packet) <= tick; packet++) mouth.say(flat(5000, ms));
    mouth.contributor.advance();
    return mouth.contributor.delayMs;
  });
}

describe('the delay is that of', () => {
  test.each<[string, number, (packet: number) => number, number]>([
    ['packets that are played at the next tick', 20, (packet) => packet, 10],
    ['packets of 10 ms, of which every second waits for the first', 10, (packet) => packet >> 1, 15],
    ['packets in pairs, of which every second waits a tick', 20, (packet) => 2 * (packet >> 1), 20],
    ['three at once', 20, (packet) => 3 * Math.floor(packet / 3), 30],
    ['packets of 60 ms', 60, (packet) => 3 * packet, 10],
  ])('%s', (_, ms, comesAt, expectedMs) => {
    const all = delays(heard(), 400, ms, comesAt);
    const lately = all.slice(-6);
    expect(lately.reduce((sum, delayMs) => sum + delayMs, 0) / 6).toBeCloseTo(expectedMs, 0);
  });
});

/** Values that follow each other in packets, so that their first samples can be told from what was before. */
const VALUES = Array.from({ length: 24 }, (_, index) => throughLaw(2000 + 900 * index));

/**
 * Packets that come up to 35 ms late, in order.
 * @returns how long they waited from their arrival until their first sample was played, and what was told of it, ms
 */
function jittered(ms: number, phaseMs: number): { waitedMs: number; toldMs: number } {
  const mouth = heard();
  const random = seededRandom(ms);
  const arrivals: number[] = [];
  const waits: number[] = [];
  const told: number[] = [];
  let [said, playing] = [0, 0];
  for (let packet = 0; packet * ms < 10_000; packet++) {
    const atMs = packet * ms + phaseMs + random() * 35;
    arrivals.push(Math.max(atMs, arrivals.at(-1) ?? 0));
  }
  for (let tick = 1; tick < 490; tick++) {
    for (; arrivals[said]! <= tick * 20; said++) mouth.say(flat(VALUES[said % VALUES.length]!, ms));
    if (!mouth.contributor.advance()) continue;
    for (const [at, sample] of mouth.contributor.frame(8000)!.entries()) {
      const ahead = (VALUES.indexOf(sample) - playing + said * VALUES.length) % VALUES.length;
      if (!VALUES.includes(sample) || ahead === 0 || ahead > 8) continue;
      playing += ahead;
      if (tick > 200) waits.push(tick * 20 + at / 8 - arrivals[playing]!);
    }
    if (tick > 200) told.push(mouth.contributor.delayMs);
  }
  const average = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return { waitedMs: average(waits), toldMs: average(told) };
}

test.each([10, 20, 30, 40])('packets of %i ms waited as long as is told, whatever their jitter', (ms) => {
  for (const phaseMs of [1, 6, 11, 16]) {
    const { waitedMs, toldMs } = jittered(ms, phaseMs);
    expect(waitedMs).toBeGreaterThan(15);
    expect(Math.abs(toldMs - waitedMs)).toBeLessThan(5);
  }
});

test('it is known from the first tick, and follows within a second or two', () => {
  const all = delays(heard(), 300, 20, (packet) => (packet < 100 ? packet : packet - 2));
  expect(all.slice(0, 98)).toEqual(new Array(98).fill(10));
  expect(all[98 + 25]).toBeGreaterThan(20);
  expect(all[98 + 25]).toBeLessThan(40);
  for (const [tick, delayMs] of all.entries()) {
    // No steps that would make the picture jump.
    if (tick > 0) expect(Math.abs(delayMs - all[tick - 1]!)).toBeLessThan(2);
  }
});

describe('it is 0', () => {
  test('before the first packet, and while he is silent', () => {
    const mouth = heard();
    expect(mouth.contributor.delayMs).toBe(0);
    delays(mouth, 10, 20, (packet) => packet);
    expect(mouth.contributor.delayMs).toBe(10);
    for (let tick = 0; tick < 30; tick++) {
      mouth.say(flat(0));
      mouth.contributor.advance();
    }
    expect(mouth.contributor.delayMs).toBe(0);
    expect(delays(mouth, 3, 20, (packet) => packet)).toEqual([10, 10, 10]);
  });

  test('when nothing comes any more', () => {
    const mouth = heard();
    delays(mouth, 10, 20, (packet) => packet);
    for (let tick = 0; tick < 10; tick++) mouth.contributor.advance();
    expect(mouth.contributor.delayMs).toBe(0);
  });

  test('when he is muted, and when nobody hears him', () => {
    const [muted, unheard] = [heard(), heard()];
    for (const mouth of [muted, unheard]) delays(mouth, 10, 20, (packet) => packet);
    muted.contributor.muted = true;
    expect(muted.contributor.delayMs).toBe(0);
    unheard.contributor.setRates(new Set());
    unheard.say(flat(5000));
    expect(unheard.contributor.speaking).toBe(true);
    expect(unheard.contributor.delayMs).toBe(0);
  });
});

test('also of Opus, whose packets do not tell who speaks', () => {
  const mouth = heard('opus');
  const all = [...tonePayloads('opus', 8000, 440, 30), ...tonePayloads('opus', 8000, 440, 60, -200)].map(
    (payload) => {
      mouth.say(payload);
      mouth.contributor.advance();
      return mouth.contributor.delayMs;
    },
  );
  expect(all[29]).toBe(10);
  expect(all.at(-1)).toBe(0);
});
