import { describe, expect, test } from 'vitest';
import { Bench, type RequestParts } from './workbench.ts';

describe('a request in a call that is refused counts in its order like any other (RFC 3261, section 12.2.2)', () => {
  const within = (tag: string, method: string, cseq: number, more: RequestParts = {}): RequestParts => ({
    method,
    cseq,
    toTag: tag,
    branch: `z9hG4bK${method}${cseq}`,
    ...more,
  });

  test.each<[string, RequestParts, number]>([
    ['for its method', { method: 'REFER' }, 405],
    ['for its extension', { method: 'INFO', extra: ['Require: x'] }, 420],
    ['for its extension, though it would be a re-INVITE', { method: 'INVITE', extra: ['Require: x'] }, 420],
    ["for its URI's scheme", { method: 'INFO', uri: 'http://example.org' }, 416],
  ])('%s', (_, { method, ...more }, status) => {
    const bench = new Bench();
    const { tag } = bench.call({ cseq: 1 });
    bench.receive(within(tag, method!, 10, more));
    expect(bench.sent()).toEqual([status]);
    // What was sent before it, and overtaken on the way, comes too late.
    bench.receive(within(tag, 'INFO', 5));
    expect(bench.sent()).toEqual([500]);
    bench.receive(within(tag, 'INFO', 10, { branch: 'z9hG4bKsame' }));
    expect(bench.sent()).toEqual([500]);
    bench.receive(within(tag, 'INFO', 11));
    expect(bench.methods()).toEqual(['INFO']);
  });

  test('but one that came too late itself does not put the order back', () => {
    const bench = new Bench();
    const { tag } = bench.call({ cseq: 20 });
    bench.receive(within(tag, 'REFER', 30));
    bench.receive(within(tag, 'REFER', 10));
    expect(bench.sent()).toEqual([405, expect.any(Number)]);
    bench.receive(within(tag, 'INFO', 25));
    expect(bench.sent()).toEqual([500]);
    expect(bench.methods()).toEqual([]);
  });
});
