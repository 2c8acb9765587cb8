import { describe, expect, test } from 'vitest';
import { clientMessage, type RequestType } from '../../../gateways/webrtc/messages.ts';

const SID = 'TR_abcdefghijkl';
const PERSON = 'PA_abcdefghijkl';

/** One of each request, as the page sends it. */
const REQUESTS: Record<RequestType, object[]> = {
  join: [
    { room: 'lounge' },
    { room: 'lounge', name: 'Ann', token: 'x'.repeat(8192), resume: { participant: PERSON, key: 'k' } },
  ],
  open: [{ direction: 'send' }, { direction: 'receive', tcpOnly: true }],
  connect: [{ direction: 'send', dtlsParameters: { role: 'client', fingerprints: [] } }],
  'restart-ice': [{ direction: 'receive' }],
  receive: [{ rtpCapabilities: { codecs: [], headerExtensions: [] } }],
  ready: [{ tracks: [SID] }, { tracks: [] }],
  want: [{ tracks: [SID], wanted: false }],
  layers: [{ layers: [{ track: SID, layer: 2 }] }],
  publish: [
    { kind: 'audio', purpose: 'voice', rtpParameters: { codecs: [] } },
    { kind: 'video', purpose: 'screen', rtpParameters: {}, muted: true, width: 1920, height: 1080 },
  ],
  unpublish: [{ track: SID }],
  mute: [{ track: SID, muted: true }],
  update: [{ name: 'Ann' }],
  moderate: [
    { participant: PERSON, action: 'mute' },
    { participant: PERSON, action: 'remove' },
  ],
  leave: [{}],
  ping: [{}],
};

describe('a request', () => {
  const good = Object.entries(REQUESTS).flatMap(([type, bodies]) => bodies.map((body) => ({ type, body })));

  test.each(good)('$type is taken as it is sent: $body', (message) => {
    const sent = JSON.stringify({ id: 0, ...message });
    expect(clientMessage.parse(JSON.parse(sent))).toEqual({ id: 0, ...message });
  });

  test.each(good)('$type is not taken with a key that nobody knows', ({ type, body }) => {
    expect(clientMessage.safeParse({ id: 1, type, body: { ...body, extra: 1 } }).success).toBe(false);
  });

  test('of each type is tried here', () => {
    const types = clientMessage.options.map(({ shape }) => shape.type.value);
    expect(Object.keys(REQUESTS)).toEqual(types);
  });
});

describe('a hostile message is not taken', () => {
  const leave = '"type": "leave", "body": {}';
  const ready = (track: unknown) => JSON.stringify({ id: 1, type: 'ready', body: { tracks: [track] } });
  const join = (body: object) => JSON.stringify({ id: 1, type: 'join', body: { room: 'lounge', ...body } });

  test.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['a text', '"leave"'],
    ['nothing', '{}'],
    ['no id', `{${leave}}`],
    ['a negative id', `{"id": -1, ${leave}}`],
    ['a fraction as id', `{"id": 1.5, ${leave}}`],
    ['an id beyond exact numbers', `{"id": 1e300, ${leave}}`],
    ['a text as id', `{"id": "1", ${leave}}`],
    ['no type', '{"id": 1, "body": {}}'],
    ['an unknown type', '{"id": 1, "type": "shutdown", "body": {}}'],
    ['a property of objects as type', '{"id": 1, "type": "constructor", "body": {}}'],
    ['no body', '{"id": 1, "type": "leave"}'],
    ['a list as body', '{"id": 1, "type": "leave", "body": []}'],
    ['something beside the body', `{"id": 1, ${leave}, "admin": true}`],
    ['__proto__ beside the body', `{"id": 1, ${leave}, "__proto__": {"admin": true}}`],
    ['__proto__ in the body', '{"id": 1, "type": "leave", "body": {"__proto__": {"admin": true}}}'],
    ['an empty sid', ready('')],
    ['an endless sid', ready('x'.repeat(65))],
    ['an object as sid', ready({ toString: 'x' })],
    ['an empty room', join({ room: '' })],
    ['an endless room', join({ room: 'x'.repeat(129) })],
    ['an endless name', join({ name: 'x'.repeat(101) })],
    ['an endless token', join({ token: 'x'.repeat(8193) })],
    ['an endless key', join({ resume: { participant: PERSON, key: 'x'.repeat(65) } })],
    ['half a resumption', join({ resume: { participant: PERSON } })],
    ['an unknown direction', '{"id": 1, "type": "open", "body": {"direction": "both"}}'],
    ['a list as parameters', '{"id": 1, "type": "receive", "body": {"rtpCapabilities": []}}'],
    ['null as parameters', '{"id": 1, "type": "receive", "body": {"rtpCapabilities": null}}'],
    [
      'a quality below all',
      JSON.stringify({ id: 1, type: 'layers', body: { layers: [{ track: SID, layer: -1 }] } }),
    ],
    [
      'a quality above all',
      JSON.stringify({ id: 1, type: 'layers', body: { layers: [{ track: SID, layer: 8 }] } }),
    ],
    [
      'an unknown purpose',
      JSON.stringify({ id: 1, type: 'publish', body: { kind: 'audio', purpose: 'spy', rtpParameters: {} } }),
    ],
    [
      'a picture without width',
      JSON.stringify({ id: 1, type: 'publish', body: { ...REQUESTS.publish[1], width: 0 } }),
    ],
    [
      'a picture too high',
      JSON.stringify({ id: 1, type: 'publish', body: { ...REQUESTS.publish[1], height: 16385 } }),
    ],
  ])('%s', (_, text) => {
    expect(clientMessage.safeParse(JSON.parse(text)).success).toBe(false);
  });

  test('and its parameters bring no prototype along', () => {
    const text = '{"id": 1, "type": "receive", "body": {"rtpCapabilities": {"__proto__": {"codecs": []}}}}';
    const message = clientMessage.safeParse(JSON.parse(text));
    expect(message.data?.body).toEqual({ rtpCapabilities: {} });
    expect(message.data?.body).not.toHaveProperty('rtpCapabilities.codecs');
  });
});
