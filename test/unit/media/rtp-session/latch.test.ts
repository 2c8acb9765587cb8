import { describe, expect, test } from 'vitest';
import { Latch } from '../../../../src/media/rtp-session/latch.ts';

const TOLD = ['192.0.2.1', 4000] as const;
const SEEN = ['198.51.100.9', 5000] as const;
const STRANGER = ['203.0.113.5', 6000] as const;

const where = ({ address, port, latched }: Latch) => [address, port, latched];

test('media goes where the description says, until it is seen where it comes from', () => {
  const latch = new Latch({ address: TOLD[0], port: TOLD[1] });
  expect(where(latch)).toEqual([...TOLD, false]);
  expect(latch.accepts(...SEEN, 0)).toBe(true);
  expect(where(latch)).toEqual([...SEEN, true]);
});

describe('once it is seen', () => {
  test.each<[string, readonly [string, number], boolean]>([
    ['itself', SEEN, true],
    ['another port of its address', [SEEN[0], SEEN[1] + 1], false],
    ['its port at another address', [STRANGER[0], SEEN[1]], false],
    ['anybody else', STRANGER, false],
  ])('%s', (_, source, expected) => {
    const latch = new Latch({ address: TOLD[0], port: TOLD[1] });
    latch.accepts(...SEEN, 0);
    expect(latch.accepts(...source, 1999)).toBe(expected);
    expect(where(latch)).toEqual([...SEEN, true]);
    expect(latch.foreign).toBe(expected ? 0 : 1);
  });

  test('nobody takes its place as long as it is heard, however often he tries', () => {
    const latch = new Latch({ address: TOLD[0], port: TOLD[1] });
    for (let nowMs = 0; nowMs < 60_000; nowMs += 20) {
      expect(latch.accepts(...SEEN, nowMs)).toBe(true);
      expect(latch.accepts(...STRANGER, nowMs + 10)).toBe(false);
    }
    expect(latch.foreign).toBe(3000);
  });

  test('it may come back from elsewhere after 2 s of silence; what strangers send does not prolong them', () => {
    const latch = new Latch({ address: TOLD[0], port: TOLD[1] });
    latch.accepts(...SEEN, 0);
    expect(latch.accepts(...STRANGER, 1000)).toBe(false);
    expect(latch.accepts(...STRANGER, 2000)).toBe(true);
    expect(where(latch)).toEqual([...STRANGER, true]);
    expect(latch.accepts(...SEEN, 2001)).toBe(false);
  });
});

describe('who is more likely the phone takes over at once', () => {
  const SIGNALLED = '192.0.2.7';
  test.each<[string, readonly [string, number], readonly [string, number], boolean]>([
    ['where it said it would be, from anybody', STRANGER, TOLD, true],
    ['where it said it would be, from its own address', [TOLD[0], 4444], TOLD, true],
    ['another port of the address it said, from anybody', STRANGER, [TOLD[0], 4444], true],
    ['the address of its signalling, from anybody', STRANGER, [SIGNALLED, 7000], true],
    ['the address of its signalling, from where it said', TOLD, [SIGNALLED, 7000], false],
    ['another port of that address, from the one before', [SIGNALLED, 7000], [SIGNALLED, 7002], false],
    ['anybody, from anybody', STRANGER, SEEN, false],
    ['anybody, from where it said', TOLD, STRANGER, false],
  ])('%s', (_, first, second, expected) => {
    const latch = new Latch({ address: TOLD[0], port: TOLD[1], signalled: SIGNALLED });
    expect(latch.accepts(...first, 0)).toBe(true);
    expect(latch.accepts(...second, 20)).toBe(expected);
    expect(where(latch)).toEqual([...(expected ? second : first), true]);
    expect(latch.accepts(...(expected ? first : second), 40)).toBe(false);
  });
});

test('after it was released the next source counts, and until then the new description', () => {
  const latch = new Latch({ address: TOLD[0], port: TOLD[1] });
  latch.accepts(...SEEN, 0);
  latch.release({ address: '192.0.2.2', port: 4002 });
  expect(where(latch)).toEqual(['192.0.2.2', 4002, false]);
  expect(latch.accepts(...STRANGER, 1)).toBe(true);
  expect(latch.accepts(...SEEN, 2)).toBe(false);
});

test('a source without a port, which cannot be answered, is nobody', () => {
  const latch = new Latch({ address: TOLD[0], port: TOLD[1] });
  expect(latch.accepts(SEEN[0], 0, 0)).toBe(false);
  expect(where(latch)).toEqual([...TOLD, false]);
  latch.accepts(...SEEN, 0);
  expect(latch.accepts(SEEN[0], 0, 60_000)).toBe(false);
  expect(where(latch)).toEqual([...SEEN, true]);
  expect(latch.foreign).toBe(2);
});
