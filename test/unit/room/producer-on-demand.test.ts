import { describe, expect, test } from 'vitest';
import { type OpenProducer, ProducerOnDemand } from '../../../src/room/producer-on-demand.ts';
import { turn } from '../support/fake-process.ts';

/** Opens producers when the test says so, and writes down what becomes of them. */
function producers() {
  const log: string[] = [];
  const waiting: { resolve(producer: OpenProducer): void; reject(error: Error): void }[] = [];
  let count = 0;
  let latest: Promise<OpenProducer>;
  const onDemand = new ProducerOnDemand(() => {
    log.push('open');
    latest = new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    return latest;
  });
  const open = async () => {
    const producerId = `p${++count}`;
    waiting.shift()!.resolve({ producerId, close: () => void log.push(`close ${producerId}`) });
    await turn();
  };
  const fail = async () => {
    waiting.shift()!.reject(new Error('no hub'));
    await turn();
  };
  return { onDemand, open, fail, log, opening: () => latest };
}

test('it is opened with the first hold and closed with the last', async () => {
  const { onDemand, open, log } = producers();
  expect(onDemand.producerId).toBeUndefined();
  const first = onDemand.hold();
  expect(onDemand.producerId).toBeUndefined();
  await open();
  const [one, two] = [await first, await onDemand.hold()];
  expect([one.producerId, two.producerId, onDemand.producerId]).toEqual(['p1', 'p1', 'p1']);
  one.release();
  await turn();
  expect(log).toEqual(['open']);
  two.release();
  await turn();
  expect(log).toEqual(['open', 'close p1']);
  expect(onDemand.producerId).toBeUndefined();
});

test('many who want it at once share one opening', async () => {
  const { onDemand, open, log } = producers();
  const wanted = Array.from({ length: 5 }, () => onDemand.hold());
  await open();
  const holds = await Promise.all(wanted);
  for (const hold of holds.slice(1)) hold.release();
  await turn();
  expect(log).toEqual(['open']);
  holds[0]!.release();
  await turn();
  expect(log).toEqual(['open', 'close p1']);
});

test('releasing twice counts once', async () => {
  const { onDemand, open, log } = producers();
  const [first, second] = [onDemand.hold(), onDemand.hold()];
  await open();
  const hold = await first;
  hold.release();
  hold.release();
  await turn();
  expect(log).toEqual(['open']);
  (await second).release();
  (await second).release();
  hold.release();
  await turn();
  expect(log).toEqual(['open', 'close p1']);
  const again = onDemand.hold();
  hold.release();
  await open();
  expect((await again).producerId).toBe('p2');
  await turn();
  expect(log).toEqual(['open', 'close p1', 'open']);
});

test('it is opened anew after it was closed, also in the same moment', async () => {
  const { onDemand, open, log } = producers();
  const first = onDemand.hold();
  await open();
  (await first).release();
  const second = onDemand.hold();
  expect(onDemand.producerId).toBeUndefined();
  await turn();
  expect(log).toEqual(['open', 'open', 'close p1']);
  await open();
  expect([(await second).producerId, onDemand.producerId]).toEqual(['p2', 'p2']);
});

test('whoever lets go as soon as it is open does not close it for those who wait', async () => {
  const { onDemand, open, log } = producers();
  const hasty = onDemand.hold().then((hold) => hold.release());
  const patient = onDemand.hold();
  await open();
  await hasty;
  expect([(await patient).producerId, onDemand.producerId]).toEqual(['p1', 'p1']);
  expect(log).toEqual(['open']);
  (await patient).release();
  await turn();
  expect(log).toEqual(['open', 'close p1']);
});

describe('an opening that fails', () => {
  test('fails for all who wait, and the next hold tries again', async () => {
    const { onDemand, open, fail, log } = producers();
    const waiting = Promise.allSettled([onDemand.hold(), onDemand.hold()]);
    await fail();
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(onDemand.producerId).toBeUndefined();
    const again = onDemand.hold();
    await open();
    const hold = await again;
    expect(hold.producerId).toBe('p1');
    hold.release();
    await turn();
    expect(log).toEqual(['open', 'open', 'close p1']);
  });

  test('does not take the next one along that was begun meanwhile', async () => {
    const { onDemand, open, fail, log, opening } = producers();
    const first = onDemand.hold();
    let again: ReturnType<ProducerOnDemand['hold']> | undefined;
    // Between the first one's failure and the second one's.
    opening().catch(() => {
      again = onDemand.hold();
    });
    const both = Promise.allSettled([first, onDemand.hold()]);
    await fail();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await open();
    const hold = await again!;
    expect([hold.producerId, onDemand.producerId]).toEqual(['p1', 'p1']);
    hold.release();
    await turn();
    expect(log).toEqual(['open', 'open', 'close p1']);
  });
});
