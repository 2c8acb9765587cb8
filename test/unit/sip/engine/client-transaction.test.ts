import { expect, test } from 'vitest';
import { NonInviteClientTransaction } from '../../../../gateways/sip/engine/client-transaction.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { request, response } from './workbench.ts';

/* RFC 3261, section 17.1.2. */

function ask(reliable: boolean) {
  const clock = new FakeClock();
  const asked = request({ method: 'BYE' });
  const sent: number[] = [];
  const received: number[] = [];
  const ended: [string, number][] = [];
  const transaction = new NonInviteClientTransaction(asked, reliable, clock, {
    send: () => sent.push(clock.now()),
    received: ({ status }) => received.push(status),
    terminated: (cause) => ended.push([cause, clock.now()]),
  });
  const answer = (status: number) => transaction.receive(response(status, asked));
  return { clock, transaction, sent, received, ended, answer };
}

test('over UDP it is repeated after 500 ms, doubling up to 4 s (timer E), and given up after 32 s (timer F)', () => {
  const { clock, sent, ended } = ask(false);
  clock.advance(60_000);
  expect(sent).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  expect(ended).toEqual([['timeout', 32_000]]);
  expect(clock.pending).toBe(0);
});

test('over TCP it is sent once, and given up after 32 s', () => {
  const { clock, sent, ended } = ask(true);
  clock.advance(60_000);
  expect(sent).toEqual([0]);
  expect(ended).toEqual([['timeout', 32_000]]);
});

test('after a provisional response it is repeated every 4 s', () => {
  const { clock, sent, received, ended, answer } = ask(false);
  clock.advance(100);
  answer(100);
  clock.advance(60_000);
  expect(sent).toEqual([0, 500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500]);
  expect(received).toEqual([100]);
  expect(ended).toEqual([['timeout', 32_000]]);
});

test('a final response ends the repeating; retransmissions of it are absorbed for 5 s (timer K)', () => {
  const { clock, sent, received, ended, answer } = ask(false);
  clock.advance(600);
  answer(200);
  clock.advance(4_999);
  answer(200);
  answer(180);
  expect(sent).toEqual([0, 500]);
  expect(received).toEqual([200]);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(ended).toEqual([['done', 5_600]]);
  expect(clock.pending).toBe(0);
});

test('over TCP a final response ends it at once', () => {
  const { clock, ended, answer } = ask(true);
  answer(481);
  clock.advance(0);
  expect(ended).toEqual([['done', 0]]);
});

test('when it cannot be sent, it ends', () => {
  const { clock, transaction, ended } = ask(true);
  transaction.transportFailed();
  transaction.transportFailed();
  expect(ended).toEqual([['transport', 0]]);
  expect(clock.pending).toBe(0);
});

test('what could not be sent does not matter once it was answered', () => {
  const { transaction, ended, answer } = ask(false);
  answer(200);
  transaction.transportFailed();
  expect(ended).toEqual([]);
});
