import { RtmpError } from '../../../gateways/rtmp/protocol/rtmp-error.ts';
import { ServerSession } from '../../../gateways/rtmp/server/server-session.ts';
import { RtmpClient } from './rtmp-client.ts';

/** @param isHeard - whether the client gets the answers, and so answers the handshake */
export function session(limits = {}, isHeard = true) {
  const events: string[] = [];
  const metadata: unknown[] = [];
  const one: ServerSession = new ServerSession(
    {
      send: (buffers) => {
        if (isHeard) client.receive(Buffer.concat(buffers));
      },
      publish: ({ app, key, encoder }) => events.push(`publish ${app}/${key} with ${encoder}`),
      audio: (body, timestamp) => events.push(`audio ${timestamp}: ${body.toString('hex')}`),
      video: (body, timestamp) => events.push(`video ${timestamp}: ${body.toString('hex')}`),
      metadata: (values) => metadata.push(values),
      unpublished: () => events.push('unpublished'),
    },
    { random: (bytes) => Buffer.alloc(bytes, 7), now: () => 1_000, limits },
  );
  const client: RtmpClient = new RtmpClient((bytes) => one.receive(bytes));
  return { session: one, client, events, metadata };
}

/** It wants to publish, and waits. */
export function deciding() {
  const all = session();
  all.client.publish('demo');
  all.client.heard.splice(0);
  all.events.splice(0);
  return all;
}

export function publishing() {
  const all = deciding();
  all.session.admit();
  all.client.heard.splice(0);
  return all;
}

/** @returns the code of the RtmpError that it throws, or 'none' */
export function errorOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof RtmpError) return error.code;
    throw error;
  }
  return 'none';
}
