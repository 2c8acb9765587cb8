import { randomBytes } from 'node:crypto';

const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A new identifier such as `RM_4hT…`: the prefixes that users of LiveKit's API know (PG is ours: programs), and 70 random bits. */
export function newSid(prefix: 'EG' | 'PA' | 'PG' | 'RM' | 'TR'): string {
  let sid = `${prefix}_`;
  for (const byte of randomBytes(12)) sid += ALPHABET[byte % ALPHABET.length];
  return sid;
}
