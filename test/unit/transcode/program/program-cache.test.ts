import { describe, expect, test } from 'vitest';
import type { ProgramPacket } from '../../../../src/media/program.ts';
import { ProgramCache } from '../../../../transcode/program/program-cache.ts';

function packet(kind: 'audio' | 'video', timestampMs: number, key: boolean, bytes = 10): ProgramPacket {
  return { kind, packet: 'frame', key, timestampMs, body: Buffer.alloc(bytes) };
}
const key = (ms: number, bytes?: number) => packet('video', ms, true, bytes);
const inter = (ms: number, bytes?: number) => packet('video', ms, false, bytes);
const sound = (ms: number, bytes?: number) => packet('audio', ms, true, bytes);

/** In short: K100 i140 s120 */
function shown(cache: ProgramCache): string {
  return cache.packets
    .map(({ kind, key, timestampMs }) => (kind === 'audio' ? 's' : key ? 'K' : 'i') + timestampMs)
    .join(' ');
}

function filled(...packets: ProgramPacket[]): ProgramCache {
  const cache = new ProgramCache();
  for (const one of packets) cache.add(one);
  return cache;
}

describe('what somebody begins with', () => {
  test.each<[string, ProgramPacket[], string]>([
    ['nothing', [], ''],
    ['nothing before a key frame', [sound(90), inter(95), sound(111)], ''],
    ['from the key frame on, in the order it came', [key(100), sound(90), inter(140)], 'K100 s90 i140'],
    ['from the last key frame on', [key(100), inter(140), key(180), inter(220)], 'K180 i220'],
    [
      'sound of that time that came before it is behind it',
      [key(100), sound(179), sound(180), inter(140), sound(201), key(180), inter(220)],
      'K180 s180 s201 i220',
    ],
  ])('%s', (_, packets, expected) => {
    expect(shown(filled(...packets))).toBe(expected);
  });

  test('pictures of another form: nothing until the next key frame', () => {
    const cache = filled(key(100), inter(140), sound(150));
    cache.clear();
    cache.add(inter(180));
    cache.add(sound(190));
    expect(shown(cache)).toBe('');
    cache.add(key(220));
    expect(shown(cache)).toBe('K220');
  });

  test('what was handed out does not change', () => {
    const cache = filled(key(100), inter(140));
    const before = cache.packets;
    cache.add(key(180));
    expect(before).toHaveLength(2);
  });
});

describe('bounds: above them it is empty until the next key frame', () => {
  const MAX_BYTES = 24 * 1024 * 1024;
  test.each<[string, ProgramPacket[], number]>([
    ['1200 packets', [key(0), ...Array.from({ length: 1_199 }, (_, ms) => inter(ms + 1))], 1_200],
    ['1201 packets', [key(0), ...Array.from({ length: 1_200 }, (_, ms) => sound(ms + 1))], 0],
    ['24 MiB', [key(0, MAX_BYTES - 10), sound(20, 10)], 2],
    ['more bytes', [key(0, MAX_BYTES - 10), sound(20, 11)], 0],
    ['a key frame that alone is too large', [key(0, MAX_BYTES + 1)], 0],
  ])('%s', (_, packets, expected) => {
    const cache = filled(...packets);
    expect(cache.packets).toHaveLength(expected);
    if (expected > 0) return;
    cache.add(inter(2_000));
    cache.add(sound(2_000));
    expect(cache.packets).toHaveLength(0);
    cache.add(key(2_040));
    expect(shown(cache)).toBe('K2040');
  });

  test('the bytes of what is left out, and of sound that stays, are counted once', () => {
    const half = MAX_BYTES / 2;
    const cache = filled(key(0, half), sound(50, half / 2), key(40, half));
    expect(shown(cache)).toBe('K40 s50');
    cache.add(inter(80, half / 2));
    expect(shown(cache)).toBe('K40 s50 i80');
    cache.add(inter(120, 1));
    expect(shown(cache)).toBe('');
  });
});
