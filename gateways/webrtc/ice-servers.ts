import { createHmac } from 'node:crypto';
import type { Reply } from './messages.ts';
import type { WebRtcOptions } from './options.ts';

const CREDENTIAL_LIFETIME_S = 24 * 3600;

/**
 * The STUN and TURN servers for one browser. With a shared secret, its user name carries the time when
 * it expires and its password is the secret's HMAC of that name (draft-uberti-behave-turn-rest-00, as
 * coturn's use-auth-secret does it).
 * @param nowMs - since 1970
 */
export function iceServersFor(
  configured: WebRtcOptions['iceServers'],
  identity: string,
  nowMs: number,
): Reply<'join'>['iceServers'] {
  return configured.map(({ urls, username, credential, secret }) => {
    if (!secret) return { urls, ...(username ? { username } : {}), ...(credential ? { credential } : {}) };
    const expiring = `${Math.floor(nowMs / 1000) + CREDENTIAL_LIFETIME_S}:${identity}`;
    return {
      urls,
      username: expiring,
      credential: createHmac('sha1', secret).update(expiring).digest('base64'),
    };
  });
}
