import { expect, test } from 'vitest';
import { Acceptance } from '../../../../gateways/sip/engine/acceptance.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/* RFC 3261, section 13.3.1.4. */

function accept() {
  const clock = new FakeClock();
  const sent: number[] = [];
  const givenUp: number[] = [];
  const acceptance = new Acceptance(
    clock,
    () => sent.push(clock.now()),
    () => givenUp.push(clock.now()),
  );
  return { clock, sent, givenUp, acceptance };
}

test('repeats after 500 ms, doubling up to 4 s, and gives up after 32 s', () => {
  const { clock, sent, givenUp } = accept();
  clock.advance(60_000);
  expect(sent).toEqual([500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  expect(givenUp).toEqual([32_000]);
  expect(clock.pending).toBe(0);
});

test('the end ends all of it', () => {
  const { clock, sent, givenUp, acceptance } = accept();
  clock.advance(600);
  acceptance.end();
  acceptance.end();
  clock.advance(60_000);
  expect(sent).toEqual([500]);
  expect(givenUp).toEqual([]);
  expect(clock.pending).toBe(0);
});
