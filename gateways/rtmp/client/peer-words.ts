import type { AmfValue } from '../protocol/amf0.ts';
import type { RtmpAddress } from './rtmp-address.ts';

const MAX_CHARACTERS = 200;
const UNPRINTABLE = /[\p{C}\p{Z}]+/gu;
const MASK = '***';
/** Shorter values in queries are no secrets: `v=1`. A key is one, however short. */
const SECRET_VALUE_CHARACTERS = 4;

/**
 * What another server said, for people: in its own words, printable characters only, 200 (UTF-16 units) at the most.
 * The address's stream key and the values in its queries, which servers like to repeat, are masked in any case of letters.
 * @returns '' where it said nothing, or where a key of a few characters is in so much of it that masking does not help
 */
export function peerWords(said: AmfValue, address: RtmpAddress): string {
  if (typeof said !== 'string') return '';
  const secrets = secretsOf(address).map((secret) => new RegExp(RegExp.escape(secret), 'giu'));
  let words = said.replace(UNPRINTABLE, ' ').trim();
  for (const secret of secrets) words = words.replace(secret, MASK);
  if (secrets.some((secret) => words.search(secret) >= 0)) return '';
  return words.slice(0, MAX_CHARACTERS).toWellFormed();
}

/** Whether a refusal asks for a login, as Adobe's and Limelight's servers do ("authmod"): trying again is of no use then. */
export function wantsLogin(description: string): boolean {
  return /\bauthmod=|\bneed ?auth\b/i.test(description);
}

/** The longest first, so that no part of one is left. */
function secretsOf({ app, key }: RtmpAddress): string[] {
  const values = [app, key].flatMap((part) =>
    [...part.matchAll(/[?&][^=&?]*=([^&?]*)/g)].map(([, value]) => value!),
  );
  const isSecret = ({ length }: string) => length >= SECRET_VALUE_CHARACTERS;
  const keys = [key, key.split('?', 1)[0]!];
  const secrets = [...keys, ...keys.map(decode), ...[...values, ...values.map(decode)].filter(isSecret)];
  return [...new Set(secrets)].sort((a, b) => b.length - a.length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a per cent sign that encodes nothing
  }
}
