import { describe, expect, test } from 'vitest';
import { writeAmf0 } from '../../../../gateways/rtmp/protocol/amf0.ts';
import {
  commandMessage,
  parseCommand,
  parseData,
  statusMessage,
} from '../../../../gateways/rtmp/protocol/command.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';

const AMF0_COMMAND = 20;
const AMF3_COMMAND = 17;
const AMF0_DATA = 18;
const AMF3_DATA = 15;

function message(type: number, ...parts: Buffer[]): RtmpMessage {
  return { type, timestamp: 0, streamId: 0, payload: Buffer.concat(parts) };
}

const connect = writeAmf0('connect', 1, { app: 'live' }, 'extra', 5);
const connected = { name: 'connect', transaction: 1, object: { app: 'live' }, args: ['extra', 5] };

describe('a command is read', () => {
  test.each([
    ['AMF 0', message(AMF0_COMMAND, connect), connected],
    ['AMF 0 in a message for AMF 3', message(AMF3_COMMAND, Buffer.of(0), connect), connected],
    [
      'AMF 3 in a message for AMF 3',
      message(
        AMF3_COMMAND,
        Buffer.of(0),
        writeAmf0('connect', 1),
        Buffer.from('110a0b01076170700609', 'hex'),
        Buffer.from('6c69766501', 'hex'),
      ),
      { name: 'connect', transaction: 1, object: { app: 'live' }, args: [] },
    ],
    [
      'no object',
      message(AMF0_COMMAND, writeAmf0('a', 0, null)),
      { name: 'a', transaction: 0, object: null, args: [] },
    ],
    [
      'nothing where the object is',
      message(AMF0_COMMAND, writeAmf0('a', 0)),
      { name: 'a', transaction: 0, object: null, args: [] },
    ],
  ])('%s', (_, from, expected) => {
    expect(parseCommand(from)).toEqual(expected);
  });
});

describe('refused is', () => {
  test.each([
    ['an empty command', message(AMF0_COMMAND), 'command'],
    ['a command without a name', message(AMF0_COMMAND, writeAmf0(1, 1)), 'command'],
    ['a command without a transaction', message(AMF0_COMMAND, writeAmf0('connect')), 'command'],
    ['a command with another transaction', message(AMF0_COMMAND, writeAmf0('connect', 'one')), 'command'],
    ['a broken command', message(AMF0_COMMAND, connect.subarray(0, -1)), 'amf'],
    ['an empty message for AMF 3', message(AMF3_COMMAND), 'amf'],
    ['a message for AMF 3 of another kind', message(AMF3_COMMAND, Buffer.of(3), connect), 'amf'],
  ])('%s', (_, from, code) => {
    expect(() => parseCommand(from)).toThrow(expect.objectContaining({ code }));
  });

  test('broken data', () => {
    expect(() => parseData(message(AMF0_DATA, Buffer.of(4)))).toThrow(
      expect.objectContaining({ code: 'amf' }),
    );
  });

  test('what the caller should not have asked for', () => {
    expect(() => parseCommand(message(AMF0_DATA, connect))).toThrow(/no command/);
    expect(() => parseData(message(AMF0_COMMAND, connect))).toThrow(/no data/);
  });
});

test('data is read', () => {
  const values = ['@setDataFrame', 'onMetaData', { width: 1280 }];
  expect(parseData(message(AMF0_DATA, writeAmf0(...values)))).toEqual(values);
  expect(parseData(message(AMF3_DATA, Buffer.of(0), writeAmf0(...values)))).toEqual(values);
  expect(parseData(message(AMF0_DATA))).toEqual([]);
});

test('a command is written', () => {
  const made = commandMessage('_result', 4, null, [1, 'x'], 0);
  expect(made).toMatchObject({ type: AMF0_COMMAND, timestamp: 0, streamId: 0 });
  expect(parseCommand(made)).toEqual({ name: '_result', transaction: 4, object: null, args: [1, 'x'] });
});

test('a status is written', () => {
  const made = statusMessage(1, 'error', 'NetStream.Publish.BadName', 'No such key.', { clientid: 'c' });
  expect(made.streamId).toBe(1);
  const info = {
    level: 'error',
    code: 'NetStream.Publish.BadName',
    description: 'No such key.',
    clientid: 'c',
  };
  expect(parseCommand(made)).toEqual({ name: 'onStatus', transaction: 0, object: null, args: [info] });
});
