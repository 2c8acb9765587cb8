import { type JWTPayload, SignJWT } from 'jose';
import { AccessToken, type AccessTokenOptions, type VideoGrant } from 'livekit-server-sdk';

export const KEY = 'test-key';
export const SECRET = 'a secret of more than thirty-two characters';

export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A token with any claims; of `ann` and valid for a minute unless they say otherwise. */
export function sign(claims: JWTPayload, { secret = SECRET, alg = 'HS256' } = {}): Promise<string> {
  return new SignJWT({ iss: KEY, sub: 'ann', exp: secondsFromNow(60), ...claims })
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
}

/** What LiveKit's own SDK makes. */
export function livekitToken(grant: VideoGrant, options: AccessTokenOptions = {}): AccessToken {
  const token = new AccessToken(KEY, SECRET, { identity: 'ann', ...options });
  token.addGrant(grant);
  return token;
}
