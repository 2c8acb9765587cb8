import { describe, expect, test } from 'vitest';
import { type AmfValue, readAmf0 } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { commandMessage, statusMessage } from '../../../../gateways/rtmp/protocol/command.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { controlMessage, MESSAGE } from '../../../../gateways/rtmp/protocol/messages.ts';
import { RtmpError } from '../../../../gateways/rtmp/protocol/rtmp-error.ts';
import { ServerSession } from '../../../../gateways/rtmp/server/server-session.ts';
import type { ProgramDescription } from '../../../../src/media/program.ts';
import { seededRandom } from '../../../signals/random.ts';
import { addressOf, error, KEY, recorded, result, ScriptedServer } from './scripted-server.ts';

const WINDOW = 250_000;
const DESCRIPTION: ProgramDescription = {
  width: 1280,
  height: 720,
  frameRate: 30,
  videoBitrateBps: 2_500_000,
  audioBitrateBps: 128_000,
  audioSampleRate: 48_000,
  audioChannels: 2,
};

/** The sizes of pieces in which bytes arrive, one after the other. */
const SPLITS: [string, () => () => number][] = [
  ['byte by byte', () => () => 1],
  ['in pieces of 7', () => () => 7],
  ['as they were sent', () => () => Number.POSITIVE_INFINITY],
  ...[1, 2, 3].map((seed): [string, () => () => number] => [
    `in odd pieces ${seed}`,
    () => {
      const random = seededRandom(seed);
      return () => 1 + Math.floor(random() ** 4 * 3000);
    },
  ]),
];

/** A session and our own server's, with what is sent kept until it is carried over. */
function piped(pieceBytes: () => number = () => Number.POSITIVE_INFINITY) {
  const toServer: Buffer[] = [];
  const toClient: Buffer[] = [];
  const events: string[] = [];
  const metadata: unknown[] = [];
  const client = recorded(addressOf(), (bytes) => toServer.push(bytes));
  const server: ServerSession = new ServerSession(
    {
      send: (buffers) => toClient.push(Buffer.concat(buffers)),
      publish: ({ app, key, encoder }) => events.push(`publish ${app}/${key} with ${encoder}`),
      audio: (body, timestamp) => events.push(`audio ${timestamp}: ${body.length} ${body.at(-1)}`),
      video: (body, timestamp) => events.push(`video ${timestamp}: ${body.length} ${body.at(-1)}`),
      metadata: (values) => metadata.push(values),
      unpublished: () => events.push('unpublished'),
    },
    { random: (bytes) => Buffer.alloc(bytes, 9), now: () => 2_000 },
  );
  const carry = () => {
    while (toServer.length + toClient.length > 0) {
      for (const piece of pieces(toServer.splice(0), pieceBytes)) server.receive(piece);
      for (const piece of pieces(toClient.splice(0), pieceBytes)) client.session.receive(piece);
    }
  };
  return { ...client, server, serverEvents: events, metadata, carry };
}

function* pieces(buffers: readonly Buffer[], pieceBytes: () => number): Generator<Buffer> {
  const bytes = Buffer.concat(buffers);
  for (let at = 0; at < bytes.length; ) {
    const size = pieceBytes();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe('with our own server, bytes arriving', () => {
  test.each(SPLITS)('%s', (_, split) => {
    const { session, events, sent, server, serverEvents, metadata, carry } = piped(split());
    session.start();
    expect(session.state).toBe('handshake');
    carry();
    expect(serverEvents).toEqual([`publish live/${KEY} with FMLE/3.0 (compatible; Patchroom)`]);
    expect(session.state).toBe('publishing');
    server.admit();
    carry();
    expect(events).toEqual(['published']);
    expect(session.state).toBe('live');

    serverEvents.length = 0;
    session.metadata(DESCRIPTION);
    session.media('audio', 0, Buffer.of(1));
    session.media('video', 5, Buffer.alloc(130_001, 2));
    session.media('audio', 21, Buffer.alloc(300, 3));
    session.media('video', 38, Buffer.alloc(60_000, 4));
    session.media('video', 2 ** 32 + 5, Buffer.alloc(60_001, 5));
    carry();
    expect(metadata).toEqual([
      {
        width: 1280,
        height: 720,
        framerate: 30,
        videodatarate: 2500,
        videocodecid: 7,
        audiodatarate: 128,
        audiosamplerate: 48_000,
        audiosamplesize: 16,
        stereo: true,
        audiocodecid: 10,
        encoder: 'Patchroom',
      },
    ]);
    expect(serverEvents).toEqual([
      'audio 0: 1 1',
      'video 5: 130001 2',
      'audio 21: 300 3',
      'video 38: 60000 4',
      'video 5: 60001 5',
    ]);
    expect(session.bytesSent).toBe(Buffer.concat(sent).length);

    serverEvents.length = 0;
    session.finish();
    carry();
    expect(serverEvents).toEqual(['unpublished']);
    expect(session.state).toBe('over');
    expect(events.filter((event) => !event.startsWith('acknowledged'))).toEqual(['published']);
  });

  test('it is acknowledged each window', () => {
    const { session, events, server, carry } = piped();
    session.start();
    carry();
    server.admit();
    carry();
    expect(session.acknowledges).toBe(false);
    for (let at = 0; at < 40; at++) {
      session.media('video', at * 33, Buffer.alloc(25_000));
      carry();
    }
    const bytes = events.slice(1).map((event) => Number(event.split(' ')[1]));
    expect(bytes.length).toBeGreaterThanOrEqual(1_000_000 / WINDOW);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(bytes.at(-1)).toBeLessThanOrEqual(session.bytesSent);
    expect(session.bytesSent - bytes.at(-1)!).toBeLessThan(WINDOW);
    expect(session.acknowledges).toBe(true);
  });

  test.each([
    ['BadName', 'The stream key is not known.'],
    ['Denied', 'Too many encoders.'],
  ])('refused with %s', (code, description) => {
    const { session, events, server, carry } = piped();
    session.start();
    carry();
    server.refuse(`NetStream.Publish.${code}`, description);
    carry();
    expect(events).toEqual([`refused NetStream.Publish.${code}: ${description}`]);
    expect(session.state).toBe('over');
  });

  test('dismissed', () => {
    const { session, events, server, carry } = piped();
    session.start();
    carry();
    server.admit();
    server.dismiss('The room is closed.');
    carry();
    expect(events).toEqual(['published', 'refused NetStream.Publish.Failed: The room is closed.']);
  });
});

describe('what is sent', () => {
  test('connect, after the chunk size', () => {
    const server = ScriptedServer.in('connecting', addressOf(`rtmps://cdn.example.com:1936/x/y/${KEY}?a=b`));
    const object = {
      app: 'x/y',
      type: 'nonprivate',
      flashVer: 'FMLE/3.0 (compatible; Patchroom)',
      tcUrl: 'rtmps://cdn.example.com:1936/x/y',
    };
    expect(server.client.session.state).toBe('connecting');
    // Whoever reads chunks obeys Set Chunk Size and hands it over to nobody: behind C0, C1 and C2, as bytes.
    const sent = Buffer.concat(server.client.sent).subarray(1 + 2 * 1536);
    expect(sent.toString('hex', 0, 16)).toBe('02000000000004010000000000' + '00ea60');
    expect(server.texts).toEqual([`0: "connect" 1 ${JSON.stringify(object)}`]);
  });

  test('the window and what leads to publishing, one after the other', () => {
    const server = ScriptedServer.in('connecting');
    server.texts;
    server.say(result(1, { code: 'NetConnection.Connect.Success' }));
    expect(server.client.session.state).toBe('creating');
    expect(server.texts).toEqual([
      '0: 5 0003d090',
      `0: "releaseStream" 2 null "${KEY}"`,
      `0: "FCPublish" 3 null "${KEY}"`,
      '0: "createStream" 4 null',
    ]);
    server.say(result(4, 7));
    expect(server.client.session.state).toBe('publishing');
    expect(server.texts).toEqual([`7: "publish" 5 null "${KEY}" "live"`]);
  });

  test('media on the stream that was given, on low chunk streams, not copied', () => {
    const server = ScriptedServer.in('live');
    server.texts;
    const { session, sent } = server.client;
    const body = Buffer.alloc(1000, 1);
    sent.length = 0;
    session.media('audio', 1, body);
    session.media('video', 2, body);
    session.metadata(DESCRIPTION);
    expect(sent.filter((_, index) => index % 2 === 0).map(([first]) => first)).toEqual([4, 6, 5]);
    expect(sent[1]!.buffer).toBe(body.buffer);
    expect(sent[1]!.byteOffset).toBe(body.byteOffset);
    expect(server.heard.map(({ type, streamId, timestamp }) => [type, streamId, timestamp])).toEqual([
      [MESSAGE.audio, 7, 1],
      [MESSAGE.video, 7, 2],
      [MESSAGE.dataAmf0, 7, 0],
    ]);
  });

  test('metadata as an ECMA array, without what is not known', () => {
    const server = ScriptedServer.in('live');
    server.texts;
    server.client.session.metadata({
      audioBitrateBps: 96_000,
      audioSampleRate: 48_000,
      audioChannels: 2,
    });
    const { payload } = server.heard[0]!;
    expect(readAmf0(payload)).toEqual([
      '@setDataFrame',
      'onMetaData',
      {
        videocodecid: 7,
        audiodatarate: 96,
        audiosamplerate: 48_000,
        audiosamplesize: 16,
        stereo: true,
        audiocodecid: 10,
        encoder: 'Patchroom',
      },
    ]);
    // Behind the two strings: the marker, and how many there are.
    expect(payload.subarray(3 + 13 + 3 + 10, 3 + 13 + 3 + 10 + 5).toString('hex')).toBe('0800000007');
  });

  test.each<['connecting' | 'creating' | 'publishing' | 'live' | 'over', string[]]>([
    ['connecting', []],
    ['creating', [`0: "FCUnpublish" 6 null "${KEY}"`]],
    ['publishing', [`0: "FCUnpublish" 6 null "${KEY}"`, '0: "deleteStream" 7 null 7']],
    ['live', [`0: "FCUnpublish" 6 null "${KEY}"`, '0: "deleteStream" 7 null 7']],
    ['over', []],
  ])('at the end, when it is %s', (state, expected) => {
    const server = ScriptedServer.in(state);
    server.texts;
    server.client.session.finish();
    expect(server.texts).toEqual(expected);
    expect(server.client.session.state).toBe('over');
    server.client.session.finish();
    server.client.session.media('audio', 0, Buffer.of(1));
    server.client.session.metadata(DESCRIPTION);
    server.say(controlMessage.pingRequest(1), statusMessage(7, 'error', 'NetStream.Publish.BadName', ''));
    expect(server.texts).toEqual([]);
    expect(server.client.events.filter((event) => event.startsWith('refused'))).toEqual([]);
  });

  test('nothing of media before it is live, nor anything before it is started', () => {
    const { session } = recorded();
    expect(() => session.receive(Buffer.of(3))).toThrow('not been started');
    session.start();
    expect(() => session.start()).toThrow('already');
    expect(() => session.media('audio', 0, Buffer.of(1))).toThrow('while the session is handshake');
    expect(() => ScriptedServer.in('publishing').client.session.metadata(DESCRIPTION)).toThrow('publishing');
  });

  test('ended before it is started, it sends nothing', () => {
    const { session, sent } = recorded();
    session.finish();
    session.start();
    session.receive(Buffer.of(9));
    expect(sent).toEqual([]);
  });
});

describe('refused', () => {
  const status = (level: 'status' | 'error', code: string, description = '') =>
    statusMessage(7, level, code, description);
  const close = (...args: AmfValue[]) => commandMessage('close', 0, null, args, 0);
  const info = (code: AmfValue, description: AmfValue): AmfValue => ({ level: 'error', code, description });

  test.each<['connecting' | 'creating' | 'publishing' | 'live', string, RtmpMessage, string]>([
    [
      'connecting',
      '_error',
      error(1, info('NetConnection.Connect.Rejected', 'No such app')),
      'NetConnection.Connect.Rejected: No such app',
    ],
    ['connecting', '_error without words', error(1, null), ': '],
    ['connecting', '_error of words', error(1, 'Go away'), ': Go away'],
    ['connecting', '_error of numbers', error(1, { code: 7, description: 9 }), ': '],
    [
      'connecting',
      '_error with its words in the command object',
      commandMessage('_error', 1, { code: 'NetConnection.Connect.InvalidApp', description: 'None' }, [], 0),
      'NetConnection.Connect.InvalidApp: None',
    ],
    [
      'connecting',
      '_result that is an error',
      result(1, info('NetConnection.Connect.Failed', 'Full')),
      'NetConnection.Connect.Failed: Full',
    ],
    [
      'connecting',
      'status',
      status('error', 'NetConnection.Connect.Closed', 'Full'),
      'NetConnection.Connect.Closed: Full',
    ],
    [
      'creating',
      '_error',
      error(4, info('NetConnection.Call.Failed', 'No')),
      'NetConnection.Call.Failed: No',
    ],
    ['creating', 'close', close(), ': '],
    [
      'publishing',
      '_error',
      error(5, info('NetStream.Publish.Denied', 'No')),
      'NetStream.Publish.Denied: No',
    ],
    [
      'publishing',
      'BadName',
      status('error', 'NetStream.Publish.BadName', 'In use'),
      'NetStream.Publish.BadName: In use',
    ],
    [
      'publishing',
      'BadName as no error',
      status('status', 'NetStream.Publish.BadName'),
      'NetStream.Publish.BadName: ',
    ],
    [
      'publishing',
      'status without a code',
      commandMessage('onStatus', 0, null, [{ level: 'error' }], 7),
      ': ',
    ],
    ['publishing', 'code with strange characters', status('error', 'Net\u0000 <b>', 'So'), ': So'],
    ['live', 'status', status('error', 'NetStream.Failed', 'Over quota'), 'NetStream.Failed: Over quota'],
    ['live', 'end', status('status', 'NetStream.Unpublish.Success'), 'NetStream.Unpublish.Success: '],
    [
      'live',
      'close with words',
      close(info('NetConnection.Connect.Closed', 'Restart')),
      'NetConnection.Connect.Closed: Restart',
    ],
  ])('when %s: %s', (state, _, message, expected) => {
    const server = ScriptedServer.in(state);
    server.texts;
    server.say(message);
    expect(server.client.events).toEqual([`refused ${expected}`]);
    expect(server.client.session.state).toBe('over');
    server.say(controlMessage.pingRequest(1), message, status('status', 'NetStream.Publish.Start'));
    server.client.session.finish();
    expect(server.texts).toEqual([]);
    expect(server.client.events).toHaveLength(1);
  });

  test('the key is not in the description', () => {
    const server = ScriptedServer.in('publishing');
    server.say(status('error', 'NetStream.Publish.BadName', `live/${KEY.toUpperCase()}\n is\u0007 in use`));
    expect(server.client.events).toEqual(['refused NetStream.Publish.BadName: live/*** is in use']);
  });

  test('in the same bytes as what comes after', () => {
    const { session, events, sent, server, carry } = piped();
    session.start();
    carry();
    server.refuse('NetStream.Publish.BadName', 'No');
    carry();
    const before = sent.length;
    session.receive(Buffer.alloc(5000, 0xff));
    expect(events).toHaveLength(1);
    expect(sent).toHaveLength(before);
  });
});

describe('ignored', () => {
  const start = statusMessage(7, 'status', 'NetStream.Publish.Start', '');

  test.each<['connecting' | 'creating' | 'publishing' | 'live', string, RtmpMessage]>([
    ['connecting', 'a result of nothing', result(9, null)],
    ['connecting', 'a result of what was not asked', result(4, 1)],
    ['connecting', 'an error of what was not asked', error(4, { code: 'a' })],
    ['connecting', 'a start', start],
    ['connecting', 'onBWDone', commandMessage('onBWDone', 0, null, [], 0)],
    ['creating', 'a start', start],
    ['creating', 'another result of connect', result(1, null)],
    ['creating', 'releaseStream is not known', error(2, { code: 'NetConnection.Call.Failed' })],
    ['creating', 'FCPublish is not known', error(3, { code: 'NetConnection.Call.Failed' })],
    ['creating', 'onFCPublish', commandMessage('onFCPublish', 0, null, [{ code: 'x', level: 'error' }], 0)],
    ['publishing', 'a result of publish', result(5, null)],
    ['publishing', 'another result of createStream', result(4, 8)],
    ['publishing', 'a stream that begins', controlMessage.streamBegin(7)],
    ['publishing', 'a status without words', commandMessage('onStatus', 0, null, [], 7)],
    ['live', 'another start', start],
    ['live', 'that nothing comes', statusMessage(7, 'status', 'NetStream.Publish.Idle', '')],
    ['live', 'a late error', error(5, { code: 'a' })],
    ['live', 'media', { type: MESSAGE.video, timestamp: 0, streamId: 7, payload: Buffer.of(1) }],
    [
      'live',
      'data that is none',
      { type: MESSAGE.dataAmf0, timestamp: 0, streamId: 7, payload: Buffer.of(9) },
    ],
    ['live', 'an empty acknowledgement', { type: 3, timestamp: 0, streamId: 0, payload: Buffer.of() }],
    ['live', 'an empty user control', { type: 4, timestamp: 0, streamId: 0, payload: Buffer.of() }],
    ['live', 'an empty window', { type: 5, timestamp: 0, streamId: 0, payload: Buffer.of() }],
  ])('when %s: %s', (state, _, message) => {
    const server = ScriptedServer.in(state);
    server.texts;
    server.say(message);
    expect(server.client.session.state).toBe(state);
    expect(server.client.events).toEqual([]);
    expect(server.texts).toEqual([]);
  });
});

describe('control', () => {
  test('pings are answered', () => {
    const server = ScriptedServer.in('live');
    server.texts;
    server.say(controlMessage.pingRequest(0xfedcba98));
    expect(server.texts).toEqual(['0: 4 0007fedcba98']);
  });

  test('a bandwidth is answered with our window, once', () => {
    const server = ScriptedServer.in('connecting');
    server.texts;
    server.say(controlMessage.setPeerBandwidth(5_000_000, 'dynamic'));
    expect(server.texts).toEqual(['0: 5 0003d090']);
    server.say(controlMessage.setPeerBandwidth(1, 'hard'), result(1, null));
    expect(server.texts.map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
      '0: "releaseStream"',
      '0: "FCPublish"',
      '0: "createStream"',
    ]);
  });

  test('what was received is acknowledged each window that the server sets', () => {
    const server = ScriptedServer.in('live');
    server.texts;
    const media = { type: MESSAGE.audio, timestamp: 0, streamId: 7, payload: Buffer.alloc(100) };
    server.say(...Array.from({ length: 20 }, () => controlMessage.streamBegin(1)));
    expect(server.texts).toEqual([]);
    server.say(controlMessage.windowAcknowledgementSize(1000), ...Array.from({ length: 30 }, () => media));
    const counts = server.texts.map((text) => Number.parseInt(text.split(' ')[2]!, 16));
    expect(counts).toHaveLength(3);
    for (const [index, count] of counts.entries())
      expect(count - (counts[index - 1] ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  test('acknowledgements count once they are of what was sent', () => {
    const server = ScriptedServer.in('live');
    const { session, events } = server.client;
    const sent = session.bytesSent;
    server.say(controlMessage.acknowledgement(sent - 5), controlMessage.acknowledgement(sent));
    expect(events).toEqual([`acknowledged ${sent - 5}`, `acknowledged ${sent}`]);
    expect(session.acknowledges).toBe(true);
    server.say(controlMessage.acknowledgement(sent + 1), controlMessage.acknowledgement(sent - 1));
    expect(events).toHaveLength(2);
    expect(session.acknowledges).toBe(false);
  });
});

describe('what makes no sense throws an RtmpError, and ends the session', () => {
  test.each<[string, (server: ScriptedServer) => void, RegExp]>([
    ['no stream', (server) => server.say(result(4, undefined)), /createStream/],
    ['stream 0', (server) => server.say(result(4, 0)), /createStream/],
    ['half a stream', (server) => server.say(result(4, 1.5)), /createStream/],
    ['an enormous stream', (server) => server.say(result(4, 2 ** 32)), /createStream/],
    ['text for a stream', (server) => server.say(result(4, '1')), /createStream/],
    [
      'a command that is none',
      (server) => server.say({ type: MESSAGE.commandAmf0, timestamp: 0, streamId: 0, payload: Buffer.of(9) }),
      /type 9/,
    ],
    [
      'a chunk size of 0',
      (server) => server.sayBytes(Buffer.from('02000000000004010000000000000000', 'hex')),
      /chunk size/,
    ],
    ['a header of nothing', (server) => server.sayBytes(Buffer.of(0xff)), /earlier/],
    [
      'a long message',
      (server) => server.sayBytes(Buffer.from('0300000001000114000000000000', 'hex')),
      /65537 bytes/,
    ],
  ])('%s', (_, act, words) => {
    const server = ScriptedServer.in('creating');
    expect(() => act(server)).toThrow(words);
    expect(server.client.session.state).toBe('over');
    const { length } = server.client.sent;
    server.client.session.finish();
    expect(server.client.sent).toHaveLength(length);
  });

  test.each([[Buffer.from('HTTP/1.1 400 Bad Request\r\n')], [Buffer.of(6)], [Buffer.of(0x15, 3, 3)]])(
    'a server of something else: %j',
    (bytes) => {
      const { session } = recorded();
      session.start();
      expect(() => session.receive(bytes)).toThrow(RtmpError);
      expect(session.state).toBe('over');
    },
  );

  test('whatever it is: nothing else is thrown', () => {
    const random = seededRandom(20);
    const states = ['connecting', 'creating', 'publishing', 'live'] as const;
    let errors = 0;
    for (let round = 0; round < 2000; round++) {
      const server = ScriptedServer.in(states[round % states.length]!);
      const byte = () => Math.floor(random() * 256);
      const types = [1, 2, 3, 4, 5, 6, 15, 17, 18, 20, 22];
      const payload = Buffer.from(Array.from({ length: Math.floor(random() * 40) }, byte));
      // Half of them with a name and a number, so that more than the first byte is read.
      const begun = Buffer.from('020007' + '5f726573756c74' + '003ff0000000000000', 'hex');
      const body = round % 2 ? Buffer.concat([begun, payload]) : payload;
      const type = types[Math.floor(random() * types.length)]!;
      try {
        const header = Buffer.of(5, 0, 0, 0, 0, 0, body.length, type, 0, 0, 0, 0);
        server.sayBytes(Buffer.concat([header, body]));
        server.sayBytes(Buffer.from(Array.from({ length: 60 }, byte)));
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(RtmpError);
        expect(server.client.session.state).toBe('over');
        errors++;
      }
    }
    expect(errors).toBeGreaterThan(500);
  });
});

test('media may be sent at once when it is live', () => {
  const server = ScriptedServer.in('publishing');
  const { session, onPublished } = server.client;
  server.texts;
  onPublished(() => session.media('audio', 0, Buffer.of(0xaf)));
  server.say(statusMessage(7, 'status', 'NetStream.Publish.Start', ''));
  expect(server.texts).toEqual(['7: 8 af']);
});
