import { describe, expect, test } from 'vitest';
import { ServerTransaction } from '../../../../gateways/sip/engine/server-transaction.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { request, response } from './workbench.ts';

/* RFC 3261, section 17.2, with RFC 6026. T1 is 500 ms, T2 4 s, T4 5 s. */

function serve(method: string, reliable: boolean) {
  const clock = new FakeClock();
  const received = request({ method });
  /** Status and time of each response. */
  const sent: [number, number][] = [];
  const ended: number[] = [];
  const transaction = new ServerTransaction(received, reliable, clock, {
    send: ({ status }) => sent.push([status, clock.now()]),
    terminated: () => ended.push(clock.now()),
  });
  return {
    clock,
    transaction,
    sent,
    ended,
    respond: (status: number) => transaction.respond(response(status, received)),
    repeat: () => transaction.receive(received),
    ack: () => transaction.receive(request({ method: 'ACK' })),
  };
}

const both = describe.each([
  ['UDP', false],
  ['TCP', true],
] as const);

both('INVITE over %s', (_, reliable) => {
  test('100 after 200 ms when the application said nothing', () => {
    const { clock, sent } = serve('INVITE', reliable);
    clock.advance(199);
    expect(sent).toEqual([]);
    clock.advance(60_000);
    expect(sent).toEqual([[100, 200]]);
  });

  test('no 100 when it said something', () => {
    const { clock, sent, respond } = serve('INVITE', reliable);
    respond(180);
    clock.advance(60_000);
    expect(sent).toEqual([[180, 0]]);
  });

  test('a retransmission gets the latest provisional response, and nothing before there is one', () => {
    const { sent, respond, repeat } = serve('INVITE', reliable);
    repeat();
    expect(sent).toEqual([]);
    respond(180);
    respond(183);
    repeat();
    expect(sent.map(([status]) => status)).toEqual([180, 183, 183]);
  });

  test('2xx: absorbs retransmissions and ACKs for 32 s (timer L), and repeats nothing itself', () => {
    const { clock, transaction, sent, ended, respond, repeat, ack } = serve('INVITE', reliable);
    respond(200);
    expect(transaction.state).toBe('accepted');
    clock.advance(31_999);
    repeat();
    ack();
    expect(sent).toEqual([[200, 0]]);
    expect(ended).toEqual([]);
    clock.advance(1);
    expect(ended).toEqual([32_000]);
    expect(transaction.state).toBe('terminated');
  });

  test('486 without ACK ends after 32 s (timer H)', () => {
    const { clock, ended, respond } = serve('INVITE', reliable);
    respond(486);
    clock.advance(31_999);
    expect(ended).toEqual([]);
    clock.advance(60_000);
    expect(ended).toEqual([32_000]);
  });

  test('486 is sent again for each retransmission, until the ACK', () => {
    const { transaction, sent, respond, repeat, ack } = serve('INVITE', reliable);
    respond(486);
    repeat();
    expect(sent.map(([status]) => status)).toEqual([486, 486]);
    ack();
    expect(transaction.state).toBe('confirmed');
    repeat();
    expect(sent).toHaveLength(2);
  });

  test('one final response only', () => {
    const { sent, respond } = serve('INVITE', reliable);
    expect(respond(486)).toBe(true);
    expect(respond(200)).toBe(false);
    expect(respond(180)).toBe(false);
    expect(sent).toHaveLength(1);
  });

  test('an ACK before there is anything to acknowledge means nothing', () => {
    const { transaction, ack } = serve('INVITE', reliable);
    ack();
    expect(transaction.state).toBe('proceeding');
  });

  test('no timer is left at the end', () => {
    const { clock, respond, ack } = serve('INVITE', reliable);
    respond(486);
    ack();
    clock.advance(40_000);
    expect(clock.pending).toBe(0);
  });
});

test('486 to INVITE over UDP is repeated after 500 ms, doubling up to 4 s (timer G)', () => {
  const { clock, sent, respond } = serve('INVITE', false);
  respond(486);
  clock.advance(60_000);
  const times = sent.map(([, at]) => at);
  expect(times).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
});

test('the ACK ends the repeating; the transaction stays for 5 s (timer I)', () => {
  const { clock, sent, ended, respond, ack } = serve('INVITE', false);
  respond(486);
  clock.advance(600);
  ack();
  clock.advance(4_999);
  expect(sent).toHaveLength(2);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(ended).toEqual([5_600]);
});

test('over TCP 486 is sent once, and the ACK ends it at once', () => {
  const { clock, sent, ended, respond, ack } = serve('INVITE', true);
  respond(486);
  clock.advance(10_000);
  ack();
  clock.advance(0);
  expect(sent).toHaveLength(1);
  expect(ended).toEqual([10_000]);
});

both('OPTIONS over %s', (_, reliable) => {
  test('absorbs retransmissions while nothing was answered; no 100', () => {
    const { clock, sent, repeat } = serve('OPTIONS', reliable);
    repeat();
    clock.advance(10_000);
    expect(sent).toEqual([]);
  });

  test('a retransmission gets the latest response', () => {
    const { sent, respond, repeat } = serve('OPTIONS', reliable);
    respond(100);
    repeat();
    respond(200);
    repeat();
    expect(sent.map(([status]) => status)).toEqual([100, 100, 200, 200]);
  });

  test('an ACK means nothing', () => {
    const { transaction, respond, ack } = serve('OPTIONS', reliable);
    respond(404);
    ack();
    expect(transaction.state).toBe('completed');
  });

  test.each([200, 404])('stays for 32 s after %i over UDP, not at all over TCP (timer J)', (status) => {
    const { clock, ended, respond } = serve('OPTIONS', reliable);
    respond(status);
    clock.advance(reliable ? 0 : 31_999);
    expect(ended).toEqual(reliable ? [0] : []);
    clock.advance(1);
    expect(ended).toEqual([reliable ? 0 : 32_000]);
    expect(clock.pending).toBe(0);
  });
});
