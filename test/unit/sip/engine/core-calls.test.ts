import { describe, expect, test } from 'vitest';
import { header, headersOf, type SipRequest } from '../../../../gateways/sip/engine/message.ts';
import { Bench, type RequestParts, TCP, UDP } from './workbench.ts';

describe('a call', () => {
  test('is passed on, answered, acknowledged and ended by the phone', () => {
    const bench = new Bench();
    bench.receive({ body: 'offer' });
    expect(bench.application.requests).toMatchObject([
      { message: { method: 'INVITE', body: Buffer.from('offer') }, dialog: undefined },
    ]);
    bench.respond(180);
    const { tag, dialog } = bench.respond(200, [], 'answer');
    const [ringing, ok] = bench.sentMessages();
    expect(header(ringing!, 'to')).toBe(header(ok!, 'to'));
    expect(ok).toMatchObject({ status: 200, body: Buffer.from('answer') });
    expect(headersOf(ok!, 'contact')).toEqual(['<sip:198.51.100.1:5060>']);
    expect(bench.core.dialogCount).toBe(1);

    bench.application.requests.length = 0;
    bench.receive({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag, body: 'late answer' });
    expect(bench.application.requests).toMatchObject([
      { message: { method: 'ACK', body: Buffer.from('late answer') }, dialog },
    ]);
    bench.receive({ method: 'BYE', branch: 'z9hG4bK3', toTag: tag, cseq: 2 });
    expect(bench.application.requests.at(-1)).toMatchObject({ message: { method: 'BYE' }, dialog });
    expect(bench.core.dialogCount).toBe(1);
    bench.respond(200);
    expect(bench.sent()).toEqual([200]);
    expect(bench.core.dialogCount).toBe(0);
    bench.clock.advance(60_000);
    expect(bench.sent()).toEqual([]);
    expect(bench.clock.pending).toBe(0);
  });

  test('may have no tag in From (RFC 2543)', () => {
    const bench = new Bench();
    const old = { fromTag: '', via: 'SIP/2.0/UDP 192.0.2.10' };
    const { tag, dialog } = bench.call(old);
    bench.receive({ ...old, method: 'BYE', toTag: tag, cseq: 2 });
    expect(bench.application.requests).toMatchObject([{ message: { method: 'BYE' }, dialog }]);
  });

  test('that is refused leaves nothing', () => {
    const bench = new Bench();
    bench.receive();
    bench.respond(183);
    expect(bench.core.dialogCount).toBe(1);
    bench.respond(486);
    expect(bench.core.dialogCount).toBe(0);
    bench.receive({ method: 'ACK' });
    bench.clock.advance(5_000);
    expect(bench.clock.pending).toBe(0);
    expect(bench.methods()).toEqual(['INVITE']);
  });

  test('is rung for by ourselves after 200 ms', () => {
    const bench = new Bench();
    bench.receive();
    bench.clock.advance(200);
    expect(bench.sent()).toEqual([100]);
  });

  test('retransmitted INVITEs get what was said last, and after 200 nothing', () => {
    const bench = new Bench();
    bench.receive();
    bench.receive();
    expect(bench.sent()).toEqual([]);
    bench.respond(180);
    bench.receive();
    expect(bench.sent()).toEqual([180, 180]);
    bench.respond(200);
    bench.receive();
    expect(bench.sent()).toEqual([200]);
    expect(bench.methods()).toEqual(['INVITE']);
  });

  test('gets one answer only', () => {
    const bench = new Bench();
    bench.receive();
    bench.respond(486);
    expect(() => bench.respond(200)).toThrow('a final response was sent already');
    expect(() => bench.respond(180)).toThrow('a final response was sent already');
    expect(bench.sent()).toEqual([486]);
    expect(bench.core.dialogCount).toBe(0);
    expect(() => bench.respondTo('another', 200)).toThrow('transaction not found');
  });

  test.each([0, 99, 700, 999])('gets no %i', (status) => {
    const bench = new Bench();
    bench.receive();
    expect(() => bench.respond(status)).toThrow('no such status');
  });

  test('that nobody answers gets 480 after three minutes; the application hears that it is over', () => {
    const bench = new Bench();
    bench.receive();
    bench.respond(180);
    bench.clock.advance(179_999);
    expect(bench.sent()).toEqual([180]);
    bench.clock.advance(1);
    expect(bench.sent()).toEqual([480]);
    expect(bench.methods()).toEqual(['INVITE', 'CANCEL']);
    expect(bench.core.dialogCount).toBe(0);
    expect(bench.core.counters.unanswered).toBe(1);
  });
});

test('a request that nobody answers gets 480 after 20 s', () => {
  const bench = new Bench();
  bench.receive({ method: 'OPTIONS' });
  bench.clock.advance(19_999);
  expect(bench.sent()).toEqual([]);
  bench.clock.advance(1);
  expect(bench.sent()).toEqual([480]);
  expect(bench.methods()).toEqual(['OPTIONS']);
});

test.each([
  ['OPTIONS', 200],
  ['INVITE', 486],
  ['INVITE', 200],
])('%s that was answered %i is not answered for', (method, status) => {
  const bench = new Bench();
  bench.receive({ method });
  bench.respond(status);
  bench.clock.advance(200_000);
  expect(bench.core.counters.unanswered).toBe(0);
});

describe('the 200 and its ACK', () => {
  function accepted(flow = UDP) {
    const bench = new Bench();
    bench.receive({}, flow);
    const answered = bench.respond(200);
    bench.application.requests.length = 0;
    bench.sent();
    bench.sent(bench.tcp);
    return { bench, ...answered };
  }

  test.each([
    ['UDP', UDP],
    ['TCP', TCP],
  ] as const)('over %s it is repeated until the ACK comes', (_, flow) => {
    const { bench, tag, dialog } = accepted(flow);
    const transport = bench[flow.protocol];
    bench.clock.advance(1_500);
    expect(bench.sent(transport)).toEqual([200, 200]);
    bench.receive({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag }, flow);
    bench.clock.advance(60_000);
    expect(bench.sent(transport)).toEqual([]);
    expect(bench.application.requests).toMatchObject([{ message: { method: 'ACK' }, dialog }]);
    expect(bench.core.dialogCount).toBe(1);
  });

  test('without ACK the call is ended after 32 s, and the application is told', () => {
    const { bench, dialog } = accepted();
    bench.clock.advance(31_999);
    bench.sent();
    bench.clock.advance(1);
    const [bye] = bench.sentMessages() as SipRequest[];
    expect(bye).toMatchObject({ method: 'BYE', uri: 'sip:phone@192.0.2.10:5060' });
    expect(header(bye!, 'reason')).toBe('SIP;cause=408;text="No ACK"');
    expect(bench.application.endings).toMatchObject([{ bye: { method: 'BYE' }, dialog }]);
    expect(bench.core.dialogCount).toBe(0);
    expect(bench.core.counters.noAck).toBe(1);
    bench.answer(200, bye!);
    bench.clock.advance(60_000);
    expect(bench.sent()).toEqual([]);
    expect(bench.clock.pending).toBe(0);
  });

  test('a repeated ACK is passed on once', () => {
    const { bench, tag } = accepted();
    const ack: RequestParts = { method: 'ACK', branch: 'z9hG4bK2', toTag: tag };
    bench.receive(ack);
    bench.receive(ack);
    expect(bench.methods()).toEqual(['ACK']);
    expect(bench.core.counters.retransmissions).toBe(1);
  });

  test('an ACK with the branch of its INVITE counts too', () => {
    const { bench, tag } = accepted();
    bench.receive({ method: 'ACK', toTag: tag });
    expect(bench.methods()).toEqual(['ACK']);
  });

  test.each<[string, RequestParts]>([
    ['of another number', { cseq: 2 }],
    ['of another dialog', { callId: 'call-2' }],
    ['without tag', { toTag: undefined }],
  ])('an ACK %s is none', (_, changed) => {
    const { bench, tag } = accepted();
    bench.receive({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag, ...changed });
    expect(bench.methods()).toEqual([]);
    bench.clock.advance(500);
    expect(bench.sent()).toEqual([200]);
  });

  test('a BYE of the phone ends the repeating', () => {
    const { bench, tag } = accepted();
    bench.receive({ method: 'BYE', branch: 'z9hG4bK2', toTag: tag, cseq: 2 });
    bench.respond(200);
    bench.sent();
    bench.clock.advance(60_000);
    expect(bench.sent()).toEqual([]);
    expect(bench.application.endings).toEqual([]);
  });
});

describe('CANCEL', () => {
  test('before the answer: 200 to it, 487 to the INVITE, and the application knows', () => {
    const bench = new Bench();
    bench.receive();
    const { transaction } = bench.application.requests[0]!;
    bench.respond(180);
    bench.sent();
    bench.receive({ method: 'CANCEL' });
    const [ok, terminated] = bench.sentMessages();
    expect(ok).toMatchObject({ status: 200 });
    expect(header(ok!, 'cseq')).toBe('1 CANCEL');
    expect(terminated).toMatchObject({ status: 487 });
    expect(header(terminated!, 'cseq')).toBe('1 INVITE');
    expect(header(ok!, 'to')).toBe(header(terminated!, 'to'));
    expect(bench.application.requests.at(-1)).toMatchObject({ message: { method: 'CANCEL' }, transaction });
    expect(bench.core.dialogCount).toBe(0);
    // The race: the application had answered meanwhile.
    expect(() => bench.respondTo(transaction, 200)).toThrow('a final response was sent already');
    expect(bench.core.dialogCount).toBe(0);
    bench.receive({ method: 'ACK' });
    bench.clock.advance(60_000);
    expect(bench.sent()).toEqual([]);
    expect(bench.clock.pending).toBe(0);
  });

  test('again: 200 again, and nothing else', () => {
    const bench = new Bench();
    bench.receive();
    bench.receive({ method: 'CANCEL' });
    bench.sent();
    bench.receive({ method: 'CANCEL' });
    expect(bench.sent()).toEqual([200]);
    expect(bench.methods()).toEqual(['INVITE', 'CANCEL']);
  });

  test('after the answer: 200, and the call stands', () => {
    const bench = new Bench();
    bench.receive();
    bench.respond(200);
    bench.sent();
    bench.receive({ method: 'CANCEL' });
    expect(bench.sent()).toEqual([200]);
    expect(bench.methods()).toEqual(['INVITE']);
    expect(bench.core.dialogCount).toBe(1);
  });

  test('of an INVITE that was not seen: 481, without any state', () => {
    const bench = new Bench();
    bench.receive({ branch: 'z9hG4bKa' });
    bench.receive({ method: 'CANCEL', branch: 'z9hG4bKb' });
    expect(bench.sent()).toEqual([481]);
    expect(bench.methods()).toEqual(['INVITE']);
  });

  test('of something else is about nothing', () => {
    const bench = new Bench();
    bench.receive({ method: 'OPTIONS' });
    bench.receive({ method: 'CANCEL' });
    expect(bench.sent()).toEqual([481]);
  });

  test('of an RFC 2543 phone, without branches', () => {
    const bench = new Bench();
    const via = 'SIP/2.0/UDP 192.0.2.10';
    bench.receive({ via });
    bench.receive({ via, callId: 'another', branch: 'x' });
    bench.receive({ via, method: 'CANCEL' });
    expect(bench.sent()).toEqual([200, 487]);
    bench.receive({ via, method: 'ACK', toTag: 'any' });
    bench.clock.advance(1_000);
    expect(bench.sent()).not.toContain(487);
  });
});
