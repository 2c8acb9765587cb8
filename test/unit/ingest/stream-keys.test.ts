import { describe, expect, test } from 'vitest';
import { StreamKeys } from '../../../src/ingest/stream-keys.ts';

const KEYS = [
  { key: 'camera-one-secret', room: 'lounge', name: 'Camera 1' },
  { key: 'camera-two-secret', room: 'kitchen', name: 'Camera 2' },
  { key: 'demo?name=configured', room: 'cellar', name: 'Camera 3' },
];
const LONGEST = 'x'.repeat(512);

describe('with keys only', () => {
  const keys = new StreamKeys([...KEYS, { key: LONGEST, room: 'attic', name: 'Long' }], false);

  test.each<[string, string | undefined]>([
    ['camera-one-secret', 'Camera 1'],
    ['camera-two-secret', 'Camera 2'],
    ['demo?name=configured', 'Camera 3'],
    [LONGEST, 'Long'],
    [`${LONGEST}x`, undefined],
    ['camera-one-secre', undefined],
    ['camera-one-secret ', undefined],
    ['Camera-one-secret', undefined],
    ['camera-one-secret?name=Ann', 'Camera 1'],
    ['lounge', undefined],
    ['key-0', undefined],
    ['', undefined],
  ])('%j: %s', (text, name) => {
    expect(keys.find(text)?.name).toBe(name);
  });

  test('each has its room, and an id that does not tell it', () => {
    const found = KEYS.map(({ key }) => keys.find(key)!);
    expect(found.map(({ room }) => room)).toEqual(['lounge', 'kitchen', 'cellar']);
    expect(new Set(found.map(({ id }) => id)).size).toBe(3);
    for (const { key } of KEYS) expect(JSON.stringify(found)).not.toContain(key);
  });
});

describe("where a room's name is a key", () => {
  const keys = new StreamKeys(KEYS, true);

  test.each<[string, [room: string, name: string] | undefined]>([
    ['demo', ['demo', '']],
    ['demo?name=Ann', ['demo', 'Ann']],
    ['demo?name=Ann%20B&x=1', ['demo', 'Ann B']],
    ['demo?x=1', ['demo', '']],
    ['demo?name=%20%20', ['demo', '']],
    ['demo?name=%', ['demo', '%']],
    ['demo?', ['demo', '']],
    [`demo?name=${'y'.repeat(400)}`, ['demo', 'y'.repeat(100)]],
    ['camera-one-secret', ['lounge', 'Camera 1']],
    ['demo?name=configured', ['cellar', 'Camera 3']],
    ['', undefined],
    ['?name=Ann', undefined],
    ['x'.repeat(513), undefined],
  ])('%j: %j', (text, expected) => {
    const found = keys.find(text);
    expect(found && [found.room, found.name]).toEqual(expected);
  });

  test('different streams have different ids, the same has the same', () => {
    const texts = ['a', 'b', 'a?name=b', 'a-b', 'a-b?name=c', 'a?name=b-c', 'key-0', 'camera-one-secret'];
    expect(new Set(texts.map((text) => keys.find(text)!.id)).size).toBe(texts.length);
    expect(keys.find('a?name=b')!.id).toBe(keys.find('a?x=1&name=%62')!.id);
  });
});

test.each<[number, boolean, boolean]>([
  [0, false, false],
  [0, true, true],
  [3, false, true],
])('with %i keys, and names of rooms as such: %s, there is a way in: %s', (count, roomNames, expected) => {
  expect(new StreamKeys(KEYS.slice(0, count), roomNames).any).toBe(expected);
});
