import { describe, expect, test } from 'vitest';
import { PatchroomError } from '../../../src/base/errors.ts';
import type { Output } from '../../../src/outputs/output.ts';
import type { Track } from '../../../src/room/track.ts';
import { addressAt, LIVE, STREAM_KEY } from '../support/fake-outputs.ts';
import { turn } from '../support/fake-process.ts';
import { OutputBench } from '../support/output-bench.ts';
import { refusal } from '../support/refusal.ts';
import { camera, openRoom, person } from '../support/rooms.ts';

const A = addressAt('a.example');
const B = addressAt('b.example');
const C = addressAt('c.example');
const MASKED_A = 'rtmp://a.example/app/{***}';

function statusesOf({ destinations }: Output): string[] {
  return destinations.map(({ status }) => status);
}

describe('an output', () => {
  test('is dialled address by address, and known from then on', async () => {
    const bench = new OutputBench();
    bench.clock.advance(1_000);
    const output = await bench.start([A, B]);
    const now = bench.clock.wallClock();
    expect(output).toMatchObject({
      id: expect.stringMatching(/^EG_/),
      roomName: 'lounge',
      roomSid: bench.room.sid,
      source: { type: 'room' },
      status: 'starting',
      error: '',
      startedAt: now,
      updatedAt: now,
      endedAt: undefined,
    });
    expect(output.destinations.map(({ address, shownAddress }) => [address, shownAddress])).toEqual([
      [A, MASKED_A],
      [B, 'rtmp://b.example/app/{***}'],
    ]);
    expect(output.destinations[0]).toMatchObject({
      startedAt: now,
      endedAt: undefined,
      status: 'active',
      report: { state: 'connecting', retries: 0 },
    });
    const [program] = bench.programs;
    expect(bench.pushes.map(({ request }) => request)).toEqual(
      [A, B].map((address) => ({ room: bench.room, address, program })),
    );
    expect([bench.outputs.all, bench.outputs.get(output.id)]).toEqual([[output], output]);
    expect(bench.outputs.get('EG_x')).toBeUndefined();
  });

  test('shares its program with the others of the room, until the last has ended', async () => {
    const bench = new OutputBench();
    bench.gates.program.open = false;
    const starting = [bench.start([A]), bench.start([B])];
    await turn();
    await bench.gates.program.letAll();
    const [first, second] = (await Promise.all(starting)) as [Output, Output];
    const third = await bench.start([C]);
    expect(bench.programs).toHaveLength(1);
    await bench.outputs.stop(first.id);
    await bench.outputs.stop(third.id);
    expect(bench.openPrograms).toHaveLength(1);
    await bench.outputs.stop(second.id);
    await turn();
    expect(bench.programs.map(({ closed }) => closed)).toEqual([1]);
    await bench.start([A]);
    expect(bench.programs).toHaveLength(2);
  });

  test('of a participant, or of another room, has a program of its own', async () => {
    const bench = new OutputBench();
    const { room: other } = openRoom();
    bench.room.join(person('bob'));
    await bench.start([A]);
    await bench.start([A], { type: 'participant', identity: 'ann' });
    await bench.start([B], { type: 'participant', identity: 'ann' });
    await bench.start([A], { type: 'participant', identity: 'bob' });
    await bench.outputs.start(other, { type: 'room' }, [A]);
    expect(bench.programs.map(({ room, of }) => [room === other, of])).toEqual([
      [false, { type: 'room' }],
      [false, { type: 'participant', identity: 'ann' }],
      [false, { type: 'participant', identity: 'bob' }],
      [true, { type: 'room' }],
    ]);
  });

  test('tells whose picture goes out of the room, while one does', async () => {
    const bench = new OutputBench();
    const ann = bench.room.participant('ann')!;
    const track: Track = ann.publish(camera());
    const { outputs, room } = bench;
    await bench.start([A], { type: 'participant', identity: 'ann' });
    bench.programs[0]!.shown = track;
    expect(outputs.shown(room)).toBeUndefined();
    const output = await bench.start([A]);
    expect(outputs.shown(room)).toBeUndefined();
    bench.programs[1]!.shown = track;
    expect(outputs.shown(room)).toEqual({ identity: 'ann', track: track.sid });
    expect(outputs.shown(openRoom().room)).toBeUndefined();
    await outputs.stop(output.id);
    expect(outputs.shown(room)).toBeUndefined();
  });
});

describe('goes through', () => {
  test('starting, active once one of it is live, complete', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.say(A, { state: 'connecting' });
    expect(output.status).toBe('starting');
    bench.clock.advance(500);
    await bench.say(B);
    expect([output.status, output.updatedAt]).toEqual(['active', bench.clock.wallClock()]);
    await bench.say(B, { state: 'waiting', reason: 'lost' });
    expect(output.status).toBe('active');
    bench.clock.advance(500);
    const stopped = bench.outputs.stop(output.id);
    expect(output.status).toBe('ending');
    await stopped;
    expect(output).toMatchObject({ status: 'complete', error: '', endedAt: bench.clock.wallClock() });
    expect([statusesOf(output), bench.going]).toEqual([['finished', 'finished'], []]);
  });

  test('starting, aborted', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    await bench.outputs.stop(output.id);
    expect(output.status).toBe('aborted');
  });

  test('failed, when all it goes to has failed', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.say(A);
    await bench.giveUp(A, 'no such key');
    expect([output.status, output.error, statusesOf(output)]).toEqual(['active', '', ['failed', 'active']]);
    expect(output.destinations[0]).toMatchObject({
      error: 'no such key',
      endedAt: bench.clock.wallClock(),
      report: {
        state: 'failed',
        reason: 'no such key',
        bytesSent: LIVE.bytesSent,
        bitrateBps: 0,
        uptimeMs: 0,
      },
    });
    await bench.giveUp(B, 'go away');
    expect(output).toMatchObject({
      status: 'failed',
      error: `${MASKED_A}: no such key; rtmp://b.example/app/{***}: go away`,
      endedAt: bench.clock.wallClock(),
    });
    expect(bench.openPrograms).toEqual([]);
  });

  test('failed, when the last that was not taken away has failed', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.outputs.update(output.id, { add: [], remove: [A] });
    await bench.giveUp(B, 'go away');
    expect([output.status, statusesOf(output)]).toEqual(['failed', ['finished', 'failed']]);
    expect(output.error).toBe('rtmp://b.example/app/{***}: go away');
  });

  test('failed, when the only one had failed before the answer that it had begun', async () => {
    const bench = new OutputBench();
    bench.gates.dial.open = false;
    const starting = bench.start([A]);
    await turn();
    await bench.giveUp(A, 'not permitted');
    await bench.gates.dial.letAll();
    const output = await starting;
    await turn();
    expect([output.status, output.error]).toEqual(['failed', `${MASKED_A}: not permitted`]);
    expect(bench.openPrograms).toEqual([]);
  });

  test('no end, when the first has failed while the next is dialled', async () => {
    const bench = new OutputBench();
    bench.gates.dial.open = false;
    const starting = bench.start([A, B]);
    await turn();
    await bench.gates.dial.letOne();
    await bench.giveUp(A, 'not permitted');
    await bench.gates.dial.letAll();
    const output = await starting;
    expect([output.status, statusesOf(output), bench.going]).toEqual(['starting', ['failed', 'active'], [B]]);
  });
});

describe('ends', () => {
  test.each<[string, (bench: OutputBench) => void]>([
    ['with its room', ({ room }) => room.close('deleted')],
    ['with the participant it is of', ({ room }) => room.participant('ann')!.leave('left')],
  ])('%s', async (_, go) => {
    const bench = new OutputBench();
    bench.room.join(person('bob'));
    const output = await bench.start([A], { type: 'participant', identity: 'ann' });
    await bench.say(A);
    bench.room.participant('bob')!.leave('left');
    await turn();
    expect(output.status).toBe('active');
    go(bench);
    await turn();
    expect([output.status, bench.going, bench.openPrograms]).toEqual(['complete', [], []]);
  });

  test('not with somebody who leaves, when it is of the room', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    bench.room.participant('ann')!.leave('left');
    await turn();
    expect([output.endedAt, bench.going]).toEqual([undefined, [A]]);
  });

  test.each<[string, (bench: OutputBench) => unknown]>([
    ['the room closes', ({ room }) => room.close('deleted')],
    ['the participant leaves', ({ room }) => room.participant('ann')!.leave('left')],
    ['it is stopped', ({ outputs }) => outputs.stop(outputs.all[0]!.id)],
    ['the server stops', ({ outputs }) => outputs.stopAll()],
  ])('while it starts and %s, with nothing left', async (_, go) => {
    for (const place of ['program', 'dial'] as const) {
      const bench = new OutputBench();
      bench.gates[place].open = false;
      const starting = bench.start([A, B], { type: 'participant', identity: 'ann' });
      starting.catch(() => {}); // looked at below
      await turn();
      expect(bench.gates[place].waiting).toBe(1);
      await go(bench);
      await turn();
      await bench.gates[place].letAll();
      await expect(starting).rejects.toThrow(refusal('failed-precondition'));
      expect([bench.going, bench.openPrograms, bench.outputs.all]).toEqual([[], [], []]);
    }
  });

  test('all of them with the server, which begins no more', async () => {
    const bench = new OutputBench();
    const outputs = [await bench.start([A]), await bench.start([B])];
    await bench.say(A);
    await bench.outputs.stopAll();
    await bench.outputs.stopAll();
    expect(outputs.map(({ status }) => status)).toEqual(['complete', 'aborted']);
    expect([bench.going, bench.openPrograms]).toEqual([[], []]);
    await expect(bench.start([A])).rejects.toThrow(refusal('unavailable'));
  });

  test('once: what is heard of it later changes nothing', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.outputs.stop(output.id);
    const before = { status: output.status, updatedAt: output.updatedAt, statuses: statusesOf(output) };
    bench.clock.advance(1_000);
    await bench.say(A);
    await bench.giveUp(B, 'late');
    await bench.die();
    bench.room.close('deleted');
    await turn();
    expect({ status: output.status, updatedAt: output.updatedAt, statuses: statusesOf(output) }).toEqual(
      before,
    );
    expect([bench.pushes.length, bench.clock.pending]).toEqual([2, 0]);
    for (const change of [
      bench.outputs.stop(output.id),
      bench.outputs.update(output.id, { add: [C], remove: [] }),
    ])
      await expect(change).rejects.toThrow(refusal('failed-precondition'));
  });

  test('and is remembered, among the last hundred', async () => {
    const bench = new OutputBench();
    const running = await bench.start([A]);
    const ids: string[] = [];
    for (let count = 0; count < 103; count++) {
      const { id } = await bench.start([B]);
      ids.push(id);
      await bench.outputs.stop(id);
    }
    expect(bench.outputs.all.map(({ id }) => id)).toEqual([running.id, ...ids.slice(3)]);
  });
});

test('no key stands in a log line, whatever happens', async () => {
  const bench = new OutputBench();
  const output = await bench.start([A, B]);
  await bench.say(A);
  await bench.outputs.update(output.id, { add: [C], remove: [B] });
  await bench.giveUp(C, 'no such key');
  bench.failures.program = [new PatchroomError('unavailable')];
  await bench.die();
  bench.clock.advance(1_000);
  await turn();
  await bench.giveUp(A, 'no such key');
  await bench.start([`x:${STREAM_KEY}`]).catch(() => {});
  expect(output.status).toBe('failed');
  for (const said of ['output started', 'output is live', 'destination added', 'set up anew', 'output ended'])
    expect(bench.log.text).toContain(said);
  expect(bench.log.text).toContain(MASKED_A);
  expect(bench.log.text).not.toContain(STREAM_KEY);
});
