import { describe, expect, test } from 'vitest';
import type { SourceConfig, SourcePicture } from '../../../../src/media/picture-source.ts';
import { FrameTaps } from '../../../../transcode/ingest/frame-taps.ts';

const H264: SourceConfig = { codec: 'H264', lengthBytes: 4, parameterSets: [] };
const HEVC: SourceConfig = { codec: 'HEVC', lengthBytes: 4, parameterSets: [] };

function picture(key: boolean, bytes: number): SourcePicture {
  const data = Buffer.alloc(bytes);
  const times = { decodeMs: 0, showMs: 0, dueAt: 0, keyFrameGapMs: 0, soundLateMs: 0 };
  return { data, key, disposable: false, ...times };
}

function taps() {
  const all = new FrameTaps();
  /** @param letters - K and i */
  const send = (letters: string, bytes = 1) => {
    for (const letter of letters) all.send(picture(letter === 'K', bytes));
  };
  /** What it gets, in short: [H264] K i, and | when it is closed. */
  const add = (id: string) => {
    const got: string[] = [];
    all.add(id, {
      configure: ({ codec }) => got.push(`[${codec}]`),
      send: ({ key }) => got.push(key ? 'K' : 'i'),
      close: () => got.push('|'),
    });
    return () => got.join('');
  };
  return { all, send, add };
}

describe('whoever joins', () => {
  test('before anything is known gets all, from the configuration on', () => {
    const { all, send, add } = taps();
    const got = add('a');
    send('Ki');
    all.configure(H264);
    send('iiKii');
    expect(got()).toBe('[H264]Kii');
  });

  test('later gets the configuration and what came since the last key frame first', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    send('KiiKi');
    const got = add('a');
    expect(got()).toBe('[H264]Ki');
    send('iK');
    expect(got()).toBe('[H264]KiiK');
  });

  test('before the first key frame of another form gets none of the old one', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    send('Kii');
    all.configure(HEVC);
    send('ii');
    const got = add('a');
    send('iKi');
    expect(got()).toBe('[HEVC]Ki');
  });

  test('is as good as all others', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const first = add('a');
    send('Ki');
    const second = add('b');
    send('i');
    all.configure(HEVC);
    send('Ki');
    expect([first(), second()]).toEqual(['[H264]Kii[HEVC]Ki', '[H264]Kii[HEVC]Ki']);
  });

  test('under the same name takes the place of the one before', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const before = add('a');
    const after = add('a');
    send('K');
    expect([before(), after()]).toEqual(['[H264]|', '[H264]K']);
  });
});

describe('muted', () => {
  test('nothing goes out, and what came meanwhile never does', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const got = add('a');
    send('Ki');
    all.setMuted(true);
    send('iKi');
    expect(add('b')()).toBe('[H264]');
    all.setMuted(false);
    send('ii');
    expect([got(), add('c')()]).toEqual(['[H264]Ki', '[H264]']);
    send('Ki');
    expect(got()).toBe('[H264]KiKi');
  });

  test('another form that begins meanwhile is told', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const got = add('a');
    all.setMuted(true);
    all.configure(HEVC);
    send('Ki');
    all.setMuted(false);
    send('iK');
    expect(got()).toBe('[H264][HEVC]K');
  });

  test('what is not muted can be told so without a loss', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const got = add('a');
    send('Ki');
    all.setMuted(false);
    send('i');
    expect([got(), add('b')()]).toEqual(['[H264]Kii', '[H264]Kii']);
  });
});

describe('whoever leaves', () => {
  test('is closed and gets no more', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const [first, second] = [add('a'), add('b')];
    send('K');
    all.remove('a');
    all.remove('a');
    all.remove('nobody');
    send('i');
    expect([first(), second()]).toEqual(['[H264]K|', '[H264]Ki']);
  });

  test('may do so while he is given something', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    let closed = 0;
    all.add('a', { configure() {}, send: () => all.remove('a'), close: () => closed++ });
    const got = add('b');
    send('Ki');
    expect([closed, got()]).toEqual([1, '[H264]Ki']);
  });

  test('all do in the end', () => {
    const { all, send, add } = taps();
    all.configure(H264);
    const got = [add('a'), add('b')];
    send('K');
    all.close();
    send('iK');
    expect(got.map((one) => one())).toEqual(['[H264]K|', '[H264]K|']);
  });
});

describe('of pictures since the last key frame', () => {
  test.each([
    ['1200', 1_200, 1, `K${'i'.repeat(1_199)}`],
    ['more: none, until there is a key frame', 1_201, 1, ''],
    ['24 MiB', 24, 1024 * 1024, `K${'i'.repeat(23)}`],
    ['more bytes: none, until there is a key frame', 25, 1024 * 1024, ''],
  ])('are kept: %s', (_, count, bytes, expected) => {
    const { all, send, add } = taps();
    all.configure(H264);
    const present = add('present');
    send(`K${'i'.repeat(count - 1)}`, bytes);
    expect(add('late')()).toBe(`[H264]${expected}`);
    expect(present()).toHaveLength('[H264]'.length + count);
    send('Ki');
    expect(add('later')()).toBe('[H264]Ki');
  });
});
