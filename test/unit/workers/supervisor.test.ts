import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { Supervisor } from '../../../src/workers/supervisor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProcess, turn } from '../support/fake-process.ts';

/** A supervisor of fake processes; `failing` decides at each start whether it fails. */
function supervise(count: number, failing: (index: number) => boolean = () => false) {
  const clock = new FakeClock();
  const started: FakeProcess[] = [];
  const supervisor = new Supervisor<FakeProcess>({
    name: 'test worker',
    count,
    clock,
    log: createLogger('silent'),
    start: async (index) => {
      if (failing(index)) throw new Error(`place ${index} cannot start`);
      const worker = new FakeProcess(started.length + 1);
      started.push(worker);
      return worker;
    },
  });
  const heard: string[] = [];
  supervisor.on('died', ({ pid }, cause) => heard.push(`${pid} died: ${cause}`));
  supervisor.on('replaced', ({ pid }) => heard.push(`${pid} came`));
  const pids = () => supervisor.workers.map(({ pid }) => pid);
  return { supervisor, clock, started, heard, pids };
}

describe('a process that dies', () => {
  test('is told with its cause and replaced in its place', async () => {
    const { supervisor, clock, started, heard, pids } = supervise(3);
    await supervisor.start();
    started[1]!.die('exit code 1');
    await turn();
    expect(pids()).toEqual([1, 3]);
    clock.advance(100);
    await turn();
    expect(pids()).toEqual([1, 4, 3]);
    expect(heard).toEqual(['2 died: exit code 1', '4 came']);
    expect(supervisor.deaths).toBe(1);
  });

  test('again and again is replaced ever later, up to 10 s', async () => {
    const { supervisor, clock, started } = supervise(1);
    await supervisor.start();
    for (const delayMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
      const before = started.length;
      started.at(-1)!.die('crash');
      await turn();
      clock.advance(delayMs - 1);
      expect(started).toHaveLength(before);
      clock.advance(1);
      await turn();
      expect(started).toHaveLength(before + 1);
    }
  });

  test('after it was healthy for a while is replaced without delay, and the delays start anew', async () => {
    const { supervisor, clock, started } = supervise(1);
    await supervisor.start();
    for (let i = 0; i < 3; i++) {
      started.at(-1)!.die('crash');
      await turn();
      clock.advance(10_000);
      await turn();
    }
    clock.advance(10_001);
    started.at(-1)!.die('crash');
    await turn();
    clock.advance(0);
    await turn();
    expect(started).toHaveLength(5);
    started.at(-1)!.die('crash');
    await turn();
    clock.advance(100);
    await turn();
    expect(started).toHaveLength(6);
  });

  test('is tried again when its replacement does not start', async () => {
    let attempts = 0;
    const { supervisor, clock, started, heard } = supervise(1, () => ++attempts > 1 && attempts < 5);
    await supervisor.start();
    started[0]!.die('crash');
    for (const delayMs of [100, 200, 400, 800]) {
      await turn();
      expect(supervisor.workers).toEqual([]);
      clock.advance(delayMs);
    }
    await turn();
    expect(attempts).toBe(5);
    expect(heard).toEqual(['1 died: crash', '2 came']);
  });
});

describe('a process is asked every 5 s whether it works', () => {
  test('and left alone while it does', async () => {
    const { supervisor, clock, started } = supervise(1);
    await supervisor.start();
    for (let i = 1; i <= 10; i++) {
      clock.advance(5_000);
      await turn();
      expect(started[0]!.checks).toBe(i);
    }
    expect(started[0]!.killed).toBe(0);
    expect(supervisor.deaths).toBe(0);
  });

  test('and killed and replaced when it does not answer for 15 s', async () => {
    const { supervisor, clock, started, heard } = supervise(1);
    await supervisor.start();
    started[0]!.health = 'silent';
    clock.advance(5_000 + 14_999);
    await turn();
    expect(started[0]!.killed).toBe(0);
    clock.advance(1);
    await turn();
    clock.advance(0);
    await turn();
    expect(heard).toEqual(['1 died: killed by SIGKILL', '2 came']);
  });

  test('and killed and replaced when it answers with nothing but errors', async () => {
    const { supervisor, clock, started, heard } = supervise(1);
    await supervisor.start();
    started[0]!.health = 'failing';
    for (let i = 0; i < 12; i++) {
      clock.advance(5_000);
      await turn();
    }
    expect(heard).toEqual(['1 died: killed by SIGKILL', '2 came']);
  });

  test('and not any more once it is gone', async () => {
    const { supervisor, clock, started } = supervise(1);
    await supervisor.start();
    started[0]!.die('crash');
    await turn();
    clock.advance(60_000);
    expect(started[0]!.checks).toBe(0);
  });
});
