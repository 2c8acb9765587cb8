import { describe, expect, test } from 'vitest';
import { PatchroomError } from '../../../src/base/errors.ts';
import type { Output } from '../../../src/outputs/output.ts';
import { addressAt, LIVE, STREAM_KEY } from '../support/fake-outputs.ts';
import { turn } from '../support/fake-process.ts';
import { OutputBench } from '../support/output-bench.ts';
import { refusal } from '../support/refusal.ts';

const A = addressAt('a.example');
const B = addressAt('b.example');
const C = addressAt('c.example');
const MASKED_A = 'rtmp://a.example/app/{***}';

function statusesOf({ destinations }: Output): string[] {
  return destinations.map(({ status }) => status);
}

describe('destinations', () => {
  test('are added to the same program', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    await bench.outputs.update(output.id, { add: [B, C], remove: [] });
    expect([bench.going, bench.programs.length]).toEqual([[A, B, C], 1]);
    expect(new Set(bench.pushes.map(({ request }) => request.program))).toEqual(new Set(bench.programs));
  });

  test.each([A, MASKED_A])('are taken away by %s', async (address) => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.say(A);
    await bench.say(B);
    await bench.outputs.update(output.id, { add: [], remove: [address] });
    expect([bench.going, statusesOf(output), output.status]).toEqual([[B], ['finished', 'active'], 'active']);
    expect(output.destinations[0]!.report).toMatchObject({ bytesSent: LIVE.bytesSent, bitrateBps: 0 });
    await expect(bench.outputs.update(output.id, { add: [], remove: [address] })).rejects.toThrow(
      refusal('not-found'),
    );
  });

  test('are refused where the output goes already: a server takes a key once', async () => {
    const bench = new OutputBench();
    await expect(bench.start([A, A])).rejects.toThrow(refusal('invalid-request'));
    const output = await bench.start([A]);
    await expect(bench.outputs.update(output.id, { add: [A], remove: [] })).rejects.toThrow(
      refusal('invalid-request'),
    );
    expect(bench.going).toEqual([A]);
  });

  test('can all be exchanged at once, and the last be taken away', async () => {
    const bench = new OutputBench({ maxDestinations: 2 });
    const output = await bench.start([A, B]);
    await bench.outputs.update(output.id, { add: [C, addressAt('d.example')], remove: [A, B] });
    expect(bench.going).toEqual([C, addressAt('d.example')]);
    await bench.outputs.update(output.id, { add: [], remove: [...bench.going] });
    expect(output.endedAt).toBeUndefined();
    await bench.outputs.update(output.id, { add: [A], remove: [] });
    expect(bench.going).toEqual([A]);
  });

  test('one failed, the other is exchanged: it goes on', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A, B]);
    await bench.giveUp(A, 'no such key');
    await bench.outputs.update(output.id, { add: [C], remove: [B] });
    expect([output.status, bench.going]).toEqual(['starting', [C]]);
  });

  test('that are not permitted: those before are there, and the others go on', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    const change = bench.outputs.update(output.id, { add: [B, 'file:x', C], remove: [] });
    await expect(change).rejects.toThrow(refusal('invalid-request'));
    expect([bench.going, output.endedAt]).toEqual([[A, B], undefined]);
  });

  test('all failed while one was added in vain: it has failed', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    bench.gates.dial.open = false;
    const adding = bench.outputs.update(output.id, { add: [B], remove: [] });
    adding.catch(() => {}); // looked at below
    await turn();
    await bench.giveUp(A, 'no such key');
    expect(output.status).toBe('starting');
    await bench.gates.dial.letOne(new PatchroomError('invalid-request', 'No.'));
    await expect(adding).rejects.toThrow(refusal('invalid-request'));
    expect(output.status).toBe('failed');
  });

  test('one that is added while it ends goes nowhere', async () => {
    const bench = new OutputBench();
    const output = await bench.start([A]);
    bench.gates.dial.open = false;
    const adding = bench.outputs.update(output.id, { add: [B], remove: [] });
    adding.catch(() => {}); // looked at below
    await turn();
    await bench.outputs.stop(output.id);
    await bench.gates.dial.letAll();
    await expect(adding).rejects.toThrow(refusal('failed-precondition'));
    expect([bench.going, bench.openPrograms]).toEqual([[], []]);
  });
});

describe('refused', () => {
  test.each<[string, string[], string]>([
    ['without an address', [], 'There is no address'],
    ['with another scheme', [`srt://a.example/${STREAM_KEY}`], 'begin with one of rtmp:, rtmps:'],
    ['with none', [STREAM_KEY], 'begin with one of rtmp:, rtmps:'],
    ['after one that was dialled', [A, `x:${STREAM_KEY}`], 'begin with one of rtmp:, rtmps:'],
  ])('%s: nothing is left of it', async (_, addresses, words) => {
    const bench = new OutputBench();
    const error = await bench.start(addresses).then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    );
    expect(error).toEqual(refusal('invalid-request'));
    expect(error.message).toContain(words);
    expect(error.message).not.toContain(STREAM_KEY);
    await turn();
    expect([bench.going, bench.openPrograms, bench.outputs.all]).toEqual([[], [], []]);
    expect(bench.room.listenerCount('closed')).toBe(0);
  });

  test('schemes are those of any letters', async () => {
    const bench = new OutputBench();
    await bench.start(['RTMPS://a.example/app/x']);
    expect(bench.pushes).toHaveLength(1);
  });

  test('beyond the limits', async () => {
    const bench = new OutputBench({ maxOutputs: 2, maxDestinations: 2 });
    await expect(bench.start([A, B, C])).rejects.toThrow(refusal('limit-reached'));
    const first = await bench.start([A, B]);
    const tooMany = bench.outputs.update(first.id, { add: [C], remove: [] });
    await expect(tooMany).rejects.toThrow(refusal('limit-reached'));
    await bench.start([C]);
    await expect(bench.start([A])).rejects.toThrow('outputs.max');
    expect(bench.going).toEqual([A, B, C]);
    // What has ended counts no more.
    await bench.outputs.update(first.id, { add: [C], remove: [B] });
    await bench.outputs.stop(first.id);
    await bench.start([A]);
  });

  test('beyond the limit when several start at once', async () => {
    const bench = new OutputBench({ maxOutputs: 1 });
    const starting = [bench.start([A]), bench.start([B])];
    const settled = await Promise.allSettled(starting);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  test('of somebody who is not there, and of a room that has closed', async () => {
    const bench = new OutputBench();
    await expect(bench.start([A], { type: 'participant', identity: 'zoe' })).rejects.toThrow(
      refusal('participant-not-found'),
    );
    bench.room.close('deleted');
    await expect(bench.start([A])).rejects.toThrow(refusal('room-not-found'));
    expect(bench.programs).toEqual([]);
  });

  test('of which there is none', async () => {
    const { outputs } = new OutputBench();
    await expect(outputs.stop('EG_x')).rejects.toThrow(refusal('not-found'));
    await expect(outputs.update('EG_x', { add: [], remove: [] })).rejects.toThrow(refusal('not-found'));
  });

  test('while there is no worker: nothing is left, and the next one is made anew', async () => {
    const bench = new OutputBench();
    bench.failures.program = [new PatchroomError('unavailable')];
    const settled = await Promise.allSettled([bench.start([A]), bench.start([B])]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([bench.outputs.all, bench.programs]).toEqual([[], []]);
    await bench.start([A]);
    expect(bench.openPrograms).toHaveLength(1);
  });
});
