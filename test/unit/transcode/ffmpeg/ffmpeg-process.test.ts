import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { FfmpegProcess, type FfmpegProcessOptions } from '../../../../transcode/ffmpeg/ffmpeg-process.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/* With children other than ffmpeg, which do one thing at once. */

function start(executable: string, args: readonly string[], options: Partial<FfmpegProcessOptions> = {}) {
  let output = '';
  const causes: string[] = [];
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const child = FfmpegProcess.start({
    ...{ executable, args, clock: systemClock, maxQueuedBytes: 1 << 20 },
    onOutput: (chunk) => {
      output += chunk;
    },
    onEnd: (cause) => {
      causes.push(cause);
      end();
    },
    ...options,
  });
  return { child, ended, causes, output: () => output };
}

test('what is written comes in order, and its end lets the child finish', async () => {
  const { child, causes, output } = start('cat', []);
  expect(child.write([Buffer.from('a'), Buffer.from('bc')])).toBe(true);
  expect(child.write([Buffer.from('d')])).toBe(true);
  await child.stop();
  expect(output()).toBe('abcd');
  expect(causes).toEqual(['stopped']);
  await child.stop();
  expect(causes).toHaveLength(1);
});

test.each<[string, string, string[], RegExp]>([
  [
    'an executable that is not there',
    'no-such-executable',
    [],
    /^no-such-executable is not installed: install/,
  ],
  ['one that may not be run', '/etc/passwd', [], /could not be started: .*EACCES/],
  ['an exit code', 'sh', ['-c', 'echo too bad >&2; exit 3'], /^exit code 3: too bad$/],
  ['an end in silence', 'sh', ['-c', 'exit 0'], /^exit code 0$/],
  ['a signal', 'sh', ['-c', 'kill -TERM $$'], /^killed by SIGTERM$/],
])('%s is a cause', async (_, executable, args, expected) => {
  const { child, ended, causes } = start(executable, args);
  child.write([Buffer.from('x')]);
  await ended;
  expect(causes).toHaveLength(1);
  expect(causes[0]).toMatch(expected);
  expect(child.write([Buffer.from('x')])).toBe(false);
  child.kill();
  await child.stop();
  expect(causes).toHaveLength(1);
});

test('only the last of its words are kept', async () => {
  const { ended, causes } = start('sh', [
    '-c',
    'head -c 100000 /dev/zero | tr "\\0" x >&2; echo end >&2; exit 1',
  ]);
  await ended;
  expect(causes[0]).toMatch(/^exit code 1: x+end$/);
  expect(causes[0]!.length).toBeLessThan(2100);
});

test('what it wrote before it ended comes before its end', async () => {
  const { ended, output } = start('sh', ['-c', 'head -c 300000 /dev/zero']);
  await ended;
  expect(output()).toHaveLength(300_000);
});

test('it sees none of our environment', async () => {
  const { ended, output } = start('env', []);
  await ended;
  expect(output().trim().split('\n')).toEqual([expect.stringMatching(/^PATH=/)]);
});

describe('a child that does not read', () => {
  test('has so much waiting for it and no more', async () => {
    const { child } = start('sleep', ['60'], { maxQueuedBytes: 1 << 20 });
    const piece = Buffer.alloc(1 << 18);
    const taken = Array.from({ length: 20 }, () => child.write([piece]));
    expect(taken[0]).toBe(true);
    expect(taken.at(-1)).toBe(false);
    expect(child.queuedBytes).toBeLessThanOrEqual(1 << 20);
    child.kill();
    await child.stop();
  });

  test('is killed half a second after it was to stop', async () => {
    const clock = new FakeClock();
    const { child, causes } = start('sleep', ['60'], { clock });
    const stopped = child.stop();
    clock.advance(499);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    await stopped;
    expect(causes).toEqual(['stopped']);
  });
});
