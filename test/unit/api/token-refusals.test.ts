import { describe, expect, test } from 'vitest';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { mayJoin } from '../../../src/room/grants.ts';
import { refusal } from '../support/refusal.ts';
import { KEY, SECRET, secondsFromNow, sign } from '../support/tokens.ts';

const verifier = new TokenVerifier({ [KEY]: SECRET });
const PRIVATE = { sub: 'private-sub', name: 'private-name', video: { roomJoin: true, room: 'private-room' } };

/** Header and claims as they stand in a token, with whatever signature. */
function unsigned(header: object, claims: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

async function altered(change: (parts: string[]) => void): Promise<string> {
  const parts = (await sign(PRIVATE)).split('.');
  change(parts);
  return parts.join('.');
}

const claims = { ...PRIVATE, iss: KEY };
const valid = { ...claims, exp: secondsFromNow(3600) };
const none = 'This is no access token.';
const badSignature = 'The token is not signed with the secret of its API key.';
const unknownKey = 'The token is of an API key that this server does not know.';
const wrongForm = 'The token has claims of a wrong form.';

describe('a bad token is refused with a sentence that tells nothing of its content', () => {
  test.each<[string, string | Promise<string>, string]>([
    ['expired', sign({ ...PRIVATE, exp: secondsFromNow(-60) }), 'The token has expired.'],
    ['not valid yet', sign({ ...PRIVATE, nbf: secondsFromNow(60) }), 'The token is not valid yet.'],
    ['without expiry', sign({ ...PRIVATE, exp: undefined }), 'The token lacks or misstates the claim exp.'],
    ['of another key', sign({ ...PRIVATE, iss: 'private-key' }), unknownKey],
    ['without a key', sign({ ...PRIVATE, iss: undefined }), unknownKey],
    ['of a key named like a property of objects', sign({ ...PRIVATE, iss: 'constructor' }), unknownKey],
    ['with another secret', sign(PRIVATE, { secret: 'x'.repeat(32) }), badSignature],
    ['with an empty signature', unsigned({ alg: 'HS256' }, valid), badSignature],
    [
      'with other claims than were signed',
      altered((parts) => {
        parts[1] = unsigned({}, valid).split('.')[1]!;
      }),
      badSignature,
    ],
    ['with algorithm none', unsigned({ alg: 'none' }, valid), none],
    ['with algorithm None and a signature', unsigned({ alg: 'None' }, valid, 'AAAA'), none],
    ['with HS512', sign(PRIVATE, { alg: 'HS512', secret: SECRET.repeat(2) }), none],
    ['without an algorithm', unsigned({}, valid), none],
    ['of two parts', altered((parts) => parts.pop()), none],
    ['of four parts', altered((parts) => parts.push('AAAA')), none],
    [
      'whose claims are no JSON',
      altered((parts) => {
        parts[1] = Buffer.from('private').toString('base64url');
      }),
      unknownKey,
    ],
    ['that is no token', 'private garbage', none],
    ['that is empty', '', none],
    ['with a number for a name', sign({ ...PRIVATE, name: 7 }), wrongForm],
    ['with an identity that is too long', sign({ ...PRIVATE, sub: 'private'.repeat(40) }), wrongForm],
    ['with a text for a permission', sign({ ...PRIVATE, video: { roomJoin: 'private' } }), wrongForm],
    ['with attributes that are no texts', sign({ ...PRIVATE, attributes: { a: {} } }), wrongForm],
    ['with a negative limit', sign({ ...PRIVATE, roomConfig: { maxParticipants: -1 } }), wrongForm],
  ])('%s', async (_, token, sentence) => {
    const refused = verifier.verify(await token);
    await expect(refused).rejects.toThrow(refusal('unauthenticated'));
    await expect(refused).rejects.toHaveProperty('message', sentence);
    await expect(refused).rejects.not.toHaveProperty('cause');
  });
});

describe('joining', () => {
  test.each<[string, object, string, boolean]>([
    ['the room of the token', {}, 'private-room', true],
    ['another room', {}, 'kitchen', false],
    ['a room in other letters', {}, 'Private-Room', false],
    ['with a token for no room', { video: { roomJoin: true } }, 'private-room', false],
    ['without roomJoin', { video: { room: 'private-room' } }, 'private-room', false],
    ['with roomJoin denied', { video: { roomJoin: false, room: 'private-room' } }, 'private-room', false],
    ['with a token without grants', { video: undefined }, 'private-room', false],
    ['without an identity', { sub: undefined }, 'private-room', false],
  ])('%s', async (_, change, room, permitted) => {
    const grant = await verifier.verify(await sign({ ...PRIVATE, ...change }));
    const join = () => mayJoin(grant, room);
    if (permitted) return expect(join).not.toThrow();
    expect(join).toThrow(refusal('forbidden'));
    expect(join).not.toThrow('private');
  });
});
