import { describe, expect, test } from 'vitest';
import { addressAt, outputOf } from '../support/fake-outputs.ts';
import { OutputApi, type Request } from '../support/output-api.ts';

/* What a page of another site makes its visitor's browser send: the server may be one that only the visitor reaches. */

const ALLOWED = 'https://meet.example.org';
const HOST = 'localhost:8080';

const POST: Request = {
  method: 'POST',
  url: '/api/rooms/lounge/relays',
  body: { address: addressAt('cdn.example') },
};
const CHANGES: [string, Request][] = [
  ['a relay is started', POST],
  ['a relay is started, by a path that is written otherwise', { ...POST, url: '/%61pi/rooms/lounge/relays' }],
  ['a relay is ended', { method: 'DELETE', url: '/api/rooms/lounge/relays/EG_1-0' }],
  ['somebody is pinned', { method: 'PUT', url: '/api/rooms/lounge/program', body: { participant: 'ann' } }],
  [
    "LiveKit's API is called",
    { method: 'POST', url: '/twirp/livekit.Egress/StopEgress', body: { egress_id: 'EG_1' } },
  ],
];

async function ask(request: Request, headers: Record<string, string>, demo = true) {
  const api = await OutputApi.create({ demo, allowedOrigins: [ALLOWED] });
  api.outputs.all = [outputOf(api.room)];
  const response = await api.ask({ ...request, headers: { host: HOST, ...headers } });
  return { api, response };
}

describe.each(CHANGES)('%s', (_, request) => {
  test.each<[string, Record<string, string>]>([
    ['a program that is no browser', {}],
    ["the server's own page", { origin: `http://${HOST}` }],
    ["the server's own page behind TLS", { origin: `https://${HOST}` }],
    ['a site that the configuration allows', { origin: ALLOWED }],
  ])('by %s', async (_, headers) => {
    const { api, response } = await ask(request, headers);
    expect(response.statusCode).toBeLessThan(300);
    expect(api.outputs.calls.length + (api.room.pinned ? 1 : 0)).toBe(1);
  });

  test.each([
    'https://evil.example',
    'http://localhost',
    'http://localhost:9090',
    'http://127.0.0.1:8080',
    `http://${HOST}.evil.example`,
    `${ALLOWED}.evil.example`,
    'http://meet.example.org',
    'null',
    'garbage',
    '',
  ])('not by a page of "%s"', async (origin) => {
    for (const demo of [true, false]) {
      const { api, response } = await ask(request, { origin }, demo);
      expect(response.statusCode).toBe(403);
      expect(response.payload).toContain('http.allowedOrigins');
      expect(api.outputs.calls).toEqual([]);
      expect(api.room.pinned).toBeUndefined();
    }
  });
});

test("LiveKit's API refuses in its own form", async () => {
  const { response } = await ask(CHANGES.at(-1)![1], { origin: 'https://evil.example' });
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.json()).toMatchObject({ code: 'permission_denied' });
});

test('a form of another site starts nothing, even where its browser sends no origin', async () => {
  const headers = { 'content-type': 'text/plain' };
  const { api, response } = await ask(POST, headers);
  expect(response.statusCode).toBe(400);
  expect(api.outputs.calls).toEqual([]);
});

test('reading is left to the browser, which does not show answers to pages of other sites', async () => {
  const { response } = await ask({ url: '/api/rooms/lounge/relays' }, { origin: 'https://evil.example' });
  expect(response.statusCode).toBe(200);
  expect(response.headers).not.toHaveProperty('access-control-allow-origin');
});
