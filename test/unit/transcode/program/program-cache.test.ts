import { describe, expect, test } from 'vitest';
import type { AccessUnit, AudioFormat, VideoFormat } from '../../../../src/media/access-unit.ts';
import { ProgramCache } from '../../../../transcode/program/program-cache.ts';
import { PUSH as FORMAT, OTHER_PUSH as OTHER_FORMAT } from '../../support/program-video.ts';

const AUDIO: AudioFormat = { kind: 'audio', codec: 'AAC' };

function unit(format: AudioFormat | VideoFormat, ms: number, key: boolean, bytes = 10): AccessUnit {
  const flags = { key, disposable: false, discontinuity: false };
  return { format, data: Buffer.alloc(bytes), dtsUs: ms * 1000, ptsUs: ms * 1000, ...flags } as AccessUnit;
}
const key = (ms: number, bytes?: number, format = FORMAT) => unit(format, ms, true, bytes);
const inter = (ms: number, bytes?: number, format = FORMAT) => unit(format, ms, false, bytes);
const audio = (ms: number, bytes?: number) => unit(AUDIO, ms, true, bytes);

/** In short: K100 i140 a120 */
function shown(cache: ProgramCache): string {
  return cache.units
    .map(({ format, key, dtsUs }) => (format.kind === 'audio' ? 'a' : key ? 'K' : 'i') + dtsUs / 1000)
    .join(' ');
}

function filled(...units: AccessUnit[]): ProgramCache {
  const cache = new ProgramCache();
  for (const one of units) cache.add(one);
  return cache;
}

describe('what somebody begins with', () => {
  test.each<[string, AccessUnit[], string]>([
    ['nothing', [], ''],
    ['nothing before a key frame', [audio(90), inter(95), audio(111)], ''],
    ['from the key frame on, in the order it came', [key(100), audio(90), inter(140)], 'K100 a90 i140'],
    ['from the last key frame on', [key(100), inter(140), key(180), inter(220)], 'K180 i220'],
    [
      'audio of that time that came before it is behind it',
      [key(100), audio(179), audio(180), inter(140), audio(201), key(180), inter(220)],
      'K180 a180 a201 i220',
    ],
  ])('%s', (_, units, expected) => {
    expect(shown(filled(...units))).toBe(expected);
  });

  test('frames of another format leave nothing of those before', () => {
    const cache = filled(key(100), inter(140), audio(150), audio(185));
    cache.add(key(180, 10, OTHER_FORMAT));
    expect(shown(cache)).toBe('K180');
    cache.add(inter(220, 10, OTHER_FORMAT));
    cache.add(audio(230));
    expect(shown(cache)).toBe('K180 i220 a230');
    cache.add(key(260));
    expect(shown(cache)).toBe('K260');
  });

  test('frames of another format that begin with no key frame leave nothing until there is one', () => {
    const cache = filled(key(100), inter(140), audio(150));
    cache.add(inter(180, 10, OTHER_FORMAT));
    cache.add(audio(190));
    expect(shown(cache)).toBe('');
    cache.add(key(220, 10, OTHER_FORMAT));
    expect(shown(cache)).toBe('K220');
  });

  test('audio of another format than before changes nothing', () => {
    const cache = filled(key(100), audio(110));
    cache.add(unit({ ...AUDIO }, 131, true));
    expect(shown(cache)).toBe('K100 a110 a131');
  });

  test('what was handed out does not change', () => {
    const cache = filled(key(100), inter(140));
    const before = cache.units;
    cache.add(key(180));
    expect(before).toHaveLength(2);
  });
});

describe('bounds: above them it is empty until the next key frame', () => {
  const MAX_BYTES = 24 * 1024 * 1024;
  test.each<[string, AccessUnit[], number]>([
    ['1200 units', [key(0), ...Array.from({ length: 1_199 }, (_, ms) => inter(ms + 1))], 1_200],
    ['1201 units', [key(0), ...Array.from({ length: 1_200 }, (_, ms) => audio(ms + 1))], 0],
    ['24 MiB', [key(0, MAX_BYTES - 10), audio(20, 10)], 2],
    ['more bytes', [key(0, MAX_BYTES - 10), audio(20, 11)], 0],
    ['a key frame that alone is too large', [key(0, MAX_BYTES + 1)], 0],
  ])('%s', (_, units, expected) => {
    const cache = filled(...units);
    expect(cache.units).toHaveLength(expected);
    if (expected > 0) return;
    cache.add(inter(2_000));
    cache.add(audio(2_000));
    expect(cache.units).toHaveLength(0);
    cache.add(key(2_040));
    expect(shown(cache)).toBe('K2040');
  });

  test('the bytes of what is left out, and of audio that stays, are counted once', () => {
    const half = MAX_BYTES / 2;
    const cache = filled(key(0, half), audio(50, half / 2), key(40, half));
    expect(shown(cache)).toBe('K40 a50');
    cache.add(inter(80, half / 2));
    expect(shown(cache)).toBe('K40 a50 i80');
    cache.add(inter(120, 1));
    expect(shown(cache)).toBe('');
  });
});
