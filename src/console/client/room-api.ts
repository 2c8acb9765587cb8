import { z } from 'zod';

/** As long as the server itself gives a request. */
const ANSWER_LIMIT_MS = 30_000;

/** Problem details (RFC 9457). The server's own words for what happened are in its title. */
const problem = z.object({ title: z.string().optional(), detail: z.string().optional() });

/** The server's refusal in words for people, or that there was no answer: status 0. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** The token, or its lack, does not permit it; asking again will not either. */
  get isRefusal(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind /api/rooms/<room>/, encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
}

/** The HTTP API of one room. */
export class RoomApi {
  #base: string;
  #token: string | undefined;

  constructor(room: string, token: string | undefined) {
    this.#base = `/api/rooms/${encodeURIComponent(room)}/`;
    this.#token = token;
  }

  /** @throws ApiError */
  async ask<T>(request: ApiRequest, answer: z.ZodType<T>): Promise<T> {
    const parsed = answer.safeParse(await this.#send(request));
    if (parsed.success) return parsed.data;
    throw new ApiError(0, 'The server answered something that this page does not know. Reload the page.');
  }

  /** For requests whose answer says nothing more. @throws ApiError */
  async tell(request: ApiRequest): Promise<void> {
    await this.#send(request);
  }

  async #send({ method, path, body }: ApiRequest): Promise<unknown> {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(this.#base + path, {
        method,
        cache: 'no-store',
        headers: {
          ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      answer = parseJson(await response.text());
    } catch {
      throw new ApiError(0, 'The server does not answer. Check your network connection.');
    }
    if (response.ok) return answer;
    const { detail, title } = problem.safeParse(answer).data ?? {};
    throw new ApiError(response.status, detail ?? title ?? `The server answered ${response.status}.`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // of a proxy, perhaps; the status says enough
  }
}
