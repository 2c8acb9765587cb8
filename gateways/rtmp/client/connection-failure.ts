import type { RtmpAddress } from './rtmp-address.ts';

const MAX_TEXT = 200;

type Sentence = (place: string, host: string) => string;

/** By the codes of Node's errors. */
const SENTENCES: { readonly [code: string]: Sentence } = {
  ENOTFOUND: (_, host) => `There is no server by the name ${host}.`,
  EAI_AGAIN: (_, host) => `The name ${host} could not be looked up: the name service does not answer.`,
  ECONNREFUSED: (place) => `Nothing listens on ${place}.`,
  ECONNRESET: (_, host) => `${host} cut the connection.`,
  EPIPE: (_, host) => `${host} cut the connection.`,
  ETIMEDOUT: (place) => `${place} does not answer.`,
  ERR_SOCKET_CONNECTION_TIMEOUT: (place) => `${place} does not answer.`,
  EHOSTUNREACH: (_, host) => `There is no way to ${host}.`,
  ENETUNREACH: (_, host) => `There is no way to ${host}.`,
  ERR_SSL_WRONG_VERSION_NUMBER: (place) =>
    `${place} does not speak TLS: the address may have to begin with rtmp://.`,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: (place) =>
    `${place} does not speak TLS: the address may have to begin with rtmp://.`,
};

/** Of certificates: by OpenSSL's names, and Node's own for a name that does not fit. */
const CERTIFICATE = /CERT|^UNABLE_TO_|^CRL_|^HOSTNAME_MISMATCH$|^INVALID_CA$|^INVALID_PURPOSE$/;

/** @returns why a socket failed, in a sentence for people, without anything of the address but the host and its port */
export function connectionFailure(error: Error, { host, port }: RtmpAddress): string {
  const { code } = error as NodeJS.ErrnoException;
  const name = typeof code === 'string' ? code : '';
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const sentence = SENTENCES[name];
  if (sentence) return sentence(place, host);
  const text = printable(error.message);
  if (CERTIFICATE.test(name)) return `The certificate of ${host} is not trusted: ${text}`;
  return `The connection to ${place} failed: ${text || name || 'no cause is known'}`;
}

/** A certificate's text is the other side's. */
function printable(text: string): string {
  return text.replace(/[^ -~]+/g, ' ').slice(0, MAX_TEXT);
}
