import { describe, expect, test } from 'vitest';
import { controlMessage, MESSAGE, type RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, connect, media, publish } from '../../support/rtmp-client.ts';
import { errorOf, publishing, session } from '../../support/rtmp-session.ts';

describe('commands', () => {
  test.each(['play', 'play2'])('%s is refused, and publishing goes on', (name) => {
    const { session: one, client } = publishing();
    client.send(command(name, 5, ['demo'], 1));
    expect([client.texts, one.state]).toEqual([['onStatus NetStream.Play.Failed'], 'publishing']);
  });

  test.each<[string, number, string[]]>([
    ['getStreamLength', 5, ['_error 5']],
    ['onBWDone', 0, []],
    ['_checkbw', 5, ['_result 5']],
    ['_checkbw', 0, []],
    ['releaseStream', 0, []],
    ['_result', 5, []],
    ['_error', 5, []],
    ['__proto__', 5, ['_error 5']],
    ['constructor', 5, ['_error 5']],
  ])('%s, numbered %i: %j', (name, transaction, expected) => {
    const { client } = publishing();
    client.send(command(name, transaction, []));
    expect(client.texts).toEqual(expected);
  });

  test.each<[string, RtmpMessage[]]>([
    ['another than connect comes first', [command('createStream', 1)]],
    ['it connects twice', [connect(), connect()]],
    ['one has no name', [connect(), { ...command('x', 1), payload: Buffer.of(5) }]],
    ['one has no number', [connect(), { ...command('x', 1), payload: Buffer.from('0200017805', 'hex') }]],
  ])('the connection ends when %s', (_, messages) => {
    const { client } = session();
    client.start();
    expect(errorOf(() => client.send(...messages))).toBe('command');
  });
});

describe('the connection itself', () => {
  test('answers pings', () => {
    const { client } = publishing();
    client.send(controlMessage.pingRequest(0x01020304));
    expect(client.texts).toEqual(['4 000701020304']);
  });

  test.each<[string, RtmpMessage]>([
    ['an acknowledgement', controlMessage.acknowledgement(5)],
    ['a bandwidth', controlMessage.setPeerBandwidth(5_000, 'hard')],
    ['a buffer length', controlMessage.setBufferLength(1, 3_000)],
    [
      'a user control message that is cut off',
      { ...controlMessage.pingRequest(1), payload: Buffer.of(0, 6) },
    ],
    ['a shared object', { type: MESSAGE.sharedObjectAmf0, timestamp: 0, streamId: 0, payload: Buffer.of(1) }],
    ['what nobody knows', { type: 99, timestamp: 0, streamId: 0, payload: Buffer.of(1) }],
  ])('does not mind %s', (_, message) => {
    const { session: one, client, events } = publishing();
    client.send(message);
    expect([one.state, client.texts, events]).toEqual(['publishing', [], []]);
  });

  test('acknowledges what came, after each half of the window that the peer wants', () => {
    const { client } = publishing();
    client.send(controlMessage.windowAcknowledgementSize(20_000));
    client.heard.splice(0);
    for (let index = 0; index < 10; index++) client.send(media('video', 0, Buffer.alloc(3_000)));
    const counts = client.heard.map(({ message }) => [message.type, message.payload.readUInt32BE()]);
    // 3000 bytes have 24 chunks of 128 bytes, and headers; together with what came before.
    expect(counts.map(([type]) => type)).toEqual([MESSAGE.acknowledgement, MESSAGE.acknowledgement]);
    expect(counts[0]![1]).toBeGreaterThan(10_000);
    expect(counts[1]![1]! - counts[0]![1]!).toBeGreaterThan(10_000);
    expect(counts[1]![1]! - counts[0]![1]!).toBeLessThan(14_000);
  });

  test('acknowledges what came after half of the usual window, when the peer wants none', () => {
    const { client } = publishing();
    for (let index = 0; index < 24; index++) client.send(media('video', 0, Buffer.alloc(50_000)));
    expect(client.heard).toEqual([]);
    client.send(media('video', 0, Buffer.alloc(50_000)));
    expect(client.heard.map(({ message }) => message.type)).toEqual([MESSAGE.acknowledgement]);
  });

  test('ends for what is no RTMP', () => {
    const { session: one } = session();
    expect(errorOf(() => one.receive(Buffer.from('GET / HTTP/1.1\r\n\r\n')))).toBe('handshake');
  });

  test('ends for a message that is large before it is known who sends it', () => {
    const { session: one, client } = session();
    client.start();
    client.connect();
    client.send(command('createStream', 2), media('video', 0, Buffer.alloc(65_536)), publish('demo'));
    one.admit();
    client.send(media('video', 0, Buffer.alloc(65_537)));
    expect(one.state).toBe('publishing');
    const stranger = session();
    stranger.client.start();
    stranger.client.connect();
    const send = () => stranger.client.send(media('video', 0, Buffer.alloc(65_537)));
    expect(errorOf(send)).toBe('message-too-long');
  });

  test('ends for a message that is too long', () => {
    const { client } = session({ maxMessageBytes: 1_000 });
    client.start();
    client.connect();
    expect(errorOf(() => client.send(media('video', 0, Buffer.alloc(1_001))))).toBe('message-too-long');
  });
});
