import { describe, expect, test } from 'vitest';
import type { SourceUnit, VideoFormat } from '../../../../src/media/access-unit.ts';
import { GopCache } from '../../../../src/media/gop-cache.ts';
import { FrameTaps } from '../../../../transcode/ingest/frame-taps.ts';

const H264: VideoFormat = { kind: 'video', codec: 'H264', lengthBytes: 4, parameterSets: [] };
const H265: VideoFormat = { kind: 'video', codec: 'H265', lengthBytes: 4, parameterSets: [] };

/** As a publisher's video has them. */
function taps() {
  const recent = new GopCache<SourceUnit>();
  const all = new FrameTaps(recent);
  let format = H264;
  /** What comes from now on is of that format. */
  const configure = (next: VideoFormat) => {
    format = next;
    recent.clear();
  };
  /** @param letters - K and i */
  const send = (letters: string, bytes = 1) => {
    for (const letter of letters) {
      const unit: SourceUnit = {
        ...{
          format,
          data: Buffer.alloc(bytes),
          key: letter === 'K',
          disposable: false,
          discontinuity: false,
        },
        ...{ dtsUs: 0, ptsUs: 0, dueAt: 0, keyFrameGapMs: 0, audioLateMs: 0 },
      };
      recent.add(unit);
      all.send(unit);
    }
  };
  /** What it gets, in short: K i, behind the codec where another format begins, and | when it is closed. */
  const add = (id: string) => {
    const got: string[] = [];
    let last: VideoFormat | undefined;
    all.add(id, {
      send: (unit) => {
        if (unit.format !== last) got.push(`[${unit.format.codec}]`);
        last = unit.format;
        got.push(unit.key ? 'K' : 'i');
      },
      close: () => got.push('|'),
    });
    return () => got.join('');
  };
  return { all, recent, configure, send, add };
}

describe('whoever joins', () => {
  test('before the first key frame gets all from that on', () => {
    const { send, add } = taps();
    const got = add('a');
    send('iiKii');
    expect(got()).toBe('[H264]Kii');
  });

  test('later gets what came since the last key frame first', () => {
    const { send, add } = taps();
    send('KiiKi');
    const got = add('a');
    expect(got()).toBe('[H264]Ki');
    send('iK');
    expect(got()).toBe('[H264]KiiK');
  });

  test('before the first key frame of another format gets none of the old one', () => {
    const { configure, send, add } = taps();
    send('Kii');
    configure(H265);
    send('ii');
    const got = add('a');
    send('iKi');
    expect(got()).toBe('[H265]Ki');
  });

  test('is as good as all others', () => {
    const { configure, send, add } = taps();
    const first = add('a');
    send('Ki');
    const second = add('b');
    send('i');
    configure(H265);
    send('Ki');
    expect([first(), second()]).toEqual(['[H264]Kii[H265]Ki', '[H264]Kii[H265]Ki']);
  });

  test('under the same name takes the place of the one before', () => {
    const { send, add } = taps();
    const before = add('a');
    const after = add('a');
    send('K');
    expect([before(), after()]).toEqual(['|', '[H264]K']);
  });

  test('while nothing is kept gets what comes next only from a key frame on', () => {
    const { recent, send, add } = taps();
    const present = add('present');
    send('Ki');
    recent.clear(); // it was more than is kept
    const late = add('late');
    send('iiKi');
    expect([present(), late()]).toEqual(['[H264]KiiiKi', '[H264]Ki']);
  });
});

test('another format begins with a key frame for all, whatever comes of it before', () => {
  const { configure, send, add } = taps();
  const got = add('a');
  send('Ki');
  configure(H265);
  send('iiKi');
  expect(got()).toBe('[H264]Ki[H265]Ki');
});

describe('while it is muted', () => {
  test('nothing goes out, and what came meanwhile never does', () => {
    const { all, send, add } = taps();
    const got = add('a');
    send('Ki');
    all.setMuted(true);
    send('iKi');
    expect(add('b')()).toBe('');
    all.setMuted(false);
    send('ii');
    expect([got(), add('c')()]).toEqual(['[H264]Ki', '']);
    send('Ki');
    expect(got()).toBe('[H264]KiKi');
  });

  test('another format can begin, and is told with its first key frame afterwards', () => {
    const { all, configure, send, add } = taps();
    const got = add('a');
    all.setMuted(true);
    configure(H265);
    send('Ki');
    all.setMuted(false);
    send('iK');
    expect(got()).toBe('[H265]K');
  });

  test('being told so again costs nothing, nor does being told that it is not', () => {
    const { all, send, add } = taps();
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
    let closed = 0;
    all.add('a', { send: () => all.remove('a'), close: () => closed++ });
    const got = add('b');
    send('Ki');
    expect([closed, got()]).toEqual([1, '[H264]Ki']);
  });

  test('does so with all others in the end', () => {
    const { all, send, add } = taps();
    const got = [add('a'), add('b')];
    send('K');
    all.close();
    send('iK');
    expect(got.map((one) => one())).toEqual(['[H264]K|', '[H264]K|']);
  });
});

describe('of frames since the last key frame', () => {
  test.each([
    ['1200', 1_200, 1, `[H264]K${'i'.repeat(1_199)}`],
    ['more: none, until there is a key frame', 1_201, 1, ''],
    ['24 MiB', 24, 1024 * 1024, `[H264]K${'i'.repeat(23)}`],
    ['more bytes: none, until there is a key frame', 25, 1024 * 1024, ''],
  ])('are kept: %s', (_, count, bytes, expected) => {
    const { send, add } = taps();
    const present = add('present');
    send(`K${'i'.repeat(count - 1)}`, bytes);
    expect(add('late')()).toBe(expected);
    expect(present()).toHaveLength('[H264]'.length + count);
    send('Ki');
    expect(add('later')()).toBe('[H264]Ki');
  });
});
