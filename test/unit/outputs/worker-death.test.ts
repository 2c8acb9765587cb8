import { describe, expect, test } from 'vitest';
import { PatchroomError } from '../../../src/base/errors.ts';
import { addressAt, LIVE } from '../support/fake-outputs.ts';
import { turn } from '../support/fake-process.ts';
import { type FakeProgram, type FakePush, OutputBench } from '../support/output-bench.ts';
import { refusal } from '../support/refusal.ts';

const A = addressAt('a.example');
const B = addressAt('b.example');
const C = addressAt('c.example');

const gone = () => new PatchroomError('unavailable', 'The media worker is gone.');

describe('the media worker dies', () => {
  test('everything is dialled again on a program of the next one, and that is counted', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.say(A, { retries: 2 });
    bench.gates.program.open = false;
    bench.clock.advance(5_000);
    await bench.die();
    expect(output.destinations[0]!.report).toEqual({
      state: 'waiting',
      reason: 'The process that made the program ended: killed by SIGKILL',
      bitrateBps: 0,
      bytesSent: LIVE.bytesSent,
      framesDropped: LIVE.framesDropped,
      retries: 3,
      lastRetryAt: bench.clock.wallClock(),
      uptimeMs: 0,
    });
    expect(output.destinations[1]!.report).toMatchObject({ state: 'waiting', retries: 1, bytesSent: 0 });
    const lostAt = bench.clock.wallClock();
    bench.clock.advance(50);
    await bench.gates.program.letAll();
    expect(bench.going).toEqual([A, B]);
    expect(bench.pushes.slice(2).map(({ request }) => request.program)).toEqual([
      bench.programs[1],
      bench.programs[1],
    ]);
    expect(output.destinations[0]!.report).toMatchObject({
      state: 'connecting',
      retries: 3,
      lastRetryAt: lostAt,
    });
    await bench.say(A, { retries: 1, bytesSent: 10, framesDropped: 1 });
    expect(output.destinations[0]!.report).toMatchObject({
      state: 'live',
      retries: 4,
      bytesSent: LIVE.bytesSent + 10,
      framesDropped: LIVE.framesDropped + 1,
    });
    expect([output.status, output.destinations.length]).toEqual(['active', 2]);
    expect(bench.openPrograms).toEqual([bench.programs[1]]);
  });

  test('all outputs of the room share the new program as well', async () => {
    const bench = new OutputBench();
    const outputs = [await bench.start([A]), await bench.start([B])];
    await bench.die();
    expect([bench.programs.length, bench.going]).toEqual([2, [A, B]]);
    for (const { id } of outputs) await bench.outputs.stop(id);
    await turn();
    expect(bench.openPrograms).toEqual([]);
  });

  test('again and again', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    for (let deaths = 1; deaths <= 5; deaths++) {
      await bench.die();
      await bench.say(A, { retries: 0, bytesSent: 100 });
      const [destination] = output.destinations;
      expect(destination!.report).toMatchObject({ state: 'live', retries: deaths, bytesSent: deaths * 100 });
    }
    expect([bench.going, bench.openPrograms.length]).toEqual([[A], 1]);
  });

  test('what was taken away or has failed before is not dialled again', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B, C]);
    await bench.outputs.update(output.id, { add: [], remove: [A] });
    await bench.giveUp(B, 'no such key');
    await bench.die();
    expect(bench.going).toEqual([C]);
    expect(output.destinations.map(({ status }) => status)).toEqual(['finished', 'failed', 'active']);
  });
});

describe('time goes on when the media worker dies', () => {
  /** Where the latest push began to count, by the machine's clock, ms. */
  const beginning = ({ request }: FakePush) =>
    (request.program as unknown as FakeProgram).epochAt + request.originUs! / 1000;

  test('in the next program, and in each destination', async () => {
    const bench = new OutputBench();
    await bench.start([A, B]);
    await bench.say(A, { originUs: 2_500_000 });
    await bench.say(B, { originUs: 7_500_000 });
    await bench.die();
    expect(bench.programs.map(({ epochAt }) => epochAt)).toEqual([1_000, 1_000]);
    expect(bench.pushes.map(({ request }) => request.originUs)).toEqual([
      undefined,
      undefined,
      2_500_000,
      7_500_000,
    ]);
  });

  test('also when nothing was sent yet: then it begins anew', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    await bench.say(A, { state: 'connecting' });
    await bench.die();
    expect(bench.pushes.at(-1)!.request.originUs).toBeUndefined();
  });

  test('again and again', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    await bench.say(A, { originUs: 2_500_000 });
    for (let deaths = 0; deaths < 5; deaths++) {
      await bench.die();
      await bench.say(A, { originUs: 2_500_000 });
    }
    expect(bench.pushes.slice(1).map(({ request }) => request.originUs)).toEqual(Array(5).fill(2_500_000));
  });

  test('also when the next one dies before it told anything', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    await bench.say(A, { originUs: 2_500_000 });
    await bench.die();
    await bench.die();
    expect(bench.pushes.slice(1).map(({ request }) => request.originUs)).toEqual([2_500_000, 2_500_000]);
  });

  test('also when the next one dies while it dials', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    await bench.say(A, { originUs: 2_500_000 });
    bench.gates.dial.open = false;
    await bench.die();
    await bench.die();
    await bench.gates.dial.letOne(gone());
    await bench.gates.dial.letAll();
    expect(bench.pushes.at(-1)!.request.originUs).toBe(2_500_000);
  });

  test('also when it takes several attempts', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    await bench.say(A, { originUs: 2_500_000 });
    bench.failures.program = [gone()];
    bench.failures.dial = [new PatchroomError('timeout')];
    await bench.die();
    for (let second = 0; second < 2; second++) {
      bench.clock.advance(1_000);
      await turn();
    }
    expect(bench.going).toEqual([A]);
    expect(beginning(bench.pushes.at(-1)!)).toBe(1_000 + 2_500);
  });

  test('also in a program that another output of the room began meanwhile, with a time of its own', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    await bench.say(A, { originUs: 2_500_000 });
    bench.failures.program = [gone()];
    await bench.die();
    await bench.start([C]);
    bench.clock.advance(1_000);
    await turn();
    expect(bench.going).toEqual([C, A]);
    expect(bench.programs).toHaveLength(2);
    expect(beginning(bench.pushes.at(-1)!)).toBe(1_000 + 2_500);
  });

  test('and a destination that is added later begins a time of its own', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    await bench.say(A, { originUs: 2_500_000 });
    await bench.die();
    await bench.outputs.update(output.id, { add: [B], remove: [] });
    expect(bench.pushes.at(-1)!.request.originUs).toBeUndefined();
  });
});

describe('what cannot be set up anew', () => {
  test('for want of a worker is tried each second', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    bench.failures.program = [gone(), gone()];
    await bench.die();
    await expect(bench.outputs.update(output.id, { add: [B], remove: [] })).rejects.toThrow(
      refusal('unavailable'),
    );
    bench.clock.advance(1_000);
    await turn();
    expect([bench.going, output.destinations[0]!.report.state]).toEqual([[], 'waiting']);
    bench.clock.advance(999);
    await turn();
    expect(bench.going).toEqual([]);
    bench.clock.advance(1);
    await turn();
    expect([bench.going, bench.programs.length, bench.clock.pending]).toEqual([[A], 2, 0]);
    expect(output.destinations[0]!.report.retries).toBe(1);
  });

  test.each(['unavailable', 'timeout', 'internal'] as const)(
    'for a moment (%s) is tried again, and the others are not disturbed',
    async (code) => {
      const bench = new OutputBench();
      const output = await bench.start([A, B]);
      bench.failures.dial = [new PatchroomError(code)];
      await bench.die();
      expect([bench.going, output.destinations.map(({ status }) => status)]).toEqual([
        [B],
        ['active', 'active'],
      ]);
      bench.clock.advance(1_000);
      await turn();
      expect([bench.going, bench.programs.length, bench.clock.pending]).toEqual([[B, A], 2, 0]);
    },
  );

  test('since the address is not permitted any more: that one has failed', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    bench.failures.dial = [new PatchroomError('invalid-request', 'It leads back.')];
    await bench.die();
    expect(bench.going).toEqual([B]);
    expect(output.destinations[0]).toMatchObject({ status: 'failed', error: 'It leads back.' });
    expect([output.endedAt, bench.clock.pending]).toEqual([undefined, 0]);
  });

  test('since the next worker dies while it dials: the one after does it', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    bench.gates.dial.open = false;
    await bench.die();
    expect(bench.gates.dial.waiting).toBe(2);
    await bench.die();
    await bench.gates.dial.letOne(gone());
    await bench.gates.dial.letOne(gone());
    await bench.gates.dial.letAll();
    expect(output.destinations.map(({ status }) => status)).toEqual(['active', 'active']);
    expect(bench.pushes.filter(({ ended }) => !ended).map(({ request }) => request.program)).toEqual([
      bench.programs[2],
      bench.programs[2],
    ]);
    expect(output.destinations.map(({ report }) => report.retries)).toEqual([2, 2]);
    expect([bench.openPrograms, bench.clock.pending]).toEqual([[bench.programs[2]], 0]);
  });

  test('since the next worker dies before the second attempt: nothing is dialled twice', async () => {
    const bench = new OutputBench();
    await bench.start([A]);
    bench.failures.dial = [new PatchroomError('timeout')];
    await bench.die();
    await bench.die();
    bench.clock.advance(10_000);
    await turn();
    expect([bench.going, bench.programs.length, bench.clock.pending]).toEqual([[A], 3, 0]);
    expect(bench.openPrograms).toEqual([bench.programs[2]]);
  });
});

describe('stopped meanwhile', () => {
  test.each(['program', 'dial'] as const)('while the %s is awaited: nothing is left', async (place) => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    await bench.say(A);
    bench.gates[place].open = false;
    await bench.die();
    expect(bench.gates[place].waiting).toBe(1);
    await bench.outputs.stop(output.id);
    await bench.gates[place].letAll();
    expect([output.status, bench.going, bench.openPrograms]).toEqual(['complete', [], []]);
    expect(bench.clock.pending).toBe(0);
  });

  test('while it waits for the next attempt: there is none', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    bench.failures.program = [gone()];
    await bench.die();
    expect(bench.clock.pending).toBe(1);
    await bench.outputs.stop(output.id);
    expect(bench.clock.pending).toBe(0);
  });

  test('a worker that dies while an output starts: it is refused, with nothing left', async () => {
    const bench = new OutputBench();
    bench.gates.dial.open = false;
    const starting = bench.start([A, B]);
    starting.catch(() => {}); // looked at below
    await turn();
    await bench.gates.dial.letOne();
    await bench.die();
    await bench.gates.dial.letOne(gone());
    await bench.gates.dial.letAll();
    await expect(starting).rejects.toThrow(refusal('unavailable'));
    expect([bench.going, bench.openPrograms, bench.outputs.all]).toEqual([[], [], []]);
  });
});
