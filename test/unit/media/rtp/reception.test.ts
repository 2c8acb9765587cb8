import { describe, expect, test } from 'vitest';
import { Reception } from '../../../../src/media/rtp/reception.ts';

const SSRC = 0x11223344;

/** Numbers from `first` on, as they are sent: 16 bits. */
function run(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (first + index) & 0xffff);
}

/** Packets of 20 ms at 8000 Hz that arrive just as they were sent. */
function receiving(sequenceNumbers: readonly number[]): { reception: Reception; valid: boolean[] } {
  const reception = new Reception(SSRC);
  const valid = sequenceNumbers.map((sequenceNumber) =>
    reception.onPacket(sequenceNumber, sequenceNumber * 160, sequenceNumber * 160),
  );
  return { reception, valid };
}

describe('the number of lost packets (RFC 3550, appendix A.3)', () => {
  test.each<[string, number[], { received: number; lost: number; highest: number }]>([
    ['nothing lost', run(10, 10), { received: 9, lost: 0, highest: 19 }],
    ['a gap of three', [...run(10, 5), ...run(18, 2)], { received: 6, lost: 3, highest: 19 }],
    ['two exchanged', [...run(10, 5), 16, 15, 17], { received: 7, lost: 0, highest: 17 }],
    ['one doubled', [...run(10, 5), 14, 15], { received: 6, lost: -1, highest: 15 }],
    ['late by 99', [...run(10, 2), 110, 11], { received: 3, lost: 97, highest: 110 }],
    ['started over', run(65_530, 10), { received: 9, lost: 0, highest: 0x10003 }],
    ['a gap where they start over', [...run(65_530, 5), 5, 6], { received: 6, lost: 6, highest: 0x10006 }],
    [
      'exchanged where they start over',
      [...run(65_530, 5), 0, 65_535, 1],
      { received: 7, lost: 0, highest: 0x10001 },
    ],
    ['started over twice', run(65_534, 65_536 + 4), { received: 65_539, lost: 0, highest: 0x20001 }],
    ['a jump ahead of 2999', [1, 2, 3001], { received: 2, lost: 2998, highest: 3001 }],
    ['a first packet of 0', run(0, 3), { received: 2, lost: 0, highest: 2 }],
  ])('%s', (_, sequenceNumbers, { received, lost, highest }) => {
    const { reception } = receiving(sequenceNumbers);
    expect(reception.received).toBe(received);
    expect(reception.lost).toBe(lost);
    expect(reception.highestSequenceNumber).toBe(highest);
  });
});

describe('which packets belong to a valid source (appendix A.1)', () => {
  test.each<[string, number[], boolean[]]>([
    ['from the second in a row', [5, 6, 7], [false, true, true]],
    ['across the start of the numbers', [65_535, 0], [false, true]],
    ['a stray one first', [900, 5, 6], [false, false, true]],
    ['never two in a row', [5, 7, 9, 5], [false, false, false, false]],
    ['a stray one far off', [5, 6, 5000, 7], [false, true, false, true]],
    ['a new start far off, with its second', [5, 6, 5000, 5001], [false, true, false, true]],
    ['a new start far behind', [5000, 5001, 20, 21], [false, true, false, true]],
    [
      'a new start at the end of the numbers',
      [20_000, 20_001, 65_535, 0, 1],
      [false, true, false, true, true],
    ],
    [
      'the same place far off, after a new start there',
      [5, 6, 50, 5000, 5001, 8000, 5001],
      [false, true, true, false, true, true, false],
    ],
    ['far off twice, not in a row', [5, 6, 5000, 5002, 5003], [false, true, false, false, true]],
  ])('%s', (_, sequenceNumbers, expected) => {
    expect(receiving(sequenceNumbers).valid).toEqual(expected);
  });

  test('a new start counts from the beginning', () => {
    const { reception } = receiving([...run(65_530, 20), 30_000, ...run(30_001, 4)]);
    expect(reception).toMatchObject({ received: 4, lost: 0, highestSequenceNumber: 30_004 });
  });

  test('before, there is nothing to report', () => {
    expect(receiving([5]).reception.takeReport(0)).toBeUndefined();
    expect(receiving([5]).reception).toMatchObject({ lost: 0, received: 0 });
    expect(receiving([5, 6]).reception.takeReport(0)).toBeDefined();
  });
});

describe('the interarrival jitter (appendix A.8)', () => {
  /** Deviations of arrivals from their pace, in units of the timestamp, after the packet that is not counted. */
  function jitterOf(...deviations: number[]): number {
    const reception = new Reception(SSRC);
    for (const [index, deviation] of [0, ...deviations].entries()) {
      reception.onPacket(index, (0xffffff00 + index * 160) >>> 0, 5000 + index * 160 + deviation);
    }
    return reception.jitter;
  }

  test.each([
    ['none', [0, 0, 0], 0],
    ['one by 16: 16 / 16', [0, 16], 1],
    ['there and back: (16 + 16 - 1) / 16', [0, 16, 0], 1],
    ['and by 160: (31 + 160 - 2) / 16', [0, 16, 0, 160], 11],
    ['a pace that stays late is none', [500, 500, 500], 0],
  ])('%s', (_, deviations, expected) => {
    expect(jitterOf(...deviations)).toBe(expected);
  });

  test('comes near a deviation that goes on', () => {
    // 80 but for what the RFC's whole numbers cut off.
    expect(jitterOf(...Array.from({ length: 500 }, (_, index) => (index % 2) * 80))).toBe(79);
  });

  test('stays within 32 bits whatever the timestamps are', () => {
    const reception = new Reception(SSRC);
    for (let index = 0; index < 2000; index++) {
      reception.onPacket(index, index % 2 ? 2 ** 31 : 0, 0);
      expect(reception.jitter).toBeGreaterThanOrEqual(0);
      expect(reception.jitter).toBeLessThanOrEqual(2 ** 31);
    }
  });

  test('does not take a new start for jitter', () => {
    const { reception } = receiving(run(1, 10));
    reception.onPacket(40_000, 7_000_000, 11 * 160);
    reception.onPacket(40_001, 7_000_160, 12 * 160);
    reception.onPacket(40_002, 7_000_320, 13 * 160);
    expect(reception.jitter).toBe(0);
  });
});

describe('report blocks', () => {
  test('say what was lost since the one before, in 1/256', () => {
    const { reception } = receiving([...run(0, 5), 8]);
    expect(reception.takeReport(0)).toMatchObject({ ssrc: SSRC, fractionLost: 96, packetsLost: 3 });
    expect(reception.takeReport(0)).toMatchObject({ fractionLost: 0, packetsLost: 3 });
    for (const sequenceNumber of [9, 10, 12]) reception.onPacket(sequenceNumber, 0, 0);
    expect(reception.takeReport(0)).toMatchObject({
      fractionLost: 64,
      packetsLost: 4,
      highestSequenceNumber: 12,
    });
  });

  test('doubled packets make no negative fraction', () => {
    const { reception } = receiving([...run(0, 5), 4, 4, 4]);
    expect(reception.takeReport(0)).toMatchObject({ fractionLost: 0, packetsLost: -3 });
  });

  test('the number of lost packets stays within 24 bits', () => {
    const reception = new Reception(SSRC);
    reception.onPacket(0, 0, 0);
    for (let count = 0, last = 1; count < 3000; count++, last += 2999)
      reception.onPacket(last & 0xffff, 0, 0);
    expect(reception.lost).toBeGreaterThan(0x7fffff);
    expect(reception.takeReport(0)).toMatchObject({ packetsLost: 0x7fffff, fractionLost: 255 });
  });

  test('name the last sender report, and how long ago it came', () => {
    const { reception } = receiving(run(0, 5));
    expect(reception.takeReport(1000)).toMatchObject({ lastSenderReport: 0, delaySinceLastSenderReport: 0 });
    reception.onSenderReport(0xb44db705, 0x20000000, 1000);
    expect(reception.takeReport(6250)).toMatchObject({
      lastSenderReport: 0xb7052000,
      delaySinceLastSenderReport: 0x54000,
    });
  });
});
