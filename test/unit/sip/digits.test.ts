import { describe, expect, test } from 'vitest';
import { DigitDetector, digitOfInfo } from '../../../gateways/sip/digits.ts';

interface Event {
  readonly code: number;
  readonly at: number;
  readonly duration?: number;
  readonly marker?: boolean;
  readonly end?: boolean;
}

function payload({ code, duration = 160, end = false }: Event): Uint8Array {
  return Uint8Array.of(code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
}

/** A key pressed at a timestamp, as RFC 4733 sends it: a start, updates each 20 ms, the end three times. */
function pressed(code: number, at: number): Event[] {
  return [
    { code, at, marker: true, duration: 160 },
    { code, at, duration: 320 },
    { code, at, duration: 480 },
    ...Array.from({ length: 3 }, () => ({ code, at, duration: 640, end: true })),
  ];
}

function digitsOf(...events: Event[]): string {
  const detector = new DigitDetector();
  return events
    .map((event) => detector.packet(event.at, event.marker ?? false, payload(event)) ?? '')
    .join('');
}

describe('telephone events', () => {
  test.each([...'0123456789*#ABCD'].map((digit, code) => [code, digit] as const))(
    '%i is %s',
    (code, digit) => {
      expect(digitsOf(...pressed(code, 5000))).toBe(digit);
    },
  );

  test.each([16, 17, 32, 255])('%i is no digit', (code) => {
    expect(digitsOf(...pressed(code, 5000), ...pressed(1, 9000))).toBe('1');
  });

  const one = pressed(1, 1000);
  const two = pressed(2, 3000);
  const again = pressed(1, 3000);

  test.each<[string, Event[], string]>([
    ['two after another', [...one, ...two], '12'],
    ['the same key twice', [...one, ...again], '11'],
    ['without the start', [...one.slice(1), ...again.slice(1)], '11'],
    ['without the ends', [...one.slice(0, 3), ...again.slice(0, 3)], '11'],
    [
      'without the ends of the first and the start of the second',
      [...one.slice(0, 3), ...again.slice(1)],
      '11',
    ],
    ['one update each', [one[1]!, again[1]!], '11'],
    ['the last end only', [one[5]!, again[5]!], '11'],
    ['the end first', [one[3]!, ...one], '1'],
    [
      'ends that come after the next has begun',
      [...one.slice(0, 3), two[0]!, ...one.slice(3), ...two.slice(1)],
      '12',
    ],
    ['a third, with late packets of the first', [...one, ...two, ...pressed(3, 5000), ...one], '123'],
    ['timestamps that start over', [...pressed(1, 0xffffff00), ...pressed(2, 0x700)], '12'],
    ['a timestamp of 0', [...pressed(1, 0), ...pressed(2, 2000)], '12'],
    ['timestamps that go back', [...pressed(1, 900_000), ...pressed(2, 100)], '12'],
  ])('%s', (_, events, expected) => {
    expect(digitsOf(...events)).toBe(expected);
  });

  describe('a key held for longer than an event can be (section 2.5.1.3)', () => {
    const held: Event[] = [
      { code: 5, at: 1000, marker: true },
      { code: 5, at: 1000, duration: 0xffff },
    ];

    test.each<[string, Event[], string]>([
      ['goes on', [...held, { code: 5, at: 1000 + 0xffff }], '5'],
      ['goes on twice', [...held, { code: 5, at: 1000 + 0xffff }, { code: 5, at: 1000 + 2 * 0xffff }], '5'],
      ['goes on though the last update is lost', [held[0]!, { code: 5, at: 1000 + 0xffff }], '5'],
      [
        'goes on earlier',
        [
          { code: 5, at: 1000, duration: 8000 },
          { code: 5, at: 9000 },
        ],
        '5',
      ],
      [
        'goes on earlier, after updates out of order',
        [
          { code: 5, at: 1000, duration: 8000 },
          { code: 5, at: 1000, duration: 8160 },
          { code: 5, at: 1000, duration: 160 },
          { code: 5, at: 9160 },
        ],
        '5',
      ],
      [
        'goes on past the start of the timestamps',
        [
          { code: 5, at: 0xffffffff, duration: 0xffff },
          { code: 5, at: 0xfffe },
        ],
        '5',
      ],
      ['is another with a marker', [...held, { code: 5, at: 1000 + 0xffff, marker: true }], '55'],
      [
        'is another after an end',
        [...held, { code: 5, at: 1000, end: true }, { code: 5, at: 1000 + 0xffff }],
        '55',
      ],
      ['is another elsewhere', [...held, { code: 5, at: 1000 + 0xfffe }], '55'],
      ['is another key', [...held, { code: 6, at: 1000 + 0xffff }], '56'],
    ])('%s', (_, events, expected) => {
      expect(digitsOf(...events)).toBe(expected);
    });
  });

  test('payloads that are too short are counted', () => {
    const detector = new DigitDetector();
    for (let length = 0; length < 4; length++) {
      expect(detector.packet(1000, true, new Uint8Array(length))).toBeUndefined();
    }
    expect(detector.malformed).toBe(4);
    expect(detector.packet(1000, true, payload({ code: 7, at: 1000 }))).toBe('7');
    expect(detector.packet(9000, true, Uint8Array.of(8, 10, 0, 160, 0, 0))).toBe('8');
    expect(detector.malformed).toBe(4);
  });
});

describe('SIP INFO', () => {
  test.each([
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160', '5'],
    ['application/dtmf-relay', 'Signal= 5\r\nDuration= 160\r\n', '5'],
    ['application/dtmf-relay', 'Duration=160\nsignal=*\n', '*'],
    ['Application/DTMF-Relay; charset=utf-8', 'Signal=#', '#'],
    ['application/dtmf-relay', 'Signal=d', 'D'],
    ['application/dtmf-relay', 'Signal=10', '*'],
    ['application/dtmf-relay', 'Signal=11', '#'],
    ['application/dtmf', '5', '5'],
    ['application/dtmf', ' 0\r\n', '0'],
    ['application/dtmf', '11', '#'],
    ['application/dtmf-relay', 'Signal=', undefined],
    ['application/dtmf-relay', 'Signal=\r\nDuration=160', undefined],
    ['application/dtmf-relay', 'Signal=16', undefined],
    ['application/dtmf-relay', 'Signal=55', undefined],
    ['application/dtmf-relay', 'NoSignal=5', undefined],
    ['application/dtmf-relay', '5', undefined],
    ['application/dtmf', '', undefined],
    ['application/dtmf', 'E', undefined],
    ['application/dtmf', `${' '.repeat(1000)}5`, undefined],
    ['application/media_control+xml', '5', undefined],
    ['text/plain', 'Signal=5', undefined],
    ['', '5', undefined],
  ])('%s %j: %s', (contentType, body, expected) => {
    expect(digitOfInfo(contentType, body)).toBe(expected);
  });
});
