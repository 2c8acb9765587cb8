import { describe, expect, test } from 'vitest';
import {
  type Reply,
  type RequestType,
  replies,
  type ServerMessage,
  type ServerNotice,
  serverMessage,
  serverNotice,
} from '../../../gateways/webrtc/messages.ts';

const SID = 'TR_abcdefghijkl';
const PERSON = 'PA_abcdefghijkl';

const track = {
  sid: SID,
  participant: PERSON,
  kind: 'audio',
  purpose: 'voice',
  codec: 'opus',
  muted: false,
  layers: 1,
} as const;
const participant = {
  sid: PERSON,
  identity: 'ann',
  name: 'Ann',
  kind: 'phone',
  quality: 'good',
  metadata: '',
  attributes: { role: 'host' },
  tracks: [track],
} as const;

const subscription = {
  track: SID,
  stream: `${PERSON}-person`,
  consumer: 'c',
  producer: 'p',
  kind: 'audio',
  rtpParameters: { codecs: [], encodings: [{ ssrc: 1 }] },
} as const;
const room = { sid: 'RM_abcdefghijkl', name: 'lounge', metadata: '' };

const NOTICES: ServerNotice[] = [
  { type: 'participant-joined', body: { ...participant, attributes: {}, tracks: [] } },
  { type: 'participant-left', body: { participant: PERSON, reason: 'connection-lost' } },
  { type: 'participant-updated', body: participant as unknown as Reply<'join'>['participants'][number] },
  { type: 'quality', body: { participant: PERSON, quality: 'lost' } },
  { type: 'track-published', body: track },
  { type: 'track-updated', body: { ...track, muted: true } },
  { type: 'track-unpublished', body: { track: SID, participant: PERSON } },
  { type: 'subscribed', body: subscription },
  { type: 'unsubscribed', body: { track: SID } },
  { type: 'subscription-refused', body: { track: SID, reason: 'the browser cannot take G722' } },
  { type: 'speakers', body: [{ participant: PERSON, level: -31 }] },
  { type: 'speakers', body: [] },
  { type: 'digit', body: { participant: PERSON, digit: '#' } },
  { type: 'room-updated', body: room },
  {
    type: 'permissions',
    body: { publish: ['voice', 'screen-audio'], subscribe: true, updateOwn: false, admin: false },
  },
  { type: 'media-lost', body: { reason: 'worker died' } },
  { type: 'removed', body: { reason: 'removed' } },
];

describe('a notice', () => {
  test.each(NOTICES)('$type comes out of JSON as it went in', (notice) => {
    expect(serverMessage.parse(JSON.parse(JSON.stringify(notice)))).toEqual(notice);
  });

  test.each(NOTICES)('$type is not taken with a key too many', (notice) => {
    expect(serverMessage.safeParse({ ...notice, id: 1 }).success).toBe(false);
  });

  test('of each type is tried here', () => {
    const types = serverNotice.options.map(({ shape }) => shape.type.value);
    expect(new Set(NOTICES.map(({ type }) => type))).toEqual(new Set(types));
  });

  test.each([
    ['a reason that nobody knows', { type: 'removed', body: { reason: 'bored' } }],
    ['a quality that nobody knows', { type: 'quality', body: { participant: PERSON, quality: 'meh' } }],
    [
      'a permission that nobody knows',
      { type: 'permissions', body: { publish: ['smell'], subscribe: true, updateOwn: true, admin: true } },
    ],
    ['a track without a codec', { type: 'track-published', body: { ...track, codec: undefined } }],
  ])('with %s is not taken', (_, notice) => {
    expect(serverMessage.safeParse(notice).success).toBe(false);
  });
});

describe('an answer', () => {
  test.each<ServerMessage>([
    { type: 'reply', id: 3, value: { track: SID } },
    { type: 'error', id: 3, code: 'forbidden', message: 'No.' },
    { type: 'error', code: 'invalid-request', message: 'Not a message of this protocol.' },
  ])('comes out of JSON as it went in: %o', (message) => {
    expect(serverMessage.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
  });

  const welcome: Reply<'join'> = {
    room,
    you: PERSON,
    resumeKey: 'k',
    resumed: false,
    transports: ['transport-1'],
    resumeMs: 20_000,
    permissions: { publish: [], subscribe: true, updateOwn: true, admin: true },
    participants: [{ ...participant, tracks: [{ ...track }] }],
    subscriptions: [subscription],
    iceServers: [{ urls: ['stun:a'] }, { urls: ['turn:b'], username: 'u', credential: 'c' }],
  };
  const transport = { id: 't', iceParameters: {}, iceCandidates: [{}], dtlsParameters: {} };

  test.each<[RequestType, object]>([
    ['join', welcome],
    ['open', { routerRtpCapabilities: {}, transport }],
    ['restart-ice', { iceParameters: { usernameFragment: 'u' } }],
    ['publish', { track: SID, producer: 'p' }],
    ['leave', {}],
  ])('to %s is as agreed, without a key too many or too few', (type, value) => {
    expect(replies[type].parse(JSON.parse(JSON.stringify(value)))).toEqual(value);
    expect(replies[type].safeParse({ ...value, extra: 1 }).success).toBe(false);
    for (const key of Object.keys(value)) {
      expect(replies[type].safeParse({ ...value, [key]: undefined }).success).toBe(false);
    }
  });
});
