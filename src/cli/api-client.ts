import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { Config } from '../../config/schema.ts';
import { createToken } from '../api/tokens.ts';
import type { VideoGrant } from '../room/grants.ts';
import { CommandError, type Given, type Option, UsageError } from './command.ts';
import { CONFIG_OPTION, givenConfig, KEY_OPTION, signingKey } from './config-option.ts';
import type { Terminal } from './terminal.ts';

/** Of commands that ask a running server. */
export const CLIENT_OPTIONS: Readonly<Record<string, Option>> = {
  url: { value: 'URL', text: "the server; without it, the configuration's port on this machine" },
  key: KEY_OPTION,
  config: CONFIG_OPTION,
};

const REQUEST_LIMIT_MS = 15_000;
/** For as long as a request takes, on machines whose clocks differ a little. */
const TOKEN_SECONDS = 300;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

const problem = z.object({ title: z.string(), detail: z.string().optional() });

/** What a server answered that is no success. */
export class RefusedError extends CommandError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A running server's HTTP API, with tokens that this side signs by the server's own configuration. */
export class ApiClient {
  readonly #url: string;
  readonly #key: string;
  readonly #secret: string;
  readonly #demo: boolean;

  /** @param url - without a slash at its end */
  constructor(url: string, { key, secret, demo }: { key: string; secret: string; demo: boolean }) {
    this.#url = url;
    this.#key = key;
    this.#secret = secret;
    this.#demo = demo;
  }

  /** By CLIENT_OPTIONS. @throws UsageError, CommandError or ConfigError */
  static from(given: Given, terminal: Terminal): ApiClient {
    const config = givenConfig(given, terminal);
    const url = given.text('url');
    return new ApiClient(url === undefined ? ownUrl(config) : serverUrl(url), {
      ...signingKey(config, given.text('key')),
      demo: config.demo,
    });
  }

  /**
   * @param path - its parts, such as ['api', 'rooms', name]
   * @param video - what the request's token permits
   * @returns the answer's body as that schema has it; nothing is read of an answer without a body
   * @throws RefusedError in the server's own words, CommandError when there is no server
   */
  async ask<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: readonly string[],
    video: VideoGrant,
    answer: z.ZodType<T>,
    body?: object,
  ): Promise<T> {
    const token = await createToken(
      this.#key,
      this.#secret,
      { identity: 'command-line', video },
      TOKEN_SECONDS,
    );
    const response = await fetch(`${this.#url}/${path.map(encodeURIComponent).join('/')}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      // A token must not follow to wherever something sends us.
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    }).catch((error: Error) => {
      throw new CommandError(this.#unreachable(error));
    });
    const text = await bodyOf(response);
    if (!response.ok) throw this.#refused(response.status, text);
    const parsed = answer.safeParse(asJson(text));
    if (parsed.success) return parsed.data;
    throw new CommandError(`What answers at ${this.#url} is no Patchroom of this version.`);
  }

  #unreachable(error: Error): string {
    if (error.name === 'TimeoutError')
      return `${this.#url} did not answer within ${REQUEST_LIMIT_MS / 1000} s.`;
    const { code, message } = (error.cause ?? error) as { code?: string; message: string };
    const why = code === 'ECONNREFUSED' ? 'nothing listens there' : message || code;
    return `${this.#url} cannot be reached: ${why}. Start Patchroom, or give its address with --url.`;
  }

  #refused(status: number, text: string): RefusedError {
    const said = problem.safeParse(asJson(text));
    const words = said.success
      ? [said.data.title, said.data.detail].filter(Boolean).join(' ')
      : `${this.#url} answered ${status}.`;
    const hint =
      status === 401 && this.#demo
        ? " Give that server's configuration with --config (or PATCHROOM_CONFIG)."
        : '';
    return new RefusedError(status, words + hint);
  }
}

/** Where a server with that configuration is reached from its own machine. @throws UsageError when that cannot be told */
export function ownUrl({ network, http }: Config): string {
  if (http.port === 0) throw new UsageError('--url is missing: the configuration leaves the port open.');
  const { bind } = network;
  // What a certificate is made out to is not known here; a name is more likely than an address.
  const own = bind === '0.0.0.0' || bind === '::' ? (http.tls ? 'localhost' : '127.0.0.1') : bind;
  return `${http.tls ? 'https' : 'http'}://${isIPv6(own) ? `[${own}]` : own}:${http.port}`;
}

/** @throws UsageError */
function serverUrl(text: string): string {
  const url = URL.parse(text);
  if ((url?.protocol !== 'http:' && url?.protocol !== 'https:') || url.username || url.search || url.hash) {
    throw new UsageError('--url must be an address such as http://127.0.0.1:8080.');
  }
  return url.href.replace(/\/+$/, '');
}

async function bodyOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of response.body ?? []) {
      bytes += part.length;
      if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
      parts.push(part);
    }
  } catch (error) {
    throw new CommandError(`The server's answer did not come whole: ${(error as Error).message}.`);
  }
  return Buffer.concat(parts).toString();
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
