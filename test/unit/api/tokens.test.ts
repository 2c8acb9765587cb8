import { RoomConfiguration, TrackSource } from 'livekit-server-sdk';
import { describe, expect, test } from 'vitest';
import { createToken, TokenVerifier } from '../../../src/api/tokens.ts';
import { mustAdminister, mustHaveGrant } from '../../../src/room/grants.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { refusal } from '../support/refusal.ts';
import { KEY, livekitToken, SECRET, secondsFromNow, sign } from '../support/tokens.ts';

const verifier = new TokenVerifier({ other: 'x'.repeat(32), [KEY]: SECRET });
const JOIN = { roomJoin: true, room: 'lounge' };

describe('a good token', () => {
  test('of our own making is understood', async () => {
    const token = await createToken(KEY, SECRET, { identity: 'ann', name: 'Ann', video: JOIN }, 60);
    expect(await verifier.verify(token)).toEqual({
      video: JOIN,
      identity: 'ann',
      name: 'Ann',
      metadata: '',
      attributes: {},
      permissions: EVERYDAY_PERMISSIONS,
      roomOptions: {},
      roomMetadata: '',
    });
  });

  test("of LiveKit's SDK is understood", async () => {
    const token = livekitToken(JOIN, { name: 'Ann', metadata: '{"seat":7}', attributes: { role: 'host' } });
    expect(await verifier.verify(await token.toJwt())).toMatchObject({
      identity: 'ann',
      name: 'Ann',
      metadata: '{"seat":7}',
      attributes: { role: 'host' },
      permissions: EVERYDAY_PERMISSIONS,
    });
  });

  test('of a key that was put into service beside another is understood', async () => {
    const token = await createToken('other', 'x'.repeat(32), { identity: 'bob', video: {} }, 60);
    expect(await verifier.verify(token)).toMatchObject({ identity: 'bob', video: {} });
  });

  test('within the tolerance for clocks that differ is accepted', async () => {
    for (const claims of [{ exp: secondsFromNow(-5) }, { nbf: secondsFromNow(5) }]) {
      expect(await verifier.verify(await sign(claims))).toMatchObject({ identity: 'ann' });
    }
  });
});

describe('permissions', () => {
  test.each([
    ['publish and subscribe unless denied', {}, {}],
    ['no publishing', { canPublish: false }, { publish: false }],
    ['no subscribing', { canSubscribe: false }, { subscribe: false }],
    ['own metadata', { canUpdateOwnMetadata: true }, { updateOwn: true }],
    ['hidden', { hidden: true }, { hidden: true }],
    ['a recorder, which is hidden', { recorder: true }, { hidden: true }],
    ['administration', { roomAdmin: true }, { admin: true }],
    ['an empty list of sources, which is none', { canPublishSources: [] }, {}],
    [
      'microphone and camera',
      { canPublishSources: [TrackSource.MICROPHONE, TrackSource.CAMERA] },
      { publishPurposes: ['voice', 'camera'] },
    ],
    [
      'the screen and its sound',
      { canPublishSources: [TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO] },
      { publishPurposes: ['screen', 'screen-audio'] },
    ],
  ])('%s', async (_, video, expected) => {
    const { permissions } = await verifier.verify(await livekitToken({ ...JOIN, ...video }).toJwt());
    expect(permissions).toEqual({ ...EVERYDAY_PERMISSIONS, ...expected });
  });

  test('sources that nobody knows permit nothing', async () => {
    const token = await sign({ video: { ...JOIN, canPublishSources: ['hologram'] } });
    expect((await verifier.verify(token)).permissions.publishPurposes).toEqual([]);
  });
});

describe('the room that a token opens', () => {
  test.each([
    ['has no options of its own by default', {}, {}],
    [
      'closes when it says',
      { emptyTimeout: 60, departureTimeout: 5 },
      { emptyTimeoutMs: 60_000, departureTimeoutMs: 5_000 },
    ],
    ['is as large as it says', { maxParticipants: 4 }, { maxParticipants: 4 }],
    ['takes zeros as not said', { emptyTimeout: 0, departureTimeout: 0, maxParticipants: 0 }, {}],
  ])('%s', async (_, config, options) => {
    const token = livekitToken(JOIN);
    token.roomConfig = new RoomConfiguration({ ...config, metadata: 'about' });
    expect(await verifier.verify(await token.toJwt())).toMatchObject({ roomMetadata: 'about' });
    expect((await verifier.verify(await token.toJwt())).roomOptions).toEqual(options);
  });
});

describe('grants for the API', () => {
  const grantOf = async (video: object) => verifier.verify(await sign({ video }));

  test.each(['roomCreate', 'roomList'] as const)('%s is needed where it is', async (grant) => {
    const [good, bad] = [
      await grantOf({ [grant]: true }),
      await grantOf({ roomAdmin: true, room: 'lounge' }),
    ];
    expect(() => mustHaveGrant(good, grant)).not.toThrow();
    expect(() => mustHaveGrant(bad, grant)).toThrow(refusal('forbidden'));
  });

  test.each([
    ['of this room', { roomAdmin: true, room: 'lounge' }, true],
    ['of another room', { roomAdmin: true, room: 'kitchen' }, false],
    ['of no room in particular', { roomAdmin: true }, false],
    ['to join only', JOIN, false],
  ])('administration %s: %o', async (_, video, permitted) => {
    const grant = await grantOf(video);
    const administer = () => mustAdminister(grant, 'lounge');
    if (permitted) expect(administer).not.toThrow();
    else expect(administer).toThrow(refusal('forbidden'));
  });
});
