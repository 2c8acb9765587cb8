import { describe, expect, test } from 'vitest';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, media, publish } from '../../support/rtmp-client.ts';
import { deciding, publishing } from '../../support/rtmp-session.ts';

/* Commands name a stream (RTMP 1.0, section 7.2.2): what is said of another one does not concern the one that is published on. */

/** It publishes `demo` on stream 1. */
describe('publishing goes on', () => {
  test.each<[string, RtmpMessage]>([
    ['when another stream is deleted', command('deleteStream', 5, [2])],
    ['when a stream is deleted that there never was', command('deleteStream', 5, [77])],
    ['when another stream is closed', command('closeStream', 0, [], 2)],
    ['when FCUnpublish names something else', command('FCUnpublish', 5, ['other'])],
  ])('%s', (_, message) => {
    const { session: one, client, events } = publishing();
    client.send(command('createStream', 4), message, media('video', 7));
    expect([one.state, events]).toEqual(['publishing', ['video 7: 07']]);
    expect(client.texts).not.toContain('onStatus NetStream.Unpublish.Success');
  });
});

test('deleting another stream while it is decided leaves the decision alone', () => {
  const { session: one, client, events } = deciding();
  client.send(command('createStream', 4), command('deleteStream', 5, [2]));
  one.admit();
  client.send(media('video', 7));
  expect([one.state, events]).toEqual(['publishing', ['video 7: 07']]);
});

describe('whoever ended its stream may publish again on the same connection', () => {
  const endings: [string, RtmpMessage[], stream: number][] = [
    ['deleteStream, createStream', [command('deleteStream', 5, [1]), command('createStream', 6)], 2],
    [
      'FCUnpublish, deleteStream, createStream',
      [command('FCUnpublish', 4, ['demo']), command('deleteStream', 5, [1]), command('createStream', 6)],
      2,
    ],
    ['FCUnpublish', [command('FCUnpublish', 4, ['demo'])], 1],
    ['closeStream', [command('closeStream', 0, [], 1)], 1],
  ];

  test.each(endings)('after %s', (_, messages, stream) => {
    const { session: one, client, events } = publishing();
    client.send(media('video', 1), ...messages);
    expect(events).toEqual(['video 1: 01', 'unpublished']);
    client.heard.splice(0);
    client.send(publish('demo', stream));
    expect([one.state, events.slice(2)]).toEqual(['deciding', ['publish live/demo with FMLE/3.0']]);
    one.admit();
    expect(client.texts).toContain('onStatus NetStream.Publish.Start');
    client.send({ ...media('audio', 9), streamId: stream });
    expect([one.state, events.at(-1)]).toEqual(['publishing', 'audio 9: 09']);
  });

  test.each(endings)('also with another key, after %s', (_, messages, stream) => {
    const { session: one, client, events } = publishing();
    client.send(...messages, publish('other', stream));
    expect([one.state, events.at(-1)]).toEqual(['deciding', 'publish live/other with FMLE/3.0']);
  });

  test('as often as it likes', () => {
    const { session: one, client, events } = publishing();
    for (let stream = 1; stream <= 20; stream++) {
      client.send(command('deleteStream', 5, [stream]), command('createStream', 6));
      const [created] = client.heard.splice(0).filter(({ text }) => text === '_result 6');
      expect(created).toBeDefined();
      client.send(publish('demo', stream + 1));
      one.admit();
    }
    expect(one.state).toBe('publishing');
    expect(events.filter((event) => event === 'unpublished')).toHaveLength(20);
  });

  test('and what it sends between the two goes nowhere', () => {
    const { session: one, client, events } = publishing();
    client.send(command('deleteStream', 5, [1]), media('video', 3), command('createStream', 6));
    expect(events).toEqual(['unpublished']);
    client.send(publish('demo', 2));
    one.admit();
    client.send({ ...media('video', 4), streamId: 2 });
    expect(events.slice(1)).toEqual(['publish live/demo with FMLE/3.0', 'video 4: 04']);
  });
});
