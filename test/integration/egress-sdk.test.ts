import fs from 'node:fs';
import { StartEgressRequest, StreamInfo_Status } from '@livekit/protocol';
import {
  AccessToken,
  EgressClient,
  type EgressInfo,
  EgressStatus,
  EncodedFileOutput,
  EncodingOptionsPreset,
  RoomServiceClient,
  StreamOutput,
  StreamProtocol,
  TwirpError,
  type VideoGrant,
} from 'livekit-server-sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { programReport, relayList } from '../../src/api/program-routes.ts';
import { relayReport } from '../../src/api/relay-report.ts';
import { createToken } from '../../src/api/tokens.ts';
import type { Server } from '../../src/server.ts';
import { NginxRtmp } from '../peers/nginx-rtmp.ts';
import { API_KEY, API_SECRET, startServer } from '../peers/server.ts';
import { SignallingClient } from '../peers/signalling-client.ts';

/** The unmodified npm package livekit-server-sdk, and our own routes, send a room to nginx as the CDN. */

const KEYS = { first: 'first-hush-0123456789', second: 'second-hush-0123456789' } as const;

let server: Server;
let cdn: NginxRtmp;
let egress: EgressClient;
let ann: SignallingClient;
beforeAll(async () => {
  server = await startServer({ demo: false, config: { outputs: { allow: ['loopback'] } } });
  egress = new EgressClient(server.url, API_KEY, API_SECRET);
});
afterAll(() => server.stop());
beforeEach(async () => {
  cdn = await NginxRtmp.start({ record: true });
  await new RoomServiceClient(server.url, API_KEY, API_SECRET).createRoom({ name: 'stage' });
  ann = await SignallingClient.open(server);
  await ann.ask('join', { room: 'stage', token: await token('ann', { roomJoin: true, room: 'stage' }) });
});
afterEach(async () => {
  ann.close();
  for (const room of server.rooms.rooms) room.close('deleted');
  await cdn.stop();
});

function token(identity: string, video: VideoGrant): Promise<string> {
  const access = new AccessToken(API_KEY, API_SECRET, { identity });
  access.addGrant(video);
  return access.toJwt();
}

const urlOf = (key: keyof typeof KEYS) => `${cdn.url}/${KEYS[key]}`;
const streamTo = (...keys: (keyof typeof KEYS)[]) =>
  new StreamOutput({ protocol: StreamProtocol.RTMP, urls: keys.map(urlOf) });

/** What is listed of it; has no key, whatever it says. */
async function listed(egressId: string): Promise<EgressInfo> {
  const [info] = await egress.listEgress({ egressId });
  for (const key of Object.values(KEYS)) expect(info!.toJsonString()).not.toContain(key);
  return info!;
}

const status = async (egressId: string) => EgressStatus[(await listed(egressId)).status];

/** How many streams the CDN has got media of, so far. */
function recorded(): number {
  return cdn.recordings().filter((file) => fs.statSync(file).size > 10_000).length;
}

/** What the SDK throws. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TwirpError);
  const { status, code, message } = error as TwirpError;
  for (const key of Object.values(KEYS)) expect(message).not.toContain(key);
  return { status, code, message };
}

describe('a room', () => {
  test('goes out, to a second destination as well, and is stopped', async () => {
    const started = await egress.startRoomCompositeEgress('stage', { stream: streamTo('first') });
    const { egressId } = started;
    expect(started).toMatchObject({ roomName: 'stage', roomId: server.rooms.mustGet('stage').sid });
    expect(egressId).toMatch(/^EG_/);
    await expect.poll(() => status(egressId)).toBe('EGRESS_ACTIVE');
    await expect.poll(recorded).toBe(1);
    const active = await listed(egressId);
    expect(active.streamResults).toHaveLength(1);
    expect(active.streamResults[0]!.status).toBe(StreamInfo_Status.ACTIVE);
    expect(active.streamResults[0]!.url).toMatch(/^rtmp:\/\/127\.0\.0\.1:\d+\/live\/\{fir\.\.\.789\}$/);
    expect(active.result).toMatchObject({ case: 'stream', value: { info: active.streamResults } });
    expect(active.request.case).toBe('roomComposite');
    // Nanoseconds since 1970.
    expect(Math.abs(Number(active.startedAt / 1_000_000n) - Date.now())).toBeLessThan(120_000);
    expect((await egress.listEgress({ roomName: 'stage', active: true })).map((one) => one.egressId)).toEqual(
      [egressId],
    );
    expect(await egress.listEgress({ roomName: 'other' })).toEqual([]);

    const both = await egress.updateStream(egressId, [urlOf('second')]);
    expect(both.streamResults).toHaveLength(2);
    await expect.poll(recorded).toBe(2);
    await egress.updateStream(egressId, [], [urlOf('second')]);
    const one = await listed(egressId);
    expect(one.streamResults.map((stream) => StreamInfo_Status[stream.status])).toEqual([
      'ACTIVE',
      'FINISHED',
    ]);
    expect(one.streamResults[1]!.duration).toBeGreaterThan(0n);
    expect(EgressStatus[one.status]).toBe('EGRESS_ACTIVE');

    await egress.stopEgress(egressId);
    await expect.poll(() => status(egressId)).toBe('EGRESS_COMPLETE');
    expect((await listed(egressId)).endedAt).toBeGreaterThan(0n);
    expect(await egress.listEgress({ active: true })).toEqual([]);
    expect(await refusal(egress.stopEgress(egressId))).toEqual({
      status: 412,
      code: 'failed_precondition',
      message: 'An egress with status EGRESS_COMPLETE cannot be stopped.',
    });
    expect(await refusal(egress.updateStream(egressId, [urlOf('second')]))).toMatchObject({
      code: 'failed_precondition',
    });
  });

  test('goes out with the request of older clients, once', async () => {
    const { egressId } = await egress.startRoomCompositeEgress('stage', streamTo('first'), {
      encodingOptions: EncodingOptionsPreset.H264_720P_30,
    });
    await expect.poll(() => status(egressId)).toBe('EGRESS_ACTIVE');
    expect((await listed(egressId)).streamResults).toHaveLength(1);
  });

  test('that closes ends what goes out of it', async () => {
    const { egressId } = await egress.startRoomCompositeEgress('stage', { stream: streamTo('first') });
    await expect.poll(() => status(egressId)).toBe('EGRESS_ACTIVE');
    server.rooms.mustGet('stage').close('deleted');
    await expect.poll(() => status(egressId)).toBe('EGRESS_COMPLETE');
  });
});

describe('a participant', () => {
  test('goes out until he leaves', async () => {
    const started = await egress.startParticipantEgress('stage', 'ann', { stream: streamTo('first') });
    const { egressId } = started;
    expect(started.request).toMatchObject({ case: 'participant', value: { identity: 'ann' } });
    await expect.poll(() => status(egressId)).toBe('EGRESS_ACTIVE');
    await expect.poll(recorded).toBe(1);
    server.rooms.mustGet('stage').participant('ann')!.leave('removed');
    await expect.poll(() => status(egressId)).toBe('EGRESS_COMPLETE');
  });

  test('who is not there is not found', async () => {
    const call = egress.startParticipantEgress('stage', 'bob', { stream: streamTo('first') });
    expect(await refusal(call)).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('what is refused', () => {
  const stream = () => ({ stream: streamTo('first') });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'files',
      () => egress.startRoomCompositeEgress('stage', { file: new EncodedFileOutput({ filepath: 'x.mp4' }) }),
      'unimplemented',
    ],
    [
      'files beside streams',
      () => egress.startParticipantEgress('stage', 'ann', { ...stream(), file: new EncodedFileOutput() }),
      'unimplemented',
    ],
    [
      'another layout',
      () => egress.startRoomCompositeEgress('stage', stream(), { layout: 'grid' }),
      'unimplemented',
    ],
    [
      'another encoding',
      () =>
        egress.startRoomCompositeEgress('stage', stream(), {
          encodingOptions: EncodingOptionsPreset.H264_1080P_60,
        }),
      'unimplemented',
    ],
    [
      'sound alone',
      () => egress.startRoomCompositeEgress('stage', stream(), { audioOnly: true }),
      'unimplemented',
    ],
    [
      'a screen alone',
      () => egress.startParticipantEgress('stage', 'ann', stream(), { screenShare: true }),
      'unimplemented',
    ],
    ['web pages', () => egress.startWebEgress('https://example.com', stream()), 'unimplemented'],
    ['tracks', () => egress.startTrackEgress('stage', 'wss://example.com', 'TR_1'), 'unimplemented'],
    ['several tracks', () => egress.startTrackCompositeEgress('stage', stream()), 'unimplemented'],
    [
      'the unified request',
      () => egress.startEgress(new StartEgressRequest({ roomName: 'stage' })),
      'unimplemented',
    ],
    ['a layout afterwards', () => egress.updateLayout('EG_1', 'grid'), 'unimplemented'],
    ['a room that is not open', () => egress.startRoomCompositeEgress('none', stream()), 'not_found'],
    ['an egress that is not there', () => egress.stopEgress('EG_none'), 'not_found'],
    [
      'an address that is none',
      () => egress.startRoomCompositeEgress('stage', new StreamOutput({ urls: [`http://x/${KEYS.first}`] })),
      'invalid_argument',
    ],
  ])('%s', async (_, call, code) => {
    expect(await refusal(call())).toMatchObject({ code, message: expect.stringMatching(/\w/) });
    expect(await egress.listEgress({ active: true })).toEqual([]);
  });

  test.each<[string, VideoGrant]>([
    ['without roomRecord', { roomAdmin: true, room: 'stage', roomCreate: true, roomList: true }],
    ['for another room', { roomRecord: true, room: 'other' }],
  ])('a token %s', async (_, video) => {
    const other = new EgressClient(server.url, API_KEY, API_SECRET, { token: await token('x', video) });
    expect(await refusal(other.startRoomCompositeEgress('stage', stream()))).toMatchObject({
      status: 403,
      code: 'permission_denied',
    });
    expect(await egress.listEgress({ active: true })).toEqual([]);
  });
});

test('our own routes start, list and end a relay, and pin a participant', async () => {
  const bearer = await createToken(
    API_KEY,
    API_SECRET,
    { identity: 'x', video: { roomRecord: true, room: 'stage' } },
    600,
  );
  const ask = (method: string, path: string, body?: object) =>
    fetch(`${server.url}/api/rooms/stage/${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const list = async () => relayList.parse(await (await ask('GET', 'relays')).json()).relays;

  const made = await ask('POST', 'relays', { address: urlOf('first') });
  expect(made.status).toBe(201);
  const text = await made.text();
  expect(text).not.toContain(KEYS.first);
  const { id } = relayReport.parse(JSON.parse(text));
  await expect
    .poll(async () => (await list()).map((one) => `${one.id} ${one.state}`))
    .toEqual([`${id} live`]);
  await expect.poll(async () => (await list())[0]!.bitrateBps).toBeGreaterThan(10_000);

  const pinned = await ask('PUT', 'program', { participant: 'ann' });
  expect(programReport.parse(await pinned.json())).toEqual({ pinned: 'ann', shown: null });

  expect((await ask('DELETE', `relays/${id}`)).status).toBe(204);
  expect(await list()).toMatchObject([{ id, state: 'ended', bitrateBps: 0 }]);
  expect((await ask('DELETE', `relays/${id}`)).status).toBe(412);
});
