import { expect, test } from 'vitest';
import { relayTable } from '../../../src/cli/relay.ts';
import { roomTable } from '../../../src/cli/rooms.ts';
import { table } from '../../../src/cli/table.ts';

test('columns are as wide as their widest cell, without spaces at the ends of lines', () => {
  expect(
    table(
      ['A', 'LONG'],
      [
        ['wide cell', 'x'],
        ['', 'y'],
      ],
    ),
  ).toBe('A          LONG\nwide cell  x\n-          y');
});

test('nothing in a cell steers the terminal', () => {
  const text = table(['A'], [['\x1b[2Jred\nline\u202e']]);
  expect(text).toBe('A\n?[2Jred?line?');
});

test('rooms show how many of what kind are there, and what they publish', () => {
  const voice = (muted: boolean) => ({ kind: 'audio', purpose: 'voice', codec: { name: 'opus' }, muted });
  const person = (identity: string, kind: string, muted: boolean) => ({
    identity,
    name: identity,
    kind,
    tracks: [voice(muted)],
  });
  const participants = [
    person('a', 'phone', false),
    person('b', 'browser', false),
    person('c', 'browser', true),
  ];
  expect(
    roomTable([
      { name: 'demo', participants },
      { name: 'empty', participants: [] },
    ]),
  ).toBe(
    [
      'ROOM   PARTICIPANTS        PUBLISHED',
      'demo   2 browser, 1 phone  2 voice opus, 1 voice opus muted',
      'empty  nobody              nothing',
    ].join('\n'),
  );
  expect(roomTable([])).toBe('No room is open.');
});

test.each([
  [0, '-'],
  [999, '0:00:00'],
  [61_000, '0:01:01'],
  [100 * 3_600_000 + 3_599_000, '100:59:59'],
])('a relay that is live for %d ms shows %s', (uptimeMs, shown) => {
  const relay = {
    id: 'RL_1',
    address: 'rtmp://cdn/app/***',
    state: 'live',
    reason: '',
    bitrateBps: 2_450_000,
  };
  const figures = { framesDropped: 3, retries: 1, uptimeMs, startedAt: 0 };
  const [, line] = relayTable([{ ...relay, ...figures }]).split('\n');
  expect(line!.split(/ {2,}/)).toEqual([
    'RL_1',
    'live',
    '2.45 Mbit/s',
    '3',
    '1',
    shown,
    'rtmp://cdn/app/***',
    '-',
  ]);
});

test('no relay is said in words', () => {
  expect(relayTable([])).toBe('No relay runs.');
});
