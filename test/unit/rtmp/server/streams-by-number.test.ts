import { describe, expect, test } from 'vitest';
import type { RtmpMessage } from '../../../../gateways/rtmp/protocol/messages.ts';
import { command, media } from '../../support/rtmp-client.ts';
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
