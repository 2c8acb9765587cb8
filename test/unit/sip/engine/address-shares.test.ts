import { describe, expect, test } from 'vitest';
import { Gatekeeper } from '../../../../gateways/sip/engine/gatekeeper.ts';
import type { Flow } from '../../../../gateways/sip/engine/transport.ts';
import { Bench, type RequestParts, UDP } from './workbench.ts';

/*
 * What the engine keeps in memory is bounded, and shared between the addresses that may call: whatever one of them sends, the
 * others get through, and what belongs to a call that stands comes before everything else.
 */

const OTHER: Flow = { ...UDP, address: '192.0.2.20' };
/** What an address may send with the limits that are the default, and for how long: a transaction is remembered for 32 s. */
const PER_SECOND = 950;
const SECONDS = 25;

/** A core with the usual limits, whose application answers nothing by itself. */
function shared(maxCalls = 500): Bench {
  const limits = { messagesPerSecond: 1000, callsPerSecond: 50, maxCalls };
  return new Bench((clock) => new Gatekeeper({ allow: ['192.0.2.0/24', '198.18.0.0/15'], ...limits }, clock));
}

/** Somebody sends as much as he may. @returns how many of them the application got */
function flood(bench: Bench, parts: (index: number) => RequestParts, status = 200): number {
  let served = 0;
  for (let index = 0; index < SECONDS * PER_SECOND; index++) {
    if (index % PER_SECOND === 0) bench.clock.advance(1000);
    bench.receive({ branch: `z9hG4bKflood${index}`, ...parts(index) });
    const got = bench.application.requests.splice(0);
    served += got.length;
    for (const { transaction } of status > 0 ? got : []) bench.respondTo(transaction, status);
  }
  bench.sent();
  return served;
}

const options = (index: number): RequestParts => ({ method: 'OPTIONS', callId: `options-${index}` });
const within = (tag: string, method: string, cseq: number, callId: string): RequestParts => ({
  method,
  cseq,
  callId,
  toTag: tag,
  branch: `z9hG4bK${method}${cseq}-${callId}`,
});

/** Another address than the one that floods may ask, and call. */
function expectNewServed(bench: Bench): void {
  for (const method of ['OPTIONS', 'INVITE']) {
    bench.receive({ method, callId: `new-${method}`, branch: `z9hG4bKnew${method}` }, OTHER);
    expect([method, bench.sent(), bench.methods()]).toEqual([method, [], [method]]);
  }
}

/** Its call goes on, and can be ended. */
function expectCallServed(bench: Bench, tag: string): void {
  for (const [index, method] of ['INFO', 'OPTIONS', 'BYE'].entries()) {
    bench.receive(within(tag, method, index + 2, 'other'), OTHER);
    expect([method, bench.sent(), bench.methods()]).toEqual([method, [], [method]]);
  }
}

describe('an address that sends as much as it may does not shut out another', () => {
  test.each<[string, (index: number) => RequestParts, number]>([
    ['with OPTIONS that are answered', options, 200],
    ['with OPTIONS that wait for their answers', options, 0],
    ['with what is refused', (index) => ({ method: 'REGISTER', callId: `r-${index}` }), 0],
    ['with BYE of calls that are not there', (index) => ({ method: 'BYE', callId: `b-${index}` }), 0],
  ])('%s', (_, parts, status) => {
    const bench = shared();
    const { tag } = bench.call({ callId: 'other', branch: 'z9hG4bKother' }, OTHER);
    flood(bench, parts, status);
    expectNewServed(bench);
    expectCallServed(bench, tag);
  });

  test('with requests in one call of its own', () => {
    const bench = shared();
    const { tag } = bench.call({ callId: 'other', branch: 'z9hG4bKother' }, OTHER);
    const loud = bench.call({ callId: 'loud', branch: 'z9hG4bKloud' });
    const served = flood(bench, (index) => ({
      ...within(loud.tag, 'INFO', index + 2, 'loud'),
      branch: `z9hG4bKloud${index}`,
    }));
    expect(served).toBeGreaterThan(100);
    expectNewServed(bench);
    expectCallServed(bench, tag);
  });
});

test('an address that has used up its share outside of its calls can still do in them what calls need', () => {
  const bench = shared();
  const methods = ['BYE', 'INFO', 'INVITE', 'OPTIONS'];
  const calls = methods.map((method) => ({
    method,
    tag: bench.call({ callId: method, branch: `z9hG4bK${method}` }).tag,
  }));
  flood(bench, options);
  for (const { method, tag } of calls) {
    bench.receive(within(tag, method, 2, method));
    expect([method, bench.sent(), bench.methods()]).toEqual([method, [], [method]]);
  }
});

test('many addresses that send as many OPTIONS as they may do not keep a call of another from being ended', () => {
  const bench = shared();
  const { tag } = bench.call({ callId: 'other', branch: 'z9hG4bKother' }, OTHER);
  for (let index = 0; index < 40_000; index++) {
    const address = `198.18.${index % 200}.1`;
    bench.receive({ ...options(index), branch: `z9hG4bKmany${index}` }, { ...UDP, address });
    for (const { transaction } of bench.application.requests.splice(0)) bench.respondTo(transaction, 200);
  }
  bench.sent();
  bench.receive(within(tag, 'BYE', 2, 'other'), OTHER);
  expect(bench.sent()).toEqual([]);
  expect(bench.methods()).toEqual(['BYE']);
});

test.each(['that ring', 'that stand'])(
  'an address with as many calls %s as it can get leaves some to another',
  (state) => {
    const maxCalls = 100;
    const bench = shared(maxCalls);
    let calls = 0;
    for (let index = 0; index < 2 * maxCalls; index++) {
      bench.clock.advance(100);
      bench.receive({ callId: `call-${index}`, branch: `z9hG4bKcall${index}` });
      const [got] = bench.application.requests.splice(0);
      if (!got) continue;
      calls++;
      if (state === 'that ring') bench.respondTo(got.transaction, 180);
      else {
        const { tag } = bench.respondTo(got.transaction, 200);
        bench.receive({ ...within(tag, 'ACK', 1, `call-${index}`) });
        bench.application.requests.splice(0);
      }
    }
    bench.sent();
    expect(calls).toBeGreaterThanOrEqual(maxCalls / 2);
    bench.receive({ callId: 'other', branch: 'z9hG4bKother' }, OTHER);
    expect(bench.methods()).toEqual(['INVITE']);
  },
);
