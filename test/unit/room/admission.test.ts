import { describe, expect, test } from 'vitest';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { Admissions } from '../../../src/room/admission.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { refusal } from '../support/refusal.ts';
import { KEY, SECRET, sign } from '../support/tokens.ts';

const verifier = new TokenVerifier({ [KEY]: SECRET });
const demo = new Admissions(verifier, true);
const guarded = new Admissions(verifier, false);
const VIDEO = { roomJoin: true, room: 'lounge' };

describe('a guest', () => {
  test('is let in in demo mode, under a name of his own', async () => {
    expect(await demo.admit({ type: 'guest', room: 'lounge', name: '  Ann ' })).toEqual({
      room: 'lounge',
      identity: expect.stringMatching(/^guest-[0-9a-f]{8}$/),
      name: 'Ann',
      permissions: { ...EVERYDAY_PERMISSIONS, updateOwn: true },
      metadata: '',
      attributes: {},
      roomOptions: {},
      roomMetadata: '',
    });
  });

  test.each([[undefined], [''], ['   ']])('without a name (%j) is called by his identity', async (name) => {
    const guest = await demo.admit({
      type: 'guest',
      room: 'lounge',
      ...(name === undefined ? {} : { name }),
    });
    expect(guest.name).toBe(guest.identity);
  });

  test('never gets the identity of another', async () => {
    const guests = await Promise.all(
      Array.from({ length: 20 }, () => demo.admit({ type: 'guest', room: 'lounge', name: 'Ann' })),
    );
    expect(new Set(guests.map(({ identity }) => identity)).size).toBe(20);
  });

  test('gets a long name cut off', async () => {
    const { name } = await demo.admit({ type: 'guest', room: 'lounge', name: 'y'.repeat(1000) });
    expect(name).toBe('y'.repeat(100));
  });

  test('is refused outside of demo mode', async () => {
    await expect(guarded.admit({ type: 'guest', room: 'lounge' })).rejects.toThrow(
      refusal('unauthenticated'),
    );
  });
});

describe('the bearer of a token', () => {
  test.each([
    ['demo mode', demo],
    ['ordinary mode', guarded],
  ])('is let in in %s with what the token says', async (_, admissions) => {
    const token = await sign({
      name: 'Ann',
      metadata: 'm',
      attributes: { role: 'host' },
      video: { ...VIDEO, canPublish: false },
      roomConfig: { maxParticipants: 4, metadata: 'about' },
    });
    expect(await admissions.admit({ type: 'token', room: 'lounge', token })).toEqual({
      room: 'lounge',
      identity: 'ann',
      name: 'Ann',
      permissions: { ...EVERYDAY_PERMISSIONS, publish: false },
      metadata: 'm',
      attributes: { role: 'host' },
      roomOptions: { maxParticipants: 4 },
      roomMetadata: 'about',
    });
  });

  test.each([
    ['the one in the token', { name: 'Ann' }, 'Chosen', 'Ann'],
    ['the one he chose, if the token has none', {}, 'Chosen', 'Chosen'],
    ['his identity, if there is none', {}, ' ', 'ann'],
  ])('is called %s', async (_, claims, name, expected) => {
    const token = await sign({ ...claims, video: VIDEO });
    expect(await guarded.admit({ type: 'token', room: 'lounge', token, name })).toHaveProperty(
      'name',
      expected,
    );
  });

  test.each([
    ['another room', { video: { ...VIDEO, room: 'kitchen' } }, 'forbidden'],
    ['no room', { video: {} }, 'forbidden'],
    ['an unknown key', { iss: 'stranger', video: VIDEO }, 'unauthenticated'],
  ] as const)('for %s is refused, in demo mode too', async (_, claims, code) => {
    const token = await sign(claims);
    for (const admissions of [demo, guarded]) {
      await expect(admissions.admit({ type: 'token', room: 'lounge', token })).rejects.toThrow(refusal(code));
    }
  });
});

describe('who comes from an address that his gateway has on its list', () => {
  const caller = { type: 'listed-address', room: 'lounge', identity: 'phone-1', name: 'Ann' } as const;

  test.each([
    ['demo mode', demo],
    ['ordinary mode', guarded],
  ])('is let in in %s, and may do what everybody may', async (_, admissions) => {
    expect(await admissions.admit(caller)).toEqual({
      room: 'lounge',
      identity: 'phone-1',
      name: 'Ann',
      permissions: EVERYDAY_PERMISSIONS,
      metadata: '',
      attributes: {},
      roomOptions: {},
      roomMetadata: '',
    });
  });

  test.each([
    ['  Ann  ', 'Ann'],
    ['', 'phone-1'],
    ['   ', 'phone-1'],
    ['y'.repeat(1000), 'y'.repeat(100)],
  ])('%j is called %j', async (name, expected) => {
    expect((await guarded.admit({ ...caller, name })).name).toBe(expected);
  });
});

describe('who publishes with a key that his gateway knows', () => {
  const encoder = { type: 'stream-key', room: 'lounge', identity: 'encoder-1', name: 'Camera' } as const;

  test.each([
    ['demo mode', demo],
    ['ordinary mode', guarded],
  ])('is let in in %s, and gets nothing of the others', async (_, admissions) => {
    expect(await admissions.admit(encoder)).toEqual({
      room: 'lounge',
      identity: 'encoder-1',
      name: 'Camera',
      permissions: { ...EVERYDAY_PERMISSIONS, publish: true, subscribe: false },
      metadata: '',
      attributes: {},
      roomOptions: {},
      roomMetadata: '',
    });
  });

  test('is called by his identity without a name', async () => {
    expect((await guarded.admit({ ...encoder, name: ' ' })).name).toBe('encoder-1');
  });
});
