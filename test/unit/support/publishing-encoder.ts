import { createLogger } from '../../../src/base/log.ts';
import type { TrackNotice } from '../../../src/ingest/messages.ts';
import { Publisher } from '../../../src/ingest/publisher.ts';
import { FakeEncoderPlane, trackNotice } from './fake-encoder-plane.ts';
import { fakeHost } from './fake-media-plane.ts';
import { listenTo, openRoom, person } from './rooms.ts';

export const RECONNECT_MS = 10_000;

/** An encoder that is connected, as its control half sees it. */
export function encoder() {
  const { room } = openRoom({ maxParticipants: 0 });
  const plane = new FakeEncoderPlane();
  const { host, clock } = fakeHost(room, plane);
  const participant = room.join({ ...person('camera'), kind: 'encoder', gateway: 'rtmp' });
  const one = new Publisher(participant, host, RECONNECT_MS, createLogger('silent'));
  const attach = (id: string) => one.attach({ id, port: plane.portTo({ pid: 1 }) as never });
  const track = (change: Partial<TrackNotice> = {}) =>
    one.onTrack({ session: 'any', ...trackNotice(change) } as TrackNotice);
  /** Attributes that tell of the stream. */
  const attribute = (name: string) => participant.attributes[`ingest.${name}`];
  attach('first');
  const heard = listenTo(room);
  room.on('trackRerouted', ({ purpose }) => heard.push(`rerouted ${purpose}`));
  room.on('trackReplanned', ({ purpose, route }) => heard.push(`replanned ${purpose}: ${route?.reason}`));
  return { encoder: one, room, plane, clock, participant, heard, attach, track, attribute };
}
