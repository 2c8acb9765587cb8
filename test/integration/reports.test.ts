import { afterAll, beforeAll, expect, test } from 'vitest';
import { roomReport, serverReport } from '../../src/api/room-report.ts';
import { createToken } from '../../src/api/tokens.ts';
import type { Server } from '../../src/server.ts';
import { API_KEY, API_SECRET, startServer } from '../peers/server.ts';

/** Our own read API, and who may read it. */

let demo: Server;
let closed: Server;
beforeAll(async () => {
  [demo, closed] = await Promise.all([startServer(), startServer({ demo: false })]);
});
afterAll(() => Promise.all([demo.stop(), closed.stop()]));

const get = (server: Server, path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, { headers });
const bearer = async (video: Parameters<typeof createToken>[2]['video']) => ({
  authorization: `Bearer ${await createToken(API_KEY, API_SECRET, { identity: 'x', video }, 60)}`,
});

test('a room tells of itself in the form that the OpenAPI document promises', async () => {
  demo.rooms.open('a');
  const report = roomReport.parse(await (await get(demo, '/api/rooms/a')).json());
  expect(report.name).toBe('a');
  const document = (await (await get(demo, '/api/openapi.json')).json()) as {
    openapi: string;
    paths: Record<
      string,
      { get: { responses: Record<string, { content: Record<string, { schema: object }> }> } }
    >;
  };
  expect(document.openapi).toBe('3.1.0');
  const schema = document.paths['/api/rooms/{room}']!.get.responses[200]!.content['application/json']!.schema;
  expect(Object.keys((schema as { properties: object }).properties).sort()).toEqual(
    Object.keys(report).sort(),
  );
});

test('the server tells of its rooms and processes', async () => {
  const report = serverReport.parse(await (await get(demo, '/api/server')).json());
  expect(report.workers.map(({ kind }) => kind).sort()).toEqual(['hub', 'media']);
});

test('what does not exist is a problem with a sentence', async () => {
  const response = await get(demo, '/api/rooms/none');
  expect(response.status).toBe(404);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({
    code: 'room-not-found',
    title: 'There is no open room named none.',
  });
});

test('outside demo mode a room is told to its administrators only', async () => {
  closed.rooms.open('a');
  expect((await get(closed, '/api/rooms/a')).status).toBe(401);
  expect((await get(closed, '/api/rooms/a', await bearer({ roomJoin: true, room: 'a' }))).status).toBe(403);
  expect((await get(closed, '/api/rooms/a', await bearer({ roomAdmin: true, room: 'b' }))).status).toBe(403);
  expect((await get(closed, '/api/rooms/a', await bearer({ roomAdmin: true, room: 'a' }))).status).toBe(200);
  expect((await get(closed, '/api/server')).status).toBe(401);
  expect((await get(closed, '/api/server', await bearer({ roomList: true }))).status).toBe(200);
});

test('demo mode answers under loopback names only', async () => {
  const { port } = new URL(demo.url);
  expect((await fetch(`http://localhost:${port}/healthz`)).status).toBe(200);
  expect(await statusForHost(demo, 'rebound.example')).toBe(403);
});

test('the page forbids what it does not need, and its files may be kept for good', async () => {
  const page = await get(demo, '/any-room');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const asset = /src="(\/assets\/[^"]+)"/.exec(await page.text())![1]!;
  expect((await get(demo, asset)).headers.get('cache-control')).toContain('immutable');
});

/** fetch does not let its caller set Host. */
async function statusForHost(server: Server, host: string): Promise<number> {
  const http = await import('node:http');
  return new Promise((resolve, reject) => {
    http
      .get(`${server.url}/healthz`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('error', reject);
  });
}
