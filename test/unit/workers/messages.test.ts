import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../src/base/errors.ts';
import { LOG_LEVELS } from '../../../src/base/log.ts';
import {
  openLinkReply,
  toMain,
  toWorker,
  workerRequest,
  workerStatistics,
} from '../../../src/workers/messages.ts';

const ENCODING = {
  width: 1280,
  height: 720,
  frameRate: 30,
  bitrateBps: 2_500_000,
  keyFrameSeconds: 2,
  preset: 'superfast',
};
const REQUESTS = [
  { type: 'initialise', logLevel: 'info', modules: [] },
  { type: 'initialise', logLevel: 'silent', modules: [{ gateway: 'sip', url: 'file:///x/media.ts' }] },
  { type: 'open-link', link: 'a', hubPort: 45000 },
  { type: 'close-link', link: 'a' },
  { type: 'mix-track', mix: 'RM_1', track: 'TR_1', link: 'a', ssrc: 7, codec: 'opus', levelExtension: 6 },
  { type: 'mix-track', mix: 'RM_1', track: 'TR_1', link: 'a', ssrc: 7, codec: 'PCMA' },
  { type: 'unmix-track', mix: 'RM_1', track: 'TR_1' },
  {
    type: 'open-program',
    program: 'PG_1',
    mix: 'RM_1',
    title: 'lounge',
    encoding: ENCODING,
    audioBitrateBps: 128_000,
    epochAt: -123_456.789,
  },
  { type: 'close-program', program: 'PG_1' },
  {
    type: 'program-hub-source',
    program: 'PG_1',
    source: 'TR_1-1',
    tracks: ['TR_2'],
    link: 'a',
    ssrc: 7,
    codec: 'VP8',
  },
  { type: 'program-push-source', program: 'PG_1', source: 'TR_1-1', tracks: [] },
  { type: 'program-show', program: 'PG_1', source: 'TR_1-1' },
  { type: 'program-show', program: 'PG_1' },
  { type: 'program-remove-source', program: 'PG_1', source: 'TR_1-1' },
  { type: 'gateway', gateway: 'sip', body: { packet: Buffer.from([1, 2]) } },
  { type: 'gateway', gateway: 'sip', body: undefined },
  { type: 'ping' },
  { type: 'statistics' },
  { type: 'stop' },
];

describe('to a media worker', () => {
  test.each(REQUESTS)('$type is taken as it is sent', (request) => {
    expect(toWorker.parse({ id: 0, request })).toEqual({ id: 0, request });
  });

  test('each type of request is tried here', () => {
    const types = workerRequest.options.map(({ shape }) => shape.type.value);
    expect(new Set(REQUESTS.map(({ type }) => type))).toEqual(new Set(types));
  });

  test.each(LOG_LEVELS)('the log level %s is known', (logLevel) => {
    expect(workerRequest.safeParse({ type: 'initialise', logLevel, modules: [] }).success).toBe(true);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no id', { request: { type: 'stop' } }],
    ['a negative id', { id: -1, request: { type: 'stop' } }],
    ['no request', { id: 1 }],
    ['an unknown request', { id: 1, request: { type: 'explode' } }],
    ['a key too many', { id: 1, request: { type: 'stop', now: true } }],
    ['a key too many outside', { id: 1, request: { type: 'stop' }, now: true }],
    ['port 0', { id: 1, request: { type: 'open-link', link: 'a', hubPort: 0 } }],
    ['port 65536', { id: 1, request: { type: 'open-link', link: 'a', hubPort: 65536 } }],
    ['a link without a name', { id: 1, request: { type: 'close-link' } }],
    ['an unknown log level', { id: 1, request: { type: 'initialise', logLevel: 'trace', modules: [] } }],
    [
      'a codec that cannot be mixed',
      { id: 1, request: { type: 'mix-track', mix: 'R', track: 'T', link: 'a', ssrc: 7, codec: 'G722' } },
    ],
    [
      'a program that does not say when its time began',
      {
        id: 1,
        request: {
          ...{ type: 'open-program', program: 'PG_1', mix: 'RM_1', title: 'lounge' },
          ...{ encoding: ENCODING, audioBitrateBps: 128_000 },
        },
      },
    ],
    [
      'a module without a file',
      { id: 1, request: { type: 'initialise', logLevel: 'info', modules: [{ gateway: 'sip' }] } },
    ],
  ])('%s is not taken', (_, message) => {
    expect(toWorker.safeParse(message).success).toBe(false);
  });
});

describe('to the main process', () => {
  test.each([
    { type: 'reply', id: 0, value: { port: 1 } },
    { type: 'reply', id: 7, value: undefined },
    { type: 'failure', id: 7, code: 'internal', message: ERRORS.internal },
    { type: 'notice', gateway: 'sip', body: { level: -20 } },
  ])('$type is taken as it is sent: $value$message$body', (message) => {
    expect(toMain.parse(message)).toEqual(message);
  });

  test.each<[string, unknown]>([
    ['nothing', null],
    ['an unknown type', { type: 'hello' }],
    ['a reply without an id', { type: 'reply', value: 1 }],
    ['a failure without a code', { type: 'failure', id: 1, message: 'x' }],
    ['a notice of no gateway', { type: 'notice', body: {} }],
    ['a key too many', { type: 'reply', id: 1, value: 1, extra: 1 }],
  ])('%s is not taken', (_, message) => {
    expect(toMain.safeParse(message).success).toBe(false);
  });
});

describe('replies', () => {
  const link = { link: 'a', packetsReceived: 1, packetsSent: 2, packetsIgnored: 3, sendErrors: 0 };
  const mixing = { mixers: 1, decoders: 2, ticksSkipped: 0, tickLagMs: 0.5 };
  const program = {
    program: 'PG_1',
    picture: 'copied',
    frames: 1,
    bytes: 2,
    encoderDelayMs: 0,
    pids: [7],
    deaths: 0,
    silences: 0,
  };
  const statistics = {
    cpuMs: 1.5,
    memoryBytes: 2,
    loopLagMs: 0.1,
    mixing,
    programs: [program],
    links: [link],
  };

  test('statistics and ports are taken as they are sent', () => {
    expect(workerStatistics.parse(statistics)).toEqual(statistics);
    expect(openLinkReply.parse({ port: 45001 })).toEqual({ port: 45001 });
  });

  test.each<[string, unknown]>([
    ['a figure is missing', { ...statistics, cpuMs: undefined }],
    ['a figure is a text', { ...statistics, memoryBytes: '2' }],
    ['a link is incomplete', { ...statistics, links: [{ link: 'a' }] }],
  ])('statistics are not taken when %s', (_, value) => {
    expect(workerStatistics.safeParse(value).success).toBe(false);
  });

  test.each([{}, { port: '1' }, { port: 1.5 }])('%o is no port', (value) => {
    expect(openLinkReply.safeParse(value).success).toBe(false);
  });
});
