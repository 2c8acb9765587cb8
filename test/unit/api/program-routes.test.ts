import { beforeEach, describe, expect, test } from 'vitest';
import { programReport, relayList } from '../../../src/api/program-routes.ts';
import { relayReport } from '../../../src/api/relay-report.ts';
import { addressAt, destinationAt, LIVE, outputOf, STARTED_AT, STREAM_KEY } from '../support/fake-outputs.ts';
import { OutputApi, type Request } from '../support/output-api.ts';
import { person } from '../support/rooms.ts';

const PROGRAM = '/api/rooms/lounge/program';
const RELAYS = '/api/rooms/lounge/relays';
const ADDRESS = addressAt('cdn.example');

let api: OutputApi;
beforeEach(async () => {
  api = await OutputApi.create();
});

const put = (participant: string | null) => api.ask({ method: 'PUT', url: PROGRAM, body: { participant } });
const post = (body: Request['body'], rest: Partial<Request> = {}) =>
  api.ask({ method: 'POST', url: RELAYS, body, ...rest } as Request);
const remove = (id: string) => api.ask({ method: 'DELETE', url: `${RELAYS}/${id}` });
const list = async () => relayList.parse((await api.ask({ url: RELAYS })).json()).relays;

describe('the program', () => {
  test('shows nobody in particular at first', async () => {
    const response = await api.ask({ url: PROGRAM });
    expect(programReport.parse(response.json())).toEqual({ pinned: null, shown: null });
  });

  test('has somebody pinned and released', async () => {
    api.outputs.whoIsShown = { identity: 'ann', track: 'TR_1' };
    const shown = { participant: 'ann', track: 'TR_1' };
    expect(programReport.parse((await put('ann')).json())).toEqual({ pinned: 'ann', shown });
    expect(api.room.pinned).toBe('ann');
    expect((await api.ask({ url: PROGRAM })).json()).toEqual({ pinned: 'ann', shown });
    expect((await put(null)).json()).toEqual({ pinned: null, shown });
    expect(api.room.pinned).toBeUndefined();
  });

  test('somebody who is not there is not found, and nothing changes', async () => {
    await put('ann');
    const response = await put('bob');
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ code: 'participant-not-found' });
    expect(api.room.pinned).toBe('ann');
  });

  test('of a room that is not open is not found', async () => {
    const url = '/api/rooms/none/program';
    expect((await api.ask({ url })).json()).toMatchObject({ code: 'room-not-found' });
    const body = { participant: null };
    expect((await api.ask({ method: 'PUT', url, body })).json()).toMatchObject({ code: 'room-not-found' });
  });
});

describe('a relay', () => {
  test('is started, of the whole room', async () => {
    const response = await post({ address: ADDRESS });
    expect(response.statusCode).toBe(201);
    expect(relayReport.parse(response.json())).toEqual({
      id: 'EG_1-0',
      address: 'rtmp://cdn.example/app/{hus...ody}',
      state: 'live',
      reason: '',
      bitrateBps: 2_600_000,
      framesDropped: 3,
      retries: 0,
      uptimeMs: 5_000,
      startedAt: '2023-11-14T22:13:20.000Z',
    });
    expect(api.outputs.calls).toEqual([['start', 'lounge', { type: 'room' }, [ADDRESS]]]);
    expect(await list()).toEqual([response.json()]);
  });

  test('of a room that is not open is not found', async () => {
    expect((await post({ address: ADDRESS }, { url: '/api/rooms/none/relays' })).statusCode).toBe(404);
  });

  test('that is refused says so in the words of the outputs', async () => {
    const response = await post({ address: 'http://cdn.example' });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ title: 'The address has to begin with rtmp:// or rtmps://.' });
  });

  test('which is the only one of its output ends with it', async () => {
    api.outputs.all = [outputOf(api.room)];
    const response = await remove('EG_1-0');
    expect(response.statusCode).toBe(204);
    expect(response.payload).toBe('');
    expect(api.outputs.calls).toEqual([['stop', 'EG_1']]);
  });

  test('ends without the others of its output', async () => {
    const destinations = [
      destinationAt('a.example', { status: 'failed', endedAt: STARTED_AT }),
      destinationAt('b.example'),
      destinationAt('c.example'),
    ];
    api.outputs.all = [outputOf(api.room, { destinations })];
    expect((await remove('EG_1-1')).statusCode).toBe(204);
    expect(api.outputs.calls).toEqual([['update', 'EG_1', { add: [], remove: [addressAt('b.example')] }]]);
  });

  test.each<[string, number]>([
    ['EG_1-0', 412],
    ['EG_1-1', 404],
    ['EG_1', 404],
    ['EG_2-0', 404],
    [STREAM_KEY, 404],
  ])('%s is not ended: %i', async (id, status) => {
    api.outputs.all = [
      outputOf(api.room, { destinations: [destinationAt('a.example', { status: 'finished' })] }),
      outputOf({ name: 'lounge', sid: 'RM_of-that-name-before' }, { id: 'EG_2' }),
    ];
    const response = await remove(id);
    expect(response.statusCode).toBe(status);
    expect(response.payload).not.toContain(STREAM_KEY);
    expect(api.outputs.calls).toEqual([]);
  });
});

describe('the list of relays', () => {
  test('has what runs, what failed and what ended lately', async () => {
    const endedAt = STARTED_AT + 1_000;
    const destinations = [
      destinationAt('runs.example', { report: { ...LIVE, state: 'stalled', reason: 'takes nothing' } }),
      destinationAt('failed.example', { status: 'failed', endedAt, error: 'BadName' }),
      destinationAt('ended.example', { status: 'finished', endedAt }),
    ];
    api.outputs.all = [outputOf(api.room, { destinations })];
    const states = async () => (await list()).map(({ id, state, reason }) => `${id} ${state} ${reason}`);
    const lasting = ['EG_1-0 stalled takes nothing', 'EG_1-1 failed BadName'];
    api.clock.advance(60_999);
    expect(await states()).toEqual([...lasting, 'EG_1-2 ended ']);
    api.clock.advance(1);
    expect(await states()).toEqual(lasting);
  });

  test('has no figures of the moment for those that are over', async () => {
    const destinations = [destinationAt('a.example', { status: 'failed', endedAt: STARTED_AT })];
    api.outputs.all = [outputOf(api.room, { destinations })];
    expect(await list()).toMatchObject([{ bitrateBps: 0, uptimeMs: 0, framesDropped: 3 }]);
  });

  test('says of whom a relay is that is not of the whole room', async () => {
    api.outputs.all = [outputOf(api.room, { source: { type: 'participant', identity: 'ann' } })];
    expect(await list()).toMatchObject([{ participant: 'ann' }]);
  });

  test('has those of other rooms not, nor those of a room of that name before', async () => {
    api.outputs.all = [
      outputOf(api.rooms.open('kitchen')),
      outputOf({ name: 'lounge', sid: 'RM_of-that-name-before' }),
    ];
    expect(await list()).toEqual([]);
  });
});

describe('a body is refused that is', () => {
  const relay = 'The body has to be an object of address: ';
  const program = 'The body has to be an object of participant: ';
  test.each<['POST' | 'PUT', Request['body'], string]>([
    ['POST', {}, `${relay}address: `],
    ['POST', { address: '' }, `${relay}address: `],
    ['POST', { address: 7 }, `${relay}address: `],
    ['POST', { address: [ADDRESS] }, `${relay}address: `],
    ['POST', { address: `${ADDRESS}${'x'.repeat(4096)}` }, `${relay}address: `],
    ['POST', { address: ADDRESS, [STREAM_KEY]: 1 }, `${relay}it has other fields.`],
    ['POST', [ADDRESS], relay],
    ['POST', JSON.stringify(ADDRESS), relay],
    ['POST', 'null', relay],
    ['POST', ADDRESS, ''],
    ['POST', `{"address": "${ADDRESS}`, ''],
    ['POST', '', ''],
    ['PUT', {}, `${program}participant: `],
    ['PUT', { participant: '' }, `${program}participant: `],
    ['PUT', { participant: 'x'.repeat(257) }, `${program}participant: `],
    ['PUT', { participant: 'ann', other: 1 }, `${program}it has other fields.`],
  ])('%s %o', async (method, body, title) => {
    const response = await api.ask({ method, url: method === 'PUT' ? PROGRAM : RELAYS, body: body! });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({
      code: 'invalid-request',
      title: expect.stringContaining(title),
    });
    expect(response.payload).not.toContain('hush-7f3a9c');
    expect(api.outputs.calls).toEqual([]);
    expect(api.room.pinned).toBeUndefined();
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    '',
  ])('no JSON by its type: "%s"', async (type) => {
    for (const [method, url] of [
      ['POST', RELAYS],
      ['PUT', PROGRAM],
    ] as const) {
      const body = JSON.stringify({ address: ADDRESS });
      const response = await api.ask({ method, url, body, headers: { 'content-type': type } });
      expect(response.statusCode).toBe(400);
      expect(response.json().title).toContain('Content-Type: application/json');
    }
    expect(api.outputs.calls).toEqual([]);
  });

  test('JSON by its type is not: with a charset', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await post({ address: ADDRESS }, { headers })).statusCode).toBe(201);
  });
});

describe('grants', () => {
  const [read, write]: [Request[], Request[]] = [
    [{ url: PROGRAM }, { method: 'PUT', url: PROGRAM, body: { participant: 'ann' } }],
    [
      { url: RELAYS },
      { method: 'POST', url: RELAYS, body: { address: ADDRESS } },
      { method: 'DELETE', url: `${RELAYS}/EG_1-0` },
    ],
  ];
  const record = { roomRecord: true };
  const admin = { roomAdmin: true, room: 'lounge' };

  describe.each<[string, object | undefined, number, number]>([
    ['nothing', undefined, 401, 401],
    ['a token without a grant', {}, 403, 403],
    ['the right to join', { roomJoin: true, room: 'lounge' }, 403, 403],
    ['the right to list', { roomList: true, roomCreate: true }, 403, 403],
    ['administration', admin, 200, 403],
    ['administration of another room', { ...admin, room: 'kitchen' }, 403, 403],
    ['recording', record, 200, 200],
    ['recording of this room', { ...record, room: 'lounge' }, 200, 200],
    ['recording of another room', { ...record, room: 'kitchen' }, 403, 403],
  ])('with %s', (_, video, program, relays) => {
    test.each<[Request, number]>([
      ...read.map((request): [Request, number] => [request, program]),
      ...write.map((request): [Request, number] => [request, relays]),
    ])('%o: %i', async (request, expected) => {
      api.outputs.all = [outputOf(api.room)];
      const { statusCode } = await api.ask({ ...request, video });
      expect(statusCode < 300 ? 200 : statusCode).toBe(expected);
      if (expected !== 200) {
        expect(api.outputs.calls).toEqual([]);
        expect(api.room.pinned).toBeUndefined();
      }
    });
  });

  test.each([...read, ...write])('none is needed in demo mode: %o', async (request) => {
    const demo = await OutputApi.create({ demo: true });
    demo.outputs.all = [outputOf(demo.room)];
    expect((await demo.ask({ ...request, video: undefined })).statusCode).toBeLessThan(300);
  });

  test('a token that is shown in demo mode is checked all the same', async () => {
    const demo = await OutputApi.create({ demo: true });
    expect((await demo.ask({ url: RELAYS, video: {} })).statusCode).toBe(403);
    const headers = { authorization: 'Bearer garbage' };
    expect((await demo.ask({ url: RELAYS, video: undefined, headers })).statusCode).toBe(401);
  });
});

test('a stream key is in no answer', async () => {
  const answers = [
    await post({ address: ADDRESS }),
    await api.ask({ url: RELAYS }),
    await api.ask({ url: PROGRAM }),
    await remove('EG_1-0'),
    await remove('EG_1-7'),
    await post({ address: `http://cdn.example/${STREAM_KEY}` }),
  ];
  for (const { payload } of answers) expect(payload).not.toContain('hush-7f3a9c');
});

test('the OpenAPI document tells of every route', async () => {
  const { paths } = (await api.ask({ url: '/api/openapi.json' })).json();
  const routes = Object.entries(paths as Record<string, Record<string, { summary: string }>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, { summary }]) => [method, path, summary]),
  );
  const summary = expect.stringMatching(/\w/);
  expect(routes).toEqual(
    expect.arrayContaining([
      ['get', '/api/rooms/{room}/program', summary],
      ['put', '/api/rooms/{room}/program', summary],
      ['get', '/api/rooms/{room}/relays', summary],
      ['post', '/api/rooms/{room}/relays', summary],
      ['delete', '/api/rooms/{room}/relays/{id}', summary],
    ]),
  );
  expect(Object.keys(paths['/api/rooms/{room}/relays'].post.requestBody.content)).toEqual([
    'application/json',
  ]);
});

test('a guest who was pinned and left may come back', async () => {
  const bob = api.room.join(person('bob'));
  await put('bob');
  bob.leave('left');
  expect((await api.ask({ url: PROGRAM })).json()).toEqual({ pinned: 'bob', shown: null });
});
