import { EncodingOptionsPreset } from '@livekit/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Output } from '../../../src/outputs/output.ts';
import { DEFAULT_ENCODING } from '../../../transcode/ffmpeg/program-arguments.ts';
import { addressAt, outputOf, STREAM_KEY } from '../support/fake-outputs.ts';
import { OutputApi } from '../support/output-api.ts';
import { person } from '../support/rooms.ts';

let api: OutputApi;
beforeEach(async () => {
  api = await OutputApi.create();
});

const A = addressAt('a.example');
const B = addressAt('b.example');
const streamTo = (...urls: string[]) => ({ stream_outputs: [{ protocol: 'RTMP', urls }] });
const room = (fields: object = {}) => ({ room_name: 'lounge', ...streamTo(A), ...fields });
const ann = (fields: object = {}) => room({ identity: 'ann', ...fields });

/** Outputs with these statuses: EG_0, EG_1 and so on. */
function have(...outputs: Partial<Output>[]): void {
  api.outputs.all = outputs.map((change, index) => outputOf(api.room, { id: `EG_${index}`, ...change }));
}

describe('starting', () => {
  const started = (addresses: string[], source: object = { type: 'room' }) => [
    ['start', 'lounge', source, addresses],
  ];

  test.each<[string, object, string[]]>([
    ['stream_outputs', room(), [A]],
    ['several addresses, one of them twice', room(streamTo(A, B, A)), [A, B]],
    ['the deprecated stream', { room_name: 'lounge', stream: { urls: [A] } }, [A]],
    ['the deprecated stream beside the new field, as clients send it', room({ stream: { urls: [A] } }), [A]],
    ['the default protocol', room({ stream_outputs: [{ urls: [A] }] }), [A]],
    ['the layout that there is', room({ layout: 'single-speaker' }), [A]],
    ['the preset that there is', room({ preset: 'H264_720P_30' }), [A]],
    ['advanced options that say nothing', room({ advanced: {} }), [A]],
    [
      'advanced options that say what is made',
      room({
        advanced: { width: 1280, height: 720, framerate: 30, video_codec: 'H264_MAIN', audio_codec: 'AAC' },
      }),
      [A],
    ],
  ])('a room: %s', async (_, body, addresses) => {
    const response = await api.egress('StartRoomCompositeEgress', body);
    expect(response.json()).toMatchObject({ egress_id: 'EG_1', status: 'EGRESS_STARTING' });
    expect(response.statusCode).toBe(200);
    expect(api.outputs.calls).toEqual(started(addresses));
  });

  test('a participant', async () => {
    const response = await api.egress('StartParticipantEgress', ann());
    expect(response.json()).toMatchObject({ egress_id: 'EG_1', participant: { identity: 'ann' } });
    expect(api.outputs.calls).toEqual(started([A], { type: 'participant', identity: 'ann' }));
  });

  test.each<[string, string, object, string]>([
    ['StartRoomCompositeEgress', 'a room that is not open', room({ room_name: 'none' }), 'not_found'],
    ['StartRoomCompositeEgress', 'no output', { room_name: 'lounge' }, 'invalid_argument'],
    ['StartRoomCompositeEgress', 'no address', room(streamTo()), 'invalid_argument'],
    ['StartRoomCompositeEgress', 'an address of another kind', room(streamTo('x')), 'invalid_argument'],
    ['StartParticipantEgress', 'a room that is not open', ann({ room_name: 'none' }), 'not_found'],
    ['StartParticipantEgress', 'somebody who is not there', ann({ identity: 'bob' }), 'not_found'],
    ['StartParticipantEgress', 'nobody', room(), 'invalid_argument'],
    ['StartParticipantEgress', 'no address', ann(streamTo()), 'invalid_argument'],
  ])('%s of %s is refused', async (method, _, body, code) => {
    expect((await api.egress(method, body)).json()).toEqual({ code, msg: expect.stringMatching(/\.$/) });
    expect(api.outputs.all).toEqual([]);
  });
});

describe('what cannot be honoured is refused rather than ignored:', () => {
  const both: [string, object][] = [
    ['file_outputs', { file_outputs: [{ filepath: 'x.mp4' }] }],
    ['segment_outputs', { segment_outputs: [{ filename_prefix: 'x' }] }],
    ['image_outputs', { image_outputs: [{ filename_prefix: 'x' }] }],
    ['webhooks', { webhooks: [{ url: 'https://example.com', signing_key: 'k' }] }],
    ['protocol SRT', { stream_outputs: [{ protocol: 'SRT', urls: [A] }] }],
    ['protocol WEBSOCKET', { stream_outputs: [{ urls: [A] }, { protocol: 'WEBSOCKET', urls: [B] }] }],
    ['protocol 99', { stream_outputs: [{ protocol: 99, urls: [A] }] }],
    ...Object.keys(EncodingOptionsPreset)
      .filter((name) => Number.isNaN(Number(name)) && name !== 'H264_720P_30')
      .map((preset): [string, object] => [`preset ${preset}`, { preset }]),
    ['advanced.height', { advanced: { width: 1280, height: 1080 } }],
    ['advanced.video_bitrate', { advanced: { video_bitrate: 6000 } }],
    ['advanced.audio_bitrate', { advanced: { audio_bitrate: 320 } }],
    ['advanced.audio_codec', { advanced: { audio_codec: 'OPUS' } }],
    ['advanced.key_frame_interval', { advanced: { key_frame_interval: 0.5 } }],
  ];
  test.each<[string, string, object]>([
    ...both.map(([field, body]): [string, string, object] => ['StartRoomCompositeEgress', field, body]),
    ...both.map(([field, body]): [string, string, object] => ['StartParticipantEgress', field, body]),
    ['StartRoomCompositeEgress', 'file', { stream_outputs: [], file: { filepath: 'x.mp4' } }],
    ['StartRoomCompositeEgress', 'file', { file: { filepath: 'x.mp4' } }],
    ['StartRoomCompositeEgress', 'segments', { segments: { filename_prefix: 'x' } }],
    [
      'StartRoomCompositeEgress',
      'protocol SRT',
      { stream_outputs: [], stream: { protocol: 'SRT', urls: [A] } },
    ],
    ['StartRoomCompositeEgress', 'layout', { layout: 'grid' }],
    ['StartRoomCompositeEgress', 'layout', { layout: 'speaker-dark' }],
    ['StartRoomCompositeEgress', 'custom_base_url', { custom_base_url: 'https://example.com' }],
    ['StartRoomCompositeEgress', 'audio_only', { audio_only: true }],
    ['StartRoomCompositeEgress', 'video_only', { video_only: true }],
    ['StartRoomCompositeEgress', 'audio_mixing', { audio_mixing: 'DUAL_CHANNEL_AGENT' }],
    ['StartParticipantEgress', 'screen_share', { screen_share: true }],
  ])('%s with %s %o', async (method, field, fields) => {
    const response = await api.egress(method, ann(fields));
    expect(response.statusCode).toBe(501);
    // What is refused, and what there is instead.
    const msg = expect.stringMatching(new RegExp(`^The server does not implement ${field}\\. .+\\.$`));
    expect(response.json()).toEqual({ code: 'unimplemented', msg });
    expect(api.outputs.calls).toEqual([]);
  });

  test.each([
    'StartEgress',
    'StartWebEgress',
    'StartTrackCompositeEgress',
    'StartTrackEgress',
    'UpdateLayout',
    'ExportReplay',
  ])('%s', async (method) => {
    const response = await api.egress(method, {});
    expect(response.statusCode).toBe(501);
    const msg = expect.stringMatching(/^[A-Zl].+\.$/);
    expect(response.json()).toEqual({ code: 'unimplemented', msg });
  });
});

test.each<[string, object, number]>([
  ['of the configured size and rate', { preset: 'H264_1080P_60' }, 200],
  ['of another', { preset: 'H264_720P_30' }, 501],
  ['in its own figures', { advanced: { width: 1920, height: 1080, framerate: 60, audio_bitrate: 192 } }, 200],
  ['in others', { advanced: { width: 1280 } }, 501],
])('an encoding %s: %o', async (_, options, status) => {
  const encoding = { ...DEFAULT_ENCODING, width: 1920, height: 1080, frameRate: 60 };
  api = await OutputApi.create({ made: { encoding, audioBitrateBps: 192_000 } });
  const response = await api.egress('StartRoomCompositeEgress', room(options));
  expect(response.statusCode).toBe(status);
  if (status === 501) expect(response.json().msg).toContain('1920x1080 with 60 frames a second');
});

describe('updating', () => {
  test('adds and removes addresses', async () => {
    have({});
    const body = { egress_id: 'EG_0', add_output_urls: [B], remove_output_urls: [A] };
    const response = await api.egress('UpdateStream', body);
    expect(api.outputs.calls).toEqual([['update', 'EG_0', { add: [B], remove: [A] }]]);
    expect(response.json().stream_results).toHaveLength(2);
  });

  test.each<[string, object, string]>([
    ['one that is not there', { egress_id: 'EG_9', add_output_urls: [A] }, 'not_found'],
    ['nothing', { egress_id: 'EG_0' }, 'invalid_argument'],
    ['one that is ending', { egress_id: 'EG_1', add_output_urls: [A] }, 'failed_precondition'],
    ['one that failed', { egress_id: 'EG_2', remove_output_urls: [A] }, 'failed_precondition'],
  ])('%s is refused', async (_, body, code) => {
    have({}, { status: 'ending' }, { status: 'failed' });
    expect((await api.egress('UpdateStream', body)).json()).toMatchObject({ code });
    expect(api.outputs.calls).toEqual([]);
  });
});

describe('stopping', () => {
  test.each(['starting', 'active'] as const)('one that is %s', async (status) => {
    have({ status });
    const response = await api.egress('StopEgress', { egress_id: 'EG_0' });
    expect(response.json()).toMatchObject({ egress_id: 'EG_0', status: 'EGRESS_ENDING' });
    expect(api.outputs.calls).toEqual([['stop', 'EG_0']]);
  });

  test.each(['ending', 'complete', 'failed', 'aborted'] as const)(
    'one that is %s is refused',
    async (status) => {
      have({ status });
      const response = await api.egress('StopEgress', { egress_id: 'EG_0' });
      const msg = `An egress with status EGRESS_${status.toUpperCase()} cannot be stopped.`;
      expect(response.json()).toEqual({ code: 'failed_precondition', msg });
      expect(api.outputs.calls).toEqual([]);
    },
  );

  test('one that is not there is refused', async () => {
    expect((await api.egress('StopEgress', { egress_id: 'EG_9' })).json()).toMatchObject({
      code: 'not_found',
    });
  });
});

describe('listing', () => {
  const list = async (body: object, video: object = { roomRecord: true }) => {
    have(
      {},
      { status: 'ending' },
      { status: 'complete' },
      { status: 'failed', roomName: 'kitchen' },
      { status: 'starting', roomName: 'kitchen' },
    );
    const { items } = (await api.egress('ListEgress', body, { video })).json();
    return items.map(({ egress_id }: { egress_id: string }) => egress_id.slice(3)).join('');
  };

  test.each<[object, string]>([
    [{}, '01234'],
    [{ active: true }, '014'],
    [{ room_name: 'lounge' }, '012'],
    [{ room_name: 'kitchen', active: true }, '4'],
    [{ room_name: 'none' }, ''],
    [{ egress_id: 'EG_2' }, '2'],
    [{ egress_id: 'EG_2', active: true }, ''],
    [{ egress_id: 'EG_2', room_name: 'kitchen' }, ''],
  ])('%o gives %s', async (body, expected) => {
    expect(await list(body)).toBe(expected);
  });

  test('with a token for one room gives that room only', async () => {
    expect(await list({}, { roomRecord: true, room: 'kitchen' })).toBe('34');
    expect(await list({ room_name: 'lounge' }, { roomRecord: true, room: 'kitchen' })).toBe('');
  });

  test.each<[string, object, string]>([
    ['an id that is not there', { egress_id: 'EG_9' }, 'not_found'],
    ['another page', { page_token: { token: 'x' } }, 'unimplemented'],
  ])('%s is refused', async (_, body, code) => {
    expect((await api.egress('ListEgress', body)).json()).toMatchObject({ code });
  });
});

describe('grants', () => {
  const calls: [string, object][] = [
    ['StartRoomCompositeEgress', room()],
    ['StartParticipantEgress', ann()],
    ['UpdateStream', { egress_id: 'EG_0', add_output_urls: [A] }],
    ['StopEgress', { egress_id: 'EG_0' }],
    ['ListEgress', { egress_id: 'EG_0' }],
  ];
  const absent: [string, object][] = [
    ['StartEgress', {}],
    ['StartWebEgress', {}],
    ['StartTrackCompositeEgress', {}],
    ['StartTrackEgress', {}],
    ['UpdateLayout', {}],
    // Who may not see them does not learn which there are.
    ['StopEgress', { egress_id: 'EG_9' }],
    ['UpdateStream', { egress_id: 'EG_9', add_output_urls: [A] }],
    ['StartRoomCompositeEgress', room({ room_name: 'none' })],
    ['ListEgress', {}],
  ];

  describe.each<[string, string, object | undefined]>([
    ['unauthenticated', 'no token', undefined],
    ['permission_denied', 'no grant', {}],
    ['permission_denied', 'the right to join', { roomJoin: true, room: 'lounge' }],
    ['permission_denied', 'the right to administrate', { roomAdmin: true, room: 'lounge' }],
    ['permission_denied', 'the right to create rooms and list them', { roomCreate: true, roomList: true }],
    ['permission_denied', 'a denial', { roomRecord: false }],
  ])('%s with %s', (code, _, video) => {
    test.each([...calls, ...absent])('%s %o', async (method, body) => {
      have({});
      expect((await api.egress(method, body, { video })).json()).toMatchObject({ code });
      expect(api.outputs.calls).toEqual([]);
    });
  });

  describe.each<[string, object, number]>([
    ['any room', { roomRecord: true }, 200],
    ['this room', { roomRecord: true, room: 'lounge' }, 200],
    ['another room', { roomRecord: true, room: 'kitchen' }, 403],
  ])('a token for %s', (_, video, status) => {
    test.each(calls)('%s %o', async (method, body) => {
      have({});
      expect((await api.egress(method, body, { video })).statusCode).toBe(status);
      if (status !== 200) expect(api.outputs.calls).toEqual([]);
    });
  });
});

describe('a stream key is in no answer', () => {
  test.each<[string, object | string]>([
    ['StartRoomCompositeEgress', room(streamTo(A, B))],
    ['StartRoomCompositeEgress', room({ stream: { urls: [A] } })],
    ['StartParticipantEgress', ann()],
    ['UpdateStream', { egress_id: 'EG_0', add_output_urls: [B], remove_output_urls: [A] }],
    ['ListEgress', {}],
    ['StopEgress', { egress_id: 'EG_0' }],
    // Refusals.
    ['StartRoomCompositeEgress', room({ layout: 'grid' })],
    ['StartRoomCompositeEgress', room({ stream_outputs: [{ protocol: 'SRT', urls: [A] }] })],
    ['StartRoomCompositeEgress', room(streamTo(`http://a.example/${STREAM_KEY}`))],
    ['UpdateStream', { egress_id: A, add_output_urls: [B] }],
    ['StopEgress', { egress_id: A }],
    // What does not parse.
    ['StartRoomCompositeEgress', room({ stream_outputs: [{ urls: A }] })],
    ['StartRoomCompositeEgress', room({ stream_outputs: A })],
    ['StartRoomCompositeEgress', room({ stream_outputs: [{ protocol: A }] })],
    ['StartRoomCompositeEgress', `{"stream_outputs": "${A}`],
    ['StartRoomCompositeEgress', STREAM_KEY],
    ['UpdateStream', { add_output_urls: A }],
  ])('%s %o', async (method, body) => {
    have({});
    const { payload } = await api.egress(method, body);
    expect(JSON.parse(payload)).toBeTypeOf('object');
    expect(payload).not.toContain(STREAM_KEY);
    expect(payload).not.toContain('hush-7f3a9c');
  });

  test('what does not parse is named', async () => {
    const response = await api.egress('UpdateStream', { add_output_urls: A });
    expect(response.json()).toEqual({
      code: 'invalid_argument',
      msg: 'The body is no livekit.UpdateStreamRequest: cannot decode field livekit.UpdateStreamRequest.add_output_urls',
    });
  });
});

test('a participant of another room is none of this one', async () => {
  api.rooms.open('kitchen').join(person('bob'));
  expect((await api.egress('StartParticipantEgress', ann({ identity: 'bob' }))).statusCode).toBe(404);
});
