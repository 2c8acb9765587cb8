import { describe, expect, test } from 'vitest';
import { JitterBuffer, type JitterCounters } from '../../../../transcode/audio/jitter-buffer.ts';

/* Packet by packet; how it fares over time is in jitter-buffer-timeline.test.ts. */

const NOTHING: JitterCounters = { late: 0, lost: 0, discarded: 0, stretched: 0 };

/** Numbers from 0 to 1, the same ones in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

describe('jitter buffer', () => {
  const packet = (sequenceNumber: number) => Buffer.from([sequenceNumber >> 8, sequenceNumber & 0xff]);

  /** Pushes numbers and pulls ('.'); what was pulled is told as numbers, L (lost), L+ (lost, the next is there) or 0. */
  function play(...steps: (number | '.')[]): { pulled: string; buffer: JitterBuffer } {
    const buffer = new JitterBuffer();
    const pulled: string[] = [];
    for (const step of steps) {
      if (step !== '.') buffer.push(step, packet(step));
      else {
        const result = buffer.pull();
        if (result.outcome === 'frame') pulled.push(String(result.payload.readUInt16BE()));
        else if (result.outcome === 'lost') {
          pulled.push(result.next ? `L${result.next.readUInt16BE()}` : 'L');
        } else pulled.push('-');
      }
    }
    return { pulled: pulled.join(' '), buffer };
  }

  test.each<[string, (number | '.')[], string, Partial<JitterCounters>]>([
    ['nothing yet', ['.', '.'], '- -', {}],
    ['in order', [1, '.', 2, '.', 3, '.'], '1 2 3', {}],
    ['across the wrap', [65534, '.', 65535, '.', 0, '.', 1, '.'], '65534 65535 0 1', {}],
    ['out of order in time', [1, 3, 2, '.', '.', '.'], '1 2 3', {}],
    ['lost, with the next one there', [1, 3, 4, '.', '.', '.', '.'], '1 L3 3 4', { lost: 1 }],
    ['two lost: the next one is no use yet', [1, 4, '.', '.', '.', '.'], '1 L L4 4', { lost: 2 }],
    ['lost while nothing was there', [1, '.', '.', 3, '.', 4, '.'], '1 L 3 4', { lost: 1 }],
    ['waited for', [1, '.', '.', 2, '.', 3, '.'], '1 L 2 3', { stretched: 1 }],
    ['waited for, and one lost', [1, '.', '.', '.', 3, 4, '.', '.'], '1 L L 3 4', { lost: 1, stretched: 1 }],
    ['late', [1, 3, '.', '.', 2, 4, '.', '.', '.'], '1 L3 L 3 4', { lost: 1, late: 1, stretched: 1 }],
    ['late twice', [1, 3, '.', '.', 2, 2, '.'], '1 L3 L', { lost: 1, late: 1, discarded: 1, stretched: 1 }],
    ['twice, waiting', [1, 1, '.', '.'], '1 L', { discarded: 1 }],
    ['twice, played', [1, '.', 1, 2, '.'], '1 2', { discarded: 1 }],
    ['a pause', [1, '.', '.', '.', '.', '.', '.', '.', '.', 2, '.'], '1 L L L L L - - 2', {}],
    [
      'loss in a pause',
      [1, '.', '.', '.', '.', '.', '.', '.', '.', 4, '.'],
      '1 L L L L L - - 4',
      { lost: 2 },
    ],
    ['a stray', [1, '.', 30_000, 2, '.', 40_000, 3, '.'], '1 2 3', { discarded: 2 }],
    ['a new stream', [1, '.', 30_000, '.', 30_001, '.', 30_002, '.'], '1 L 30001 30002', { discarded: 1 }],
    ['a stray that is not far', [1, '.', 400, 2, '.'], '1 2', { discarded: 1 }],
    [
      'strays that follow each other, but not at once',
      [1, '.', 400, 2, 401, 3, '.', '.'],
      '1 2 3',
      { discarded: 2 },
    ],
    [
      'what came before a new stream, though a number like it was lost in the old one',
      [1, 3, '.', '.', 30_018, 30_019, 30_018],
      '1 L3',
      { lost: 1, discarded: 3 },
    ],
    ['a new stream behind', [500, '.', 400, 401, '.', 402, '.'], '500 401 402', { discarded: 1 }],
  ])('%s', (_, steps, expected, counters) => {
    const { pulled, buffer } = play(...steps);
    expect(pulled).toBe(expected);
    expect(buffer.counters).toEqual({ ...NOTHING, ...counters });
  });

  test('holds 32 frames: the oldest make room', () => {
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
    const { pulled, buffer } = play(...numbers, '.');
    expect(pulled).toBe('9');
    expect(buffer.depth).toBe(31);
    expect(buffer.counters).toEqual({ ...NOTHING, discarded: 8 });
  });

  test('counts missing frames in the depth', () => {
    const { buffer } = play(1, 4);
    expect(buffer.depth).toBe(4);
  });

  test('throws the rest of an old stream away', () => {
    const { buffer } = play(1, 2, 3, 30_000, 30_001);
    expect(buffer.depth).toBe(1);
    expect(buffer.counters).toEqual({ ...NOTHING, discarded: 4 });
  });

  test('starts anew after a reset', () => {
    const { buffer } = play(1, '.', 2);
    buffer.reset();
    expect(buffer.depth).toBe(0);
    expect(buffer.pull()).toEqual({ outcome: 'empty' });
    buffer.push(20_000, packet(20_000));
    expect(buffer.pull()).toEqual({ outcome: 'frame', payload: packet(20_000) });
  });

  test('hands out the same results again', () => {
    const buffer = new JitterBuffer();
    buffer.push(1, packet(1));
    buffer.push(2, packet(2));
    const first = buffer.pull();
    expect(buffer.pull()).toBe(first);
  });

  test('stays within its bounds, whatever comes', () => {
    const buffer = new JitterBuffer();
    const random = seeded(5);
    const depths = new Set<number>();
    for (let step = 0; step < 200_000; step++) {
      const near = Math.floor(step / 2 + random() * 80 - 40);
      if (random() < 0.5)
        buffer.push((random() < 0.05 ? Math.floor(random() * 65536) : near) & 0xffff, packet(0));
      else buffer.pull();
      depths.add(buffer.depth);
    }
    expect(Math.min(...depths)).toBe(0);
    expect(Math.max(...depths)).toBe(32);
  });
});
