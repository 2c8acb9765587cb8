import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../config/load.ts';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { ownUrl } from '../../../src/cli/api-client.ts';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { API, configFile } from '../support/config-file.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

/** The commands against a server that answers what the test says. */

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly video: object;
  readonly body: string;
}

let url = '';
let asked: Asked[] = [];
let answers: Record<string, [status: number, body: unknown]> = {};
const verifier = new TokenVerifier({ devkey: 'secret' });
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { video } = await verifier.verify((request.headers.authorization ?? '').slice('Bearer '.length));
  const { method = '', url: path = '' } = request;
  asked.push({ method, path, video, body });
  const [status, answer] = answers[`${method} ${path}`] ?? [404, { title: 'There is nothing.' }];
  const headers = status === 302 ? { location: String(answer) } : {};
  response.writeHead(status, headers).end(answer === undefined ? '' : JSON.stringify(answer));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
  answers = {};
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function type(words: readonly string[], lines: readonly string[] = []) {
  const terminal = new FakeTerminal(lines);
  const code = await runCommandLine([...words, '--url', url], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

const RELAY = {
  id: 'RL_1',
  address: 'rtmp://cdn/app/***',
  state: 'connecting',
  reason: '',
  bitrateBps: 0,
  framesDropped: 0,
  retries: 0,
  uptimeMs: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
};
const RELAYS = '/api/rooms/a/relays';
const record = { roomRecord: true, room: 'a' };

test('rooms are asked for one by one; one that has closed meanwhile is left out', async () => {
  const report = (name: string) => ({ name, participants: [], other: 'things' });
  answers = {
    'GET /api/server': [200, { rooms: [{ name: 'a' }, { name: 'gone' }, { name: 'ö' }] }],
    'GET /api/rooms/a': [200, report('a')],
    'GET /api/rooms/%C3%B6': [200, report('ö')],
  };
  const { code, output } = await type(['rooms', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toEqual(['a', 'ö'].map((name) => ({ name, participants: [] })));
  expect(asked[0]!.video).toEqual({ roomList: true });
  expect(asked.slice(1).map(({ video }) => video)).toContainEqual({ roomAdmin: true, room: 'ö' });
});

test.each<[string, string[], string[]]>([
  ['the operand', ['rtmp://cdn/app/key'], []],
  ['standard input', ['-'], ['  rtmp://cdn/app/key ', 'another line']],
])('a relay starts with the address from %s, and does not show its key', async (_, words, lines) => {
  answers = { [`POST ${RELAYS}`]: [201, RELAY] };
  const { code, output, errors } = await type(['relay', 'start', 'a', ...words], lines);
  expect([code, errors]).toEqual([0, '']);
  expect(output).toBe('RL_1  connecting  rtmp://cdn/app/***\n');
  expect(asked).toEqual([
    { method: 'POST', path: RELAYS, video: record, body: '{"address":"rtmp://cdn/app/key"}' },
  ]);
});

test.each([[[]], [['']], [['x'.repeat(5000)]]])(
  'no address on standard input asks nobody: %j',
  async (lines) => {
    const { code, errors } = await type(['relay', 'start', 'a', '-'], lines);
    expect([code, asked]).toEqual([2, []]);
    expect(errors).not.toContain('xxx');
  },
);

test('relays are listed', async () => {
  answers = { [`GET ${RELAYS}`]: [200, { relays: [RELAY] }] };
  expect((await type(['relay', 'list', 'a'])).output).toMatch(/^ID .*\nRL_1 +connecting /);
  expect(JSON.parse((await type(['relay', 'list', 'a', '--json'])).output)).toEqual([RELAY]);
});

test('a relay is stopped', async () => {
  answers = { [`DELETE ${RELAYS}/RL_1`]: [204, undefined] };
  expect(await type(['relay', 'stop', 'a', 'RL_1'])).toEqual({
    code: 0,
    output: 'RL_1 is stopped.\n',
    errors: '',
  });
  expect(asked).toEqual([{ method: 'DELETE', path: `${RELAYS}/RL_1`, video: record, body: '' }]);
});

describe('what goes wrong ends with 1 and a sentence', () => {
  test.each<[string, [number, unknown], string]>([
    ['a problem', [404, { title: 'There is no open room named a.' }], 'There is no open room named a.\n'],
    ['a problem with details', [400, { title: 'No.', detail: 'Because.' }], 'No. Because.\n'],
    [
      'an unknown key',
      [401, { title: 'Unknown key.' }],
      "Unknown key. Give that server's configuration with --config (or PATCHROOM_CONFIG).\n",
    ],
    ['another server', [200, { hello: 'world' }], 'is no Patchroom of this version.\n'],
    ['an error without words', [502, undefined], 'answered 502.\n'],
    ['being sent elsewhere', [302, 'http://127.0.0.1:1/'], 'cannot be reached'],
  ])('%s', async (_, answer, sentence) => {
    answers = { [`GET ${RELAYS}`]: answer };
    const { code, output, errors } = await type(['relay', 'list', 'a']);
    expect([code, output]).toEqual([1, '']);
    expect(errors).toContain(sentence);
    expect(errors).not.toContain('    at ');
  });

  test('nobody there', async () => {
    const closed = http.createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const terminal = new FakeTerminal();
    expect(await runCommandLine(['rooms', '--url', `http://127.0.0.1:${port}`], terminal)).toBe(1);
    expect(terminal.errors).toBe(
      `http://127.0.0.1:${port} cannot be reached: nothing listens there. Start Patchroom, or give its address with --url.\n`,
    );
  });
});

test.each<[string | undefined, string]>([
  [undefined, 'http://127.0.0.1:8080'],
  ['http: { port: 81 }', 'http://127.0.0.1:81'],
  ['network: { bind: 192.0.2.7 }', 'http://192.0.2.7:8080'],
  ['network: { bind: "2001:db8::7" }', 'http://[2001:db8::7]:8080'],
  ['http: { tls: { cert: a, key: b } }', 'https://localhost:8080'],
])('without --url, the server of %s is at %s', (yaml, expected) => {
  expect(ownUrl(loadConfig(yaml === undefined ? undefined : configFile(`${API}${yaml}\n`), {}))).toBe(
    expected,
  );
});

test('a port that is left open has to be given', async () => {
  const terminal = new FakeTerminal([], { PATCHROOM_HTTP_PORT: '0' });
  expect(await runCommandLine(['rooms'], terminal)).toBe(2);
  expect(terminal.errors).toContain('--url is missing');
});
