import { describe, expect, test } from 'vitest';
import { readAmf0 } from '../../../../gateways/rtmp/protocol/amf0.ts';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { MESSAGE } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, connect, data, media, publish, RtmpClient } from '../../support/rtmp-client.ts';
import { deciding, errorOf, publishing, session } from '../../support/rtmp-session.ts';

/** Stream begins, in a user control message. */
const STREAM_BEGIN = '4 000000000001';
const STREAM_EOF = '4 000100000001';

/** @returns what onStatus says */
function statusOf(message: RtmpMessage): unknown {
  return readAmf0(message.payload)[3];
}

describe('an encoder comes in', () => {
  test('by handshake, connect, createStream and publish, and is live when it is admitted', () => {
    const { session: one, client, events } = session();
    client.start();
    expect([client.isShaken, one.state]).toEqual([true, 'connecting']);
    client.connect();
    expect(client.texts).toEqual(['5 002625a0', '6 002625a002', '_result 1']);
    client.send(
      command('releaseStream', 2, ['demo']),
      command('FCPublish', 3, ['demo']),
      command('createStream', 4),
    );
    expect(client.heard.map(({ message }) => statusOf(message))).toEqual([undefined, undefined, 1]);
    expect(client.texts).toEqual(['_result 2', '_result 3', '_result 4']);
    client.send(publish('demo'));
    expect([one.state, client.texts]).toEqual(['deciding', []]);
    expect(events.splice(0)).toEqual(['publish live/demo with FMLE/3.0']);
    one.admit();
    expect([one.state, client.texts]).toEqual([
      'publishing',
      [STREAM_BEGIN, 'onStatus NetStream.Publish.Start'],
    ]);
    client.send(media('audio', 5), media('video', 6));
    expect(events).toEqual(['audio 5: 05', 'video 6: 06']);
  });

  test('byte by byte', () => {
    const { session: one, events } = session({}, false);
    const bytes: Buffer[] = [];
    const client = new RtmpClient((some) => bytes.push(some));
    client.start();
    // What follows the handshake of an encoder that does not wait for ours.
    bytes.push(Buffer.alloc(1_536), client.bytesOf(connect(), command('createStream', 2), publish('demo')));
    for (const byte of Buffer.concat(bytes)) one.receive(Buffer.of(byte));
    expect(events).toEqual(['publish live/demo with FMLE/3.0']);
  });

  test.each<[string, object, unknown]>([
    ['AMF 0', {}, 0],
    ['AMF 3', { objectEncoding: 3 }, 3],
    ['what does not exist', { objectEncoding: 'x' }, 0],
  ])('that wants %s', (_, properties, expected) => {
    const { client } = session();
    client.start();
    client.connect(properties as never);
    expect(statusOf(client.heard.at(-1)!.message)).toMatchObject({
      code: 'NetConnection.Connect.Success',
      objectEncoding: expected,
    });
  });

  test.each<[string, object, string]>([
    [
      'says too much',
      { app: 'x'.repeat(5_000), flashVer: 'y'.repeat(5_000) },
      `${'x'.repeat(1_024)}/${'k'.repeat(1_024)} with ${'y'.repeat(1_024)}`,
    ],
    ['says nothing that is text', { app: 5, flashVer: null }, `/${'k'.repeat(1_024)} with `],
  ])('that %s', (_, properties, expected) => {
    const { client, events } = session();
    client.start();
    client.connect(properties as never);
    client.send(command('createStream', 2), publish('k'.repeat(5_000)));
    expect(events).toEqual([`publish ${expected}`]);
  });

  test('each stream gets its own number, and there is an end to it', () => {
    const { client } = session();
    client.start();
    client.connect();
    client.heard.splice(0);
    for (let index = 0; index < 8; index++) client.send(command('createStream', 2));
    expect(client.heard.map(({ message }) => statusOf(message))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(errorOf(() => client.send(command('createStream', 2)))).toBe('command');
  });
});

describe('media', () => {
  test('before publish goes nowhere, and counts', () => {
    const { session: one, client, events, metadata } = session();
    client.start();
    client.send(media('video', 0));
    client.connect();
    client.send(media('audio', 1), data('onMetaData', {}));
    expect([events, metadata, one.dropped]).toEqual([[], [], 3]);
  });

  test('that comes while it is decided waits, and is delivered in its order', () => {
    const { session: one, client, events, metadata } = deciding();
    client.send(
      data('@setDataFrame', 'onMetaData', { encoder: 'OBS' }),
      media('video', 1),
      media('audio', 2),
    );
    expect([events, metadata]).toEqual([[], []]);
    one.admit();
    expect([events, metadata]).toEqual([['video 1: 01', 'audio 2: 02'], [{ encoder: 'OBS' }]]);
    client.send(media('video', 3));
    expect(events.at(-1)).toBe('video 3: 03');
  });

  test.each<[string, number, number]>([
    ['too many messages', 65, 1],
    ['too many bytes', 3, 200_000],
  ])('that does not wait for the decision ends the connection: %s', (_, count, bytes) => {
    const { client } = deciding();
    const send = () => client.send(media('video', 0, Buffer.alloc(bytes)));
    for (let index = 1; index < count; index++) send();
    expect(errorOf(send)).toBe('command');
  });

  test('is not held against the next one once it was delivered', () => {
    const { session: one, client, events } = deciding();
    for (let index = 0; index < 64; index++) client.send(media('video', index));
    one.admit();
    for (let index = 0; index < 200; index++) client.send(media('video', 0));
    expect(events).toHaveLength(264);
  });

  test('passes 2^32', () => {
    const { client, events } = publishing();
    client.send(media('video', 0xffff_fff0, Buffer.of(1)), media('video', 16, Buffer.of(2)));
    expect(events).toEqual([`video ${0xffff_fff0}: 01`, 'video 16: 02']);
  });
});

describe('metadata', () => {
  const values = { encoder: 'OBS', width: 1_280 };
  test.each<[string, RtmpMessage, unknown[]]>([
    ['as librtmp sends it', data('@setDataFrame', 'onMetaData', values), [values]],
    ['as it is in files', data('onMetaData', values), [values]],
    [
      'for AMF 3',
      {
        ...data(),
        type: MESSAGE.dataAmf3,
        payload: Buffer.concat([Buffer.of(0), data('onMetaData', values).payload]),
      },
      [values],
    ],
    ['of another name', data('onTextData', values), []],
    ['without a name', data(5, values), []],
    ['without values', data('onMetaData'), []],
    ['that is a list', data('onMetaData', [1]), []],
    ['that is a date', data('onMetaData', new Date(0)), []],
    ['that is null', data('@setDataFrame', 'onMetaData', null), []],
    ['without anything', data(), []],
  ])('%s', (_, message, expected) => {
    const { client, metadata } = publishing();
    client.send(message);
    expect(metadata).toEqual(expected);
  });
});

test('metadata that is no AMF is left out, also when it came before it was decided', () => {
  const { session: one, client, events, metadata } = deciding();
  const cutOff = { ...data(), payload: Buffer.from('0200ff', 'hex') };
  client.send(cutOff, media('video', 1));
  one.admit();
  client.send(cutOff, media('video', 2));
  expect([one.dropped, metadata, events]).toEqual([2, [], ['video 1: 01', 'video 2: 02']]);
});

describe('it may not publish', () => {
  test('and is told why', () => {
    const { session: one, client, events } = deciding();
    client.send(media('video', 1));
    one.refuse('NetStream.Publish.BadName', 'This stream key is not known here.');
    expect(client.heard.map(({ message }) => [message.streamId, statusOf(message)])).toEqual([
      [
        1,
        {
          level: 'error',
          code: 'NetStream.Publish.BadName',
          description: 'This stream key is not known here.',
        },
      ],
    ]);
    client.send(media('video', 2), publish('other'));
    one.admit();
    expect([one.state, events, client.heard.length]).toEqual(['over', [], 1]);
  });

  test.each([[''], [null], [5], [undefined]])('with %j for a key', (key) => {
    const { session: one, client, events } = session();
    client.start();
    client.connect();
    client.heard.splice(0);
    expect(errorOf(() => client.send(publish(key)))).toBe('command');
    expect([one.state, events, client.texts]).toEqual(['over', [], ['onStatus NetStream.Publish.BadName']]);
  });

  test.each([
    ['while it is decided', deciding],
    ['while it publishes', publishing],
  ])('a second time, %s: the connection ends', (_, make) => {
    const { session: one, client, events } = make();
    expect(errorOf(() => client.send(publish('other', 2)))).toBe('command');
    expect(client.heard.map(({ message }) => message.streamId)).toEqual([2]);
    expect([one.state, client.texts, events]).toEqual(['over', ['onStatus NetStream.Publish.BadName'], []]);
  });
});

describe('it ends', () => {
  test.each(['FCUnpublish', 'deleteStream', 'closeStream'])('with %s', (name) => {
    const { session: one, client, events } = publishing();
    client.send(command(name, 5, ['demo']), media('video', 1), command('deleteStream', 6, [1]));
    expect([one.state, events, client.texts]).toEqual([
      'connected',
      ['unpublished'],
      ['onStatus NetStream.Unpublish.Success'],
    ]);
  });

  test('before it was decided', () => {
    const { session: one, client, events } = deciding();
    client.send(command('FCUnpublish', 5, ['demo']));
    one.admit();
    expect([one.state, events]).toEqual(['connected', ['unpublished']]);
  });

  test('not before it published', () => {
    const { session: one, client, events } = session();
    client.start();
    client.connect();
    client.send(command('deleteStream', 5, [1]));
    expect([one.state, events]).toEqual(['connected', []]);
  });

  test.each<[string, () => ReturnType<typeof session>, string[]]>([
    ['that publishes', publishing, [STREAM_EOF, 'onStatus NetStream.Publish.Failed']],
    ['about which is decided', deciding, ['onStatus NetStream.Publish.BadName']],
    ['that never published', session, []],
  ])('when we end one %s, which is told', (_, make, expected) => {
    const { session: one, client, events } = make();
    one.dismiss('You were removed from the room.');
    expect([one.state, client.texts]).toEqual(['over', expected]);
    one.receive(Buffer.alloc(10));
    one.dismiss('Again.');
    expect([events, client.texts]).toEqual([[], []]);
  });
});
