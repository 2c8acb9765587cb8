import { describe, expect, test } from 'vitest';
import { Mixers } from '../../../src/workers/worker/mixers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Ear, flat, Mouth } from '../support/sounds.ts';

const G711 = { codec: 'PCMU', rate: 8000 } as const;

function mixers() {
  const clock = new FakeClock();
  return { clock, mixers: new Mixers(clock) };
}

test('a room has one mixer, as long as somebody takes part in it', () => {
  const { mixers: all } = mixers();
  const mixer = all.get('RM_1');
  expect(all.get('RM_1')).toBe(mixer);
  expect(all.get('RM_2')).not.toBe(mixer);
  mixer.addContributor('ann', 'PCMU', 'gateway');
  const listener = mixer.addListener(G711, new Ear());
  mixer.removeContributor('ann');
  expect(all.get('RM_1')).toBe(mixer);
  mixer.removeListener(listener);
  expect(all.get('RM_1')).not.toBe(mixer);
});

describe('the beat', () => {
  test('goes on while anybody listens, in whatever room', () => {
    const { mixers: all, clock } = mixers();
    all.get('RM_1').addContributor('ann', 'PCMU', 'gateway');
    clock.advance(100);
    expect(clock.pending).toBe(0);
    const [first, second] = [new Ear(), new Ear()];
    const one = all.get('RM_1').addListener(G711, first);
    clock.advance(40);
    const two = all.get('RM_2').addListener(G711, second);
    clock.advance(40);
    expect([first.frames.length, second.frames.length]).toEqual([4, 2]);
    all.get('RM_1').removeListener(one);
    clock.advance(40);
    expect([first.frames.length, second.frames.length]).toEqual([4, 4]);
    all.get('RM_2').removeListener(two);
    clock.advance(100);
    expect([second.frames.length, clock.pending]).toEqual([4, 0]);
  });

  test('may stop and go on inside of a tick', () => {
    const { mixers: all, clock } = mixers();
    const mixer = all.get('RM_1');
    mixer.addContributor('ann', 'PCMU', 'gateway');
    const ear = new Ear();
    const next = new Ear();
    const listener = mixer.addListener(G711, {
      deliver: (payload, bytes) => {
        ear.deliver(payload, bytes);
        mixer.removeListener(listener);
        mixer.addListener(G711, next);
      },
      skip: () => {},
    });
    clock.advance(120);
    expect([ear.frames.length, clock.pending]).toEqual([1, 1]);
    expect(next.frames.length).toBeGreaterThanOrEqual(5);
  });
});

test('statistics say what runs, and the worst lag once', () => {
  const { mixers: all, clock } = mixers();
  const mouth = new Mouth(all.get('RM_1').addContributor('ann', 'PCMU', 'gateway'));
  all.get('RM_1').addListener(G711, new Ear());
  all.get('RM_2').addContributor('bob', 'opus', 'hub');
  mouth.say(flat(5000));
  clock.advance(100);
  const { tickLagMs, ...rest } = all.statistics;
  expect(rest).toEqual({ mixers: 2, decoders: 1, ticksSkipped: 0 });
  expect([tickLagMs, all.statistics.tickLagMs]).toEqual([0, 0]);
});

test('closing leaves no timer, whoever still takes part', () => {
  const { mixers: all, clock } = mixers();
  const mixer = all.get('RM_1');
  const listener = mixer.addListener(G711, new Ear());
  all.close();
  mixer.removeListener(listener);
  expect(clock.pending).toBe(0);
  expect(all.statistics.mixers).toBe(0);
});
