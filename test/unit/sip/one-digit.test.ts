import { describe, expect, test } from 'vitest';
import { DigitDetector } from '../../../gateways/sip/digits.ts';
import { standing } from '../support/incoming-call.ts';

/* One key that is pressed is one digit in the room, however it is told. */

interface Event {
  readonly code: number;
  readonly at: number;
  readonly duration: number;
  readonly marker: boolean;
  readonly end: boolean;
}

interface Manner {
  /** From packet to packet, in units of the timestamp. */
  readonly step?: number;
  readonly marks?: 'first' | 'all' | 'none';
  readonly durations?: 'grow' | 'same' | 'zero';
  readonly ends?: number;
}

const UPDATES = 4;

/** A key whose sender gives each packet the time at which it goes, instead of that at which the key was pressed. */
function pressed(code: number, at: number, manner: Manner = {}): Event[] {
  const { step = 160, marks = 'first', durations = 'grow', ends = 3 } = manner;
  const durationAt = { grow: (index: number) => step * (index + 1), same: () => step, zero: () => 0 }[
    durations
  ];
  return Array.from({ length: UPDATES + ends }, (_, index) => ({
    code,
    at: (at + step * index) >>> 0,
    // The copies of an end have its duration.
    duration: durationAt(Math.min(index, UPDATES)),
    marker: marks === 'all' || (marks === 'first' && index === 0),
    end: index >= UPDATES,
  }));
}

function digitsOf(events: readonly Event[]): string {
  const detector = new DigitDetector();
  return events
    .map(({ code, at, duration, marker, end }) => {
      const payload = Uint8Array.of(code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
      return detector.packet(at, marker, payload) ?? '';
    })
    .join('');
}

describe('a key whose timestamp grows while it is pressed is one digit', () => {
  test.each<[string, Manner]>([
    ['every 20 ms', {}],
    ['every 50 ms', { step: 400 }],
    ['every 20 ms at 48 kHz', { step: 960 }],
    ['with a mark on each packet', { marks: 'all' }],
    ['without any mark', { marks: 'none' }],
    ['while its duration stays the same', { durations: 'same' }],
    ['while its duration stays the same, with a mark on each packet', { durations: 'same', marks: 'all' }],
    ['without a duration', { durations: 'zero' }],
    ['with one end', { ends: 1 }],
    ['without an end', { ends: 0 }],
    ['whose timestamps start over', {}],
  ])('%s', (name, manner) => {
    const at = name.endsWith('start over') ? 2 ** 32 - 320 : 5_000;
    expect(digitsOf(pressed(1, at, manner))).toBe('1');
  });

  test.each([
    [1, '1'],
    [2, '1'],
    [5, '1'],
  ])('though packets are lost or come late: from number %i on', (first, expected) => {
    const events = pressed(1, 5_000);
    expect(digitsOf([...events.slice(first), events[first - 1]!])).toBe(expected);
    const [start, second, ...others] = events;
    expect(digitsOf([second!, start!, ...others])).toBe('1');
    expect(digitsOf(events.flatMap((event) => [event, event]))).toBe('1');
  });

  test('and pressed again it is another, as is another key', () => {
    // 100 ms after the end began.
    const next = (code: number, at: number) => pressed(code, at);
    expect(digitsOf([...next(1, 5_000), ...next(1, 6_440), ...next(1, 7_880)])).toBe('111');
    expect(digitsOf([...next(1, 5_000), ...next(2, 6_440), ...next(1, 7_880)])).toBe('121');
    expect(digitsOf([...next(1, 5_000), ...next(2, 6_120)])).toBe('12');
  });

  test('and pressed again without its ends it is another', () => {
    const first = pressed(1, 5_000, { ends: 0 });
    expect(digitsOf([...first, ...pressed(1, 8_000)])).toBe('11');
    expect(digitsOf([...first, ...pressed(1, 8_000).slice(1)])).toBe('11');
  });
});

/** What the room is told of keys that a phone tells in RTP (r) and by INFO (i), with pauses in ms between. */
async function toldOf(happenings: string): Promise<string> {
  const one = await standing();
  const { sid } = one.participant!;
  let told = '';
  one.room.on('digit', (_who, digit) => {
    told += digit;
  });
  for (const happening of happenings.split(' ')) {
    const [way, digit = ''] = happening;
    if (way === 'r') one.media.ports[0]!.emit('notice', { type: 'digit', call: sid, digit });
    else if (way === 'i') one.dialog.info({ type: 'application/dtmf-relay', text: `Signal=${digit}` });
    else one.clock.advance(Number(happening));
  }
  return told;
}

describe('a phone that tells its keys in RTP and by INFO at once', () => {
  test.each([
    ['r5 i5', '5'],
    ['i5 r5', '5'],
    ['r5 40 i5', '5'],
    ['i5 250 r5', '5'],
    ['r5 500 i5', '5'],
    ['r5 i5 150 r5 i5', '55'],
    ['r5 150 r5 i5 20 i5', '55'],
    ['i5 150 i5 r5 r5', '55'],
    ['r5 i5 200 i5 r5 200 r5 i5', '555'],
    ['r1 100 r2 100 i1 i2', '12'],
    ['r1 r2 r1 i1 i2 i1', '121'],
    ['r* i* 200 r# i#', '*#'],
    // Where one way loses a key, the other one has it.
    ['r5 i5 2000 i6 2000 r7 i7', '567'],
    ['r5 5000 r5 i5', '55'],
    ['r5 i5 5000 i5', '55'],
  ])('%s presses %s', async (happenings, expected) => {
    expect(await toldOf(happenings)).toBe(expected);
  });

  test('and one that tells them by one way only has every key', async () => {
    expect(await toldOf('r5 r5 100 r5')).toBe('555');
    expect(await toldOf('i5 i5 100 i5')).toBe('555');
    expect(await toldOf('r5 i5 5000 r5 r5 5000 i5 i5')).toBe('55555');
  });
});
