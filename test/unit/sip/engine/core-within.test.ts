import { describe, expect, test } from 'vitest';
import { header } from '../../../../gateways/sip/engine/message.ts';
import { Bench, type RequestParts } from './workbench.ts';

describe('within a call', () => {
  const within = (tag: string, method: string, cseq: number, more: RequestParts = {}): RequestParts => ({
    method,
    cseq,
    toTag: tag,
    branch: `z9hG4bK${method}${cseq}`,
    ...more,
  });

  test.each(['INFO', 'OPTIONS', 'INVITE', 'BYE'])(
    '%s is passed on with the dialog, asked for or not',
    (method) => {
      const bench = new Bench();
      bench.application.methods.clear();
      bench.application.methods.add('INVITE');
      const { tag, dialog } = bench.call();
      bench.application.methods.clear();
      bench.receive(within(tag, method, 2));
      expect(bench.application.requests).toMatchObject([{ message: { method }, dialog }]);
    },
  );

  test.each(['UPDATE', 'PRACK', 'REFER'])('%s only if the application takes it', (method) => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, method, 2));
    expect(bench.sent()).toEqual([405]);
    bench.application.methods.add(method);
    bench.receive(within(tag, method, 3));
    expect(bench.methods()).toEqual([method]);
  });

  test('a re-INVITE is answered and acknowledged by its own number', () => {
    const bench = new Bench();
    const { tag, dialog } = bench.call();
    bench.receive(within(tag, 'INVITE', 2, { body: 'hold' }));
    expect(bench.respond(200)).toEqual({ tag, dialog });
    bench.sent();
    bench.receive(within(tag, 'ACK', 1));
    bench.clock.advance(500);
    expect(bench.sent()).toEqual([200]);
    bench.receive(within(tag, 'ACK', 2));
    bench.clock.advance(60_000);
    expect(bench.sent()).toEqual([]);
    expect(bench.methods()).toEqual(['INVITE', 'ACK']);
  });

  test('a refused re-INVITE leaves the call as it was', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'INVITE', 2));
    bench.respond(488);
    bench.receive(within(tag, 'INVITE', 3));
    expect(bench.methods()).toEqual(['INVITE', 'INVITE']);
    expect(bench.core.dialogCount).toBe(1);
  });

  test('a re-INVITE that is cancelled leaves the call as it was', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'INVITE', 2, { branch: 'z9hG4bKre' }));
    bench.receive(within(tag, 'CANCEL', 2, { branch: 'z9hG4bKre' }));
    expect(bench.sent()).toEqual([200, 487]);
    expect(bench.methods()).toEqual(['INVITE', 'CANCEL']);
    expect(bench.core.dialogCount).toBe(1);
  });

  test('a second INVITE while one is not answered gets 500 (section 14.2); the first goes on', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'INVITE', 2));
    bench.receive(within(tag, 'INVITE', 3));
    const [refusal] = bench.sentMessages();
    expect(refusal).toMatchObject({ status: 500 });
    expect(Number(header(refusal!, 'retry-after'))).toBeGreaterThanOrEqual(0);
    expect(Number(header(refusal!, 'retry-after'))).toBeLessThanOrEqual(10);
    expect(bench.core.counters.overlapping).toBe(1);
    bench.respond(200);
    expect(bench.sent()).toEqual([200]);
  });

  test('so does one in a call that still rings', () => {
    const bench = new Bench();
    bench.receive();
    const { tag } = bench.respond(180);
    bench.receive(within(tag, 'INVITE', 2));
    expect(bench.sent()).toEqual([180, 500]);
    expect(bench.core.dialogCount).toBe(1);
  });

  test('an INVITE after one whose ACK is on its way is passed on; both ACKs are waited for', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'INVITE', 2));
    bench.respond(200);
    bench.receive(within(tag, 'INVITE', 3));
    bench.respond(200);
    bench.sent();
    bench.clock.advance(500);
    expect(bench.sent()).toEqual([200, 200]);
    bench.receive(within(tag, 'ACK', 3));
    bench.clock.advance(1_000);
    expect(bench.sent()).toEqual([200]);
    bench.clock.advance(31_000);
    expect(bench.sent().at(-1)).toBe('BYE');
    bench.clock.advance(60_000);
    expect(bench.application.endings).toHaveLength(1);
  });

  test('a number that was used before gets 500', () => {
    const bench = new Bench();
    const { tag } = bench.call({ cseq: 10 });
    bench.receive(within(tag, 'INFO', 10));
    bench.receive(within(tag, 'INFO', 9, { branch: 'z9hG4bKb' }));
    expect(bench.sent()).toEqual([500, 500]);
    expect(bench.core.counters.outOfOrder).toBe(2);
  });

  test('BYE is repeated by the phone, and answered again', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'BYE', 2));
    bench.receive(within(tag, 'BYE', 2));
    expect(bench.sent()).toEqual([]);
    bench.respond(200);
    bench.receive(within(tag, 'BYE', 2));
    expect(bench.sent()).toEqual([200, 200]);
    expect(bench.methods()).toEqual(['BYE']);
    bench.receive(within(tag, 'BYE', 3));
    expect(bench.sent()).toEqual([481]);
  });

  test('BYE that the application does not answer is answered 200', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'BYE', 2));
    bench.clock.advance(20_000);
    expect(bench.sent()).toEqual([200]);
    expect(bench.core.dialogCount).toBe(0);
  });

  test('BYE while a re-INVITE is not answered: that gets 487 (section 15.1.2)', () => {
    const bench = new Bench();
    const { tag } = bench.call();
    bench.receive(within(tag, 'INVITE', 2));
    bench.receive(within(tag, 'BYE', 3));
    expect(bench.sent()).toEqual([487]);
    expect(bench.application.requests.map(({ message }) => message.method)).toEqual([
      'INVITE',
      'CANCEL',
      'BYE',
    ]);
    bench.respond(200);
    expect(bench.sent()).toEqual([200]);
    expect(bench.core.dialogCount).toBe(0);
  });

  test('BYE while the call still rings: 487 to it, and for the application it was cancelled', () => {
    const bench = new Bench();
    bench.receive();
    const { tag } = bench.respond(180);
    bench.sent();
    bench.receive(within(tag, 'BYE', 2));
    expect(bench.sent()).toEqual([487, 200]);
    expect(bench.methods()).toEqual(['INVITE', 'CANCEL']);
    expect(bench.core.dialogCount).toBe(0);
  });
});
