import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/base/log.ts';
import { Supervisor } from '../../../src/workers/supervisor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProcess, turn } from '../support/fake-process.ts';

/** A supervisor whose processes come up, or fail to, when the test says so. */
function superviseSlowly(count: number) {
  const clock = new FakeClock();
  const starts: PromiseWithResolvers<FakeProcess>[] = [];
  const supervisor = new Supervisor<FakeProcess>({
    name: 'test worker',
    count,
    clock,
    log: createLogger('silent'),
    start: () => {
      starts.push(Promise.withResolvers());
      return starts.at(-1)!.promise;
    },
  });
  const up = (index: number) => {
    const worker = new FakeProcess(index + 1);
    starts[index]!.resolve(worker);
    return worker;
  };
  return { supervisor, clock, starts, up };
}

async function stoppedWhileReplacing() {
  const { supervisor, clock, up } = superviseSlowly(1);
  const started = supervisor.start();
  up(0).die('crash');
  await started;
  await turn();
  clock.advance(100);
  const stopped = supervisor.stop();
  const replacement = up(1);
  await stopped;
  return { supervisor, clock, replacement };
}

describe('a start that fails', () => {
  test('is told with its error, and leaves none running', async () => {
    const { supervisor, clock, starts, up } = superviseSlowly(3);
    const started = supervisor.start();
    starts[1]!.reject(new Error('port in use'));
    const others = [up(0), up(2)];
    await expect(started).rejects.toThrow('port in use');
    expect(others.map(({ closed }) => closed)).toEqual([true, true]);
    expect(supervisor.workers).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('stopping', () => {
  test('closes all and leaves no timer and no replacement', async () => {
    const { supervisor, clock, starts, up } = superviseSlowly(2);
    const started = supervisor.start();
    const workers = [up(0), up(1)];
    await started;
    await supervisor.stop();
    clock.advance(60_000);
    await turn();
    expect(workers.map(({ closed, killed }) => ({ closed, killed }))).toEqual([
      { closed: true, killed: 0 },
      { closed: true, killed: 0 },
    ]);
    expect(supervisor.workers).toEqual([]);
    expect(supervisor.deaths).toBe(0);
    expect(starts).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  test('while a replacement is due calls it off', async () => {
    const { supervisor, clock, starts, up } = superviseSlowly(1);
    const started = supervisor.start();
    const worker = up(0);
    await started;
    worker.die('crash');
    await turn();
    await supervisor.stop();
    clock.advance(60_000);
    expect(starts).toHaveLength(1);
  });

  test('while a replacement comes up waits for it and closes it too', async () => {
    const { supervisor, replacement } = await stoppedWhileReplacing();
    expect(replacement.closed).toBe(true);
    expect(supervisor.workers).toEqual([]);
  });

  test('while a replacement comes up leaves no timer either', async () => {
    const { clock } = await stoppedWhileReplacing();
    expect(clock.pending).toBe(0);
  });

  test('while the first ones come up closes them too', async () => {
    const { supervisor, up } = superviseSlowly(1);
    const started = supervisor.start();
    const stopped = supervisor.stop();
    const worker = up(0);
    await Promise.allSettled([started, stopped]);
    await turn();
    expect(worker.closed).toBe(true);
    expect(supervisor.workers).toEqual([]);
  });

  test('does not take a process that ends by itself for a death', async () => {
    const { supervisor, up } = superviseSlowly(2);
    const died: string[] = [];
    supervisor.on('died', (_, cause) => died.push(cause));
    const started = supervisor.start();
    const [, second] = [up(0), up(1)];
    await started;
    const stopped = supervisor.stop();
    second.die('exit code 0');
    await stopped;
    await turn();
    expect(died).toEqual([]);
  });
});
