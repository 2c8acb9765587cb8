import { describe, expect, test } from 'vitest';
import { Gatekeeper } from '../../../../gateways/sip/engine/gatekeeper.ts';
import { header } from '../../../../gateways/sip/engine/message.ts';
import { Bench, type RequestParts, requestBytes, TCP, UDP } from './workbench.ts';

/* What does not reach the application (RFC 3261, section 8.2). */

const ALLOWED = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO';

describe('outside a dialog', () => {
  test.each<[string, RequestParts, number, string, string | undefined]>([
    ['a method that it does not take', { method: 'REGISTER' }, 405, 'Allow', ALLOWED],
    ['a method that nobody knows', { method: 'FETCH' }, 405, 'Allow', ALLOWED],
    ['a method in lower case', { method: 'invite' }, 405, 'Allow', ALLOWED],
    ['a scheme that nobody knows', { uri: 'http://example.org' }, 416, 'Allow', undefined],
    ['an extension', { extra: ['Require: 100rel', 'Require: a, b'] }, 420, 'Unsupported', '100rel, a, b'],
    ['BYE', { method: 'BYE' }, 481, 'Allow', undefined],
    ['BYE of a call that is not there', { method: 'BYE', toTag: 'x' }, 481, 'Allow', undefined],
    ['INVITE of a call that is not there', { toTag: 'x' }, 481, 'Allow', undefined],
    ['CANCEL of nothing', { method: 'CANCEL' }, 481, 'Allow', undefined],
    ['INVITE without Contact', { contact: undefined }, 400, 'Allow', undefined],
    ['INVITE with any Contact', { contact: '*' }, 400, 'Allow', undefined],
    ['INVITE with two Contacts', { contact: '<sip:a@b>, <sip:c@d>' }, 400, 'Allow', undefined],
    ['INVITE with a Contact that goes on', { contact: '<sip:a@b>,' }, 400, 'Allow', undefined],
    ['INVITE with a Contact that is no SIP URI', { contact: '<mailto:a@b>' }, 400, 'Allow', undefined],
    ['INVITE with a route that cannot be read', { extra: ['Record-Route: x'] }, 400, 'Allow', undefined],
    ['a message that cannot be read', { extra: ['Max-Forwards: 1'] }, 400, 'Allow', undefined],
  ])('%s', (_, parts, status, name, value) => {
    const bench = new Bench();
    bench.receive(parts);
    const [sent] = bench.sentMessages();
    expect(sent).toMatchObject({ status });
    expect(header(sent!, name.toLowerCase())).toBe(value);
    expect(bench.methods()).toEqual([]);
  });

  test('an empty Require asks for nothing', () => {
    const bench = new Bench();
    bench.receive({ extra: ['Require:'] });
    expect(bench.methods()).toEqual(['INVITE']);
  });

  test.each(['sip:a@b', 'SIPS:a@b', 'tel:+49'])('%s is passed on', (uri) => {
    const bench = new Bench();
    bench.receive({ uri });
    expect(bench.methods()).toEqual(['INVITE']);
  });

  test('OPTIONS is passed on like anything else', () => {
    const bench = new Bench();
    bench.receive({ method: 'OPTIONS' });
    bench.respond(200);
    expect(bench.sent()).toEqual([200]);
  });
});

test('refusals are repeated, and acknowledged, like any response', () => {
  const bench = new Bench();
  bench.receive({ extra: ['Require: x'] });
  bench.clock.advance(600);
  bench.receive({ extra: ['Require: x'] });
  expect(bench.sent()).toEqual([420, 420, 420]);
  bench.receive({ method: 'ACK' });
  bench.clock.advance(60_000);
  expect(bench.sent()).toEqual([]);
  expect(bench.core.counters).toMatchObject({ badExtension: 1, retransmissions: 1, unmatched: 0 });
});

test('the same request by another way is merged (section 8.2.2.2)', () => {
  const bench = new Bench();
  bench.receive({ branch: 'z9hG4bKa' });
  bench.receive({ branch: 'z9hG4bKb' });
  expect(bench.sent()).toEqual([482]);
  expect(bench.methods()).toEqual(['INVITE']);
  // Another call by the same caller is none.
  bench.receive({ branch: 'z9hG4bKc', cseq: 2 });
  bench.receive({ branch: 'z9hG4bKd', callId: 'call-2' });
  bench.receive({ branch: 'z9hG4bKe', fromTag: 'other' });
  expect(bench.methods()).toEqual(['INVITE', 'INVITE', 'INVITE']);
});

describe('while there is no application', () => {
  test.each(['INVITE', 'OPTIONS', 'BYE', 'REGISTER'])('%s gets 503, and costs nothing', (method) => {
    const bench = new Bench();
    bench.application.connected = false;
    bench.receive({ method });
    const [sent] = bench.sentMessages();
    expect(sent).toMatchObject({ status: 503 });
    expect(header(sent!, 'retry-after')).toBe('5');
    expect(bench.clock.pending).toBe(0);
    expect(bench.core.counters.noApplication).toBe(1);
  });

  test('the ACK to that is for nobody', () => {
    const bench = new Bench();
    bench.application.connected = false;
    bench.receive();
    bench.receive({ method: 'ACK', toTag: 'refused' });
    expect(bench.sent()).toEqual([503]);
    expect(bench.core.counters.unmatched).toBe(1);
  });
});

describe('malformed messages', () => {
  test('an ACK is never answered', () => {
    const bench = new Bench();
    bench.receive({ method: 'ACK', extra: ['no colon'] });
    expect(bench.sent()).toEqual([]);
    expect(bench.core.counters.malformed).toBe(1);
  });

  test('the answer goes where the message came from, also when its Via cannot be read', () => {
    const bench = new Bench();
    bench.receive({ via: 'nonsense' }, { ...UDP, port: 7 });
    expect(bench.udp.sent.map(({ to }) => to.port)).toEqual([7]);
  });

  test('the answer over TCP goes by the connection', () => {
    const bench = new Bench();
    bench.core.receive(
      Buffer.from(
        requestBytes()
          .toString()
          .replace(/Content-Length.*\r\n/, ''),
      ),
      TCP,
    );
    expect(bench.tcp.sent.map(({ to }) => to)).toEqual([TCP]);
  });

  test('another version gets 505', () => {
    const bench = new Bench();
    bench.core.receive(Buffer.from(requestBytes().toString().replace('SIP/2.0\r\n', 'SIP/4.0\r\n')), UDP);
    expect(bench.sentMessages()).toMatchObject([{ status: 505, reason: 'Version Not Supported' }]);
  });
});

describe('with a gatekeeper', () => {
  const options = { allow: ['192.0.2.10'], messagesPerSecond: 100, callsPerSecond: 1, maxCalls: 3 };
  const guarded = (changed: object = {}) =>
    new Bench((clock) => new Gatekeeper({ ...options, ...changed }, clock));

  test('who is not listed gets nothing, not even for what cannot be read', () => {
    const bench = guarded();
    const stranger = { ...UDP, address: '192.0.2.11' };
    bench.receive({}, stranger);
    bench.core.receive(Buffer.from('nonsense'), stranger);
    expect(bench.sent()).toEqual([]);
    expect(bench.methods()).toEqual([]);
    expect(bench.core.counters).toMatchObject({ received: 2, unlisted: 2, malformed: 0 });
  });

  test('messages over the rate are dropped', () => {
    const bench = guarded({ messagesPerSecond: 2 });
    for (let message = 0; message < 10; message++) bench.receive({ method: 'ACK' });
    expect(bench.core.counters).toMatchObject({ received: 10, overRate: 6, unmatched: 4 });
  });

  test('calls over the rate get 503 and cost nothing; retransmissions are no calls', () => {
    const bench = guarded();
    for (const call of ['1', '2', '3']) bench.receive({ callId: call, branch: `z9hG4bK${call}` });
    for (const call of ['1', '2']) bench.receive({ callId: call, branch: `z9hG4bK${call}` });
    const [sent, ...others] = bench.sentMessages();
    expect(sent).toMatchObject({ status: 503 });
    expect(header(sent!, 'retry-after')).toBe('5');
    expect(others).toEqual([]);
    expect(bench.methods()).toEqual(['INVITE', 'INVITE']);
    expect(bench.core.counters).toMatchObject({ overCallRate: 1, retransmissions: 2 });
    // Other requests are no calls either.
    bench.receive({ method: 'OPTIONS', callId: '4', branch: 'z9hG4bK4' });
    expect(bench.methods()).toEqual(['OPTIONS']);
  });

  test('calls that ring and calls that stand are counted together', () => {
    const bench = guarded({ callsPerSecond: 100 });
    const call = (id: string) => bench.receive({ callId: id, branch: `z9hG4bK${id}` });
    const end = bench.call({ callId: 'a', branch: 'z9hG4bKa' });
    call('b');
    bench.respond(180);
    call('c');
    bench.sent();
    call('d');
    expect(bench.sent()).toEqual([503]);
    expect(bench.core.counters.overMaxCalls).toBe(1);
    // Within calls, requests go on.
    bench.receive({ method: 'BYE', callId: 'a', branch: 'z9hG4bKbye', cseq: 2, toTag: end.tag });
    bench.respond(200);
    call('e');
    expect(bench.sent()).toEqual([200]);
    call('f');
    expect(bench.sent()).toEqual([503]);
    expect(bench.methods()).toEqual(['INVITE', 'INVITE', 'BYE', 'INVITE']);
  });

  test('a call that was refused or cancelled makes room for another', () => {
    const bench = guarded({ callsPerSecond: 100, maxCalls: 1 });
    bench.receive({ callId: 'a', branch: 'z9hG4bKa' });
    bench.respond(486);
    bench.receive({ callId: 'b', branch: 'z9hG4bKb' });
    bench.respond(180);
    bench.receive({ method: 'CANCEL', callId: 'b', branch: 'z9hG4bKb' });
    bench.receive({ callId: 'c', branch: 'z9hG4bKc' });
    expect(bench.sent()).toEqual([486, 180, 200, 487]);
    expect(bench.methods()).toEqual(['INVITE', 'INVITE', 'CANCEL', 'INVITE']);
  });
});

test('more transactions than permitted at once are refused; retransmissions and calls that stand are not', () => {
  const bench = new Bench();
  const bytes = requestBytes({ method: 'OPTIONS', branch: 'z9hG4bK-00000', callId: '-00000' }).toString();
  const flood = (number: number) => bytes.replaceAll('-00000', `-${String(number).padStart(5, '0')}`);
  for (let number = 0; number < 20_001; number++) {
    const address = number % 2 === 0 ? UDP.address : '192.0.2.77';
    bench.core.receive(Buffer.from(flood(number)), { ...UDP, address });
  }
  expect(bench.sent()).toEqual([503]);
  expect(bench.core.counters.overTransactions).toBe(1);
  bench.receive({ method: 'CANCEL' });
  expect(bench.sent()).toEqual([481]);
});

test('counters count what they say', () => {
  const bench = new Bench();
  bench.receive();
  bench.receive();
  bench.core.receive(Buffer.from('x'), UDP);
  bench.core.receive(
    Buffer.from(
      requestBytes()
        .toString()
        .replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n'),
    ),
    UDP,
  );
  expect(bench.core.counters).toMatchObject({ received: 4, retransmissions: 1, malformed: 1, unmatched: 1 });
});
