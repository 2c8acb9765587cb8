import { describe, expect, test } from 'vitest';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import {
  controlMessage,
  parseControlNumber,
  parsePeerBandwidth,
  parseUserControl,
} from '../../../../gateways/rtmp/protocol/messages.ts';

const of = (...bytes: number[]): RtmpMessage => ({
  type: 0,
  timestamp: 0,
  streamId: 0,
  payload: Buffer.from(bytes),
});

describe('control messages as bytes', () => {
  test.each<[string, RtmpMessage, number, string]>([
    ['set chunk size', controlMessage.setChunkSize(4096), 1, '00001000'],
    ['abort', controlMessage.abort(65_599), 2, '0001003f'],
    ['acknowledgement', controlMessage.acknowledgement(2 ** 31 + 1), 3, '80000001'],
    ['acknowledgement past 2^32', controlMessage.acknowledgement(2 ** 32 + 5), 3, '00000005'],
    ['window acknowledgement size', controlMessage.windowAcknowledgementSize(2_500_000), 5, '002625a0'],
    ['set peer bandwidth', controlMessage.setPeerBandwidth(2_500_000, 'dynamic'), 6, '002625a002'],
    ['set peer bandwidth, hard', controlMessage.setPeerBandwidth(1, 'hard'), 6, '0000000100'],
    ['stream begin', controlMessage.streamBegin(1), 4, '000000000001'],
    ['stream end', controlMessage.streamEof(1), 4, '000100000001'],
    ['set buffer length', controlMessage.setBufferLength(1, 3000), 4, '00030000000100000bb8'],
    ['ping request', controlMessage.pingRequest(0xfffffffe), 4, '0006fffffffe'],
    ['ping response', controlMessage.pingResponse(7), 4, '000700000007'],
  ])('%s', (_, message, type, bytes) => {
    expect(message).toEqual({ type, timestamp: 0, streamId: 0, payload: Buffer.from(bytes, 'hex') });
  });
});

test.each<[string, unknown, unknown]>([
  ['a number', parseControlNumber(of(0x80, 0, 0, 1)), 0x80000001],
  ['a number with something behind it', parseControlNumber(of(0, 0, 0, 1, 9)), 1],
  ['a number that is cut off', parseControlNumber(of(0, 0, 1)), undefined],
  ['a bandwidth', parsePeerBandwidth(of(0, 0, 1, 0, 2)), { bytes: 256, limit: 2 }],
  ['a bandwidth that is cut off', parsePeerBandwidth(of(0, 0, 1, 0)), undefined],
  ['a ping', parseUserControl(of(0, 6, 1, 0, 0, 0)), { event: 6, value: 2 ** 24, second: undefined }],
  [
    'a buffer length',
    parseUserControl(of(0, 3, 0, 0, 0, 1, 0, 0, 1, 0)),
    { event: 3, value: 1, second: 256 },
  ],
  [
    'an event that nobody knows',
    parseUserControl(of(1, 0, 0, 0, 0, 1)),
    { event: 256, value: 1, second: undefined },
  ],
  ['an event that is cut off', parseUserControl(of(0, 6, 1, 0, 0)), undefined],
])('%s is read', (_, found, expected) => {
  expect(found).toEqual(expected);
});
