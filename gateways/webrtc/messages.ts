import { z } from 'zod';
import {
  CONNECTION_QUALITIES,
  LEAVE_REASONS,
  PARTICIPANT_KINDS,
  TRACK_PURPOSES,
} from '../../src/room/vocabulary.ts';

/*
 * What a browser and the gateway say to each other over the WebSocket: JSON, one message a frame. A
 * request carries an id and gets exactly one reply or error with that id; notices come unasked.
 * Validated on both sides; the browser's page imports this file too.
 */

/** Larger messages end the connection. An offer of capabilities is about 10 kB. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** Tracks in one message. */
export const MAX_LIST = 200;

const sid = z.string().min(4).max(64);
const tracks = z.array(sid).max(MAX_LIST);
const name = z.string().max(100);
const direction = z.enum(['send', 'receive']);
/** Structures of mediasoup's own; its validators on either side check what is inside. */
const structure = z.record(z.string(), z.unknown());

const requests = {
  /** First of all. With `resume`, goes on after a lost connection. */
  join: z.strictObject({
    room: z.string().min(1).max(128),
    name: name.optional(),
    token: z.string().max(8192).optional(),
    resume: z.strictObject({ participant: sid, key: z.string().max(64) }).optional(),
  }),
  /** Opens the connection for one direction. */
  open: z.strictObject({ direction, tcpOnly: z.boolean().optional() }),
  connect: z.strictObject({ direction, dtlsParameters: structure }),
  'restart-ice': z.strictObject({ direction }),
  /** What the browser can receive; from here on it gets the room's tracks. */
  receive: z.strictObject({ rtpCapabilities: structure }),
  /** The browser has made its end of these subscriptions: packets may come. */
  ready: z.strictObject({ tracks }),
  /** Turns tracks off and on for oneself. */
  want: z.strictObject({ tracks, wanted: z.boolean() }),
  /** Which quality of simulcast tracks is enough: 0 is the smallest. */
  layers: z.strictObject({
    layers: z.array(z.strictObject({ track: sid, layer: z.int().min(0).max(7) })).max(MAX_LIST),
  }),
  publish: z.strictObject({
    kind: z.enum(['audio', 'video']),
    purpose: z.enum(TRACK_PURPOSES),
    rtpParameters: structure,
    muted: z.boolean().optional(),
    width: z.int().min(1).max(16384).optional(),
    height: z.int().min(1).max(16384).optional(),
  }),
  unpublish: z.strictObject({ track: sid }),
  mute: z.strictObject({ track: sid, muted: z.boolean() }),
  update: z.strictObject({ name }),
  /** Mutes a participant's microphone and shared sound, or puts it out; for administrators. */
  moderate: z.strictObject({ participant: sid, action: z.enum(['mute', 'remove']) }),
  leave: z.strictObject({}),
  /** Whether the other end is still there: what a browser is not told of WebSocket pings. */
  ping: z.strictObject({}),
};
export type RequestType = keyof typeof requests;
export type RequestBody<T extends RequestType> = z.infer<(typeof requests)[T]>;

const request = <T extends RequestType>(type: T) =>
  z.strictObject({ id: z.int().nonnegative(), type: z.literal(type), body: requests[type] });

export const clientMessage = z.discriminatedUnion('type', [
  request('join'),
  request('open'),
  request('connect'),
  request('restart-ice'),
  request('receive'),
  request('ready'),
  request('want'),
  request('layers'),
  request('publish'),
  request('unpublish'),
  request('mute'),
  request('update'),
  request('moderate'),
  request('leave'),
  request('ping'),
]);
export type ClientMessage = z.infer<typeof clientMessage>;

export const trackView = z.strictObject({
  sid,
  participant: sid,
  kind: z.enum(['audio', 'video']),
  purpose: z.enum(TRACK_PURPOSES),
  codec: z.string(),
  muted: z.boolean(),
  layers: z.int(),
});
export type TrackView = z.infer<typeof trackView>;

export const participantView = z.strictObject({
  sid,
  identity: z.string(),
  name: z.string(),
  kind: z.enum(PARTICIPANT_KINDS),
  quality: z.enum(CONNECTION_QUALITIES),
  metadata: z.string(),
  attributes: z.record(z.string(), z.string()),
  tracks: z.array(trackView),
});
export type ParticipantView = z.infer<typeof participantView>;

export const permissionsView = z.strictObject({
  publish: z.array(z.enum(TRACK_PURPOSES)),
  subscribe: z.boolean(),
  updateOwn: z.boolean(),
  /** May moderate. */
  admin: z.boolean(),
});

/** What is needed to receive one track. */
export const subscriptionView = z.strictObject({
  track: sid,
  /** The same for what belongs together, such as somebody's voice and camera. */
  stream: z.string(),
  consumer: z.string(),
  producer: z.string(),
  kind: z.enum(['audio', 'video']),
  rtpParameters: structure,
});
export type SubscriptionView = z.infer<typeof subscriptionView>;

export const roomView = z.strictObject({ sid, name: z.string(), metadata: z.string() });

export const replies = {
  join: z.strictObject({
    room: roomView,
    you: sid,
    resumeKey: z.string(),
    /** The place was kept: what is in `subscriptions` and one's own tracks is all that stands. */
    resumed: z.boolean(),
    /** The ids of one's open connections; media goes on if they are the ones that the page has. */
    transports: z.array(z.string()),
    /** How long the place is kept after the connection is lost, in ms. */
    resumeMs: z.number(),
    permissions: permissionsView,
    participants: z.array(participantView),
    subscriptions: z.array(subscriptionView),
    iceServers: z.array(
      z.strictObject({
        urls: z.array(z.string()),
        username: z.string().optional(),
        credential: z.string().optional(),
      }),
    ),
  }),
  open: z.strictObject({
    routerRtpCapabilities: structure,
    transport: z.strictObject({
      id: z.string(),
      iceParameters: structure,
      iceCandidates: z.array(structure),
      dtlsParameters: structure,
    }),
  }),
  connect: z.strictObject({}),
  'restart-ice': z.strictObject({ iceParameters: structure }),
  receive: z.strictObject({}),
  ready: z.strictObject({}),
  want: z.strictObject({}),
  layers: z.strictObject({}),
  publish: z.strictObject({ track: sid, producer: z.string() }),
  unpublish: z.strictObject({}),
  mute: z.strictObject({}),
  update: z.strictObject({}),
  moderate: z.strictObject({}),
  leave: z.strictObject({}),
  ping: z.strictObject({}),
} satisfies Record<RequestType, z.ZodType>;
export type Reply<T extends RequestType> = z.infer<(typeof replies)[T]>;

const notice = <T extends string, S extends z.ZodType>(type: T, body: S) =>
  z.strictObject({ type: z.literal(type), body });

export const serverNotice = z.discriminatedUnion('type', [
  notice('participant-joined', participantView),
  notice('participant-left', z.strictObject({ participant: sid, reason: z.enum(LEAVE_REASONS) })),
  notice('participant-updated', participantView),
  notice('quality', z.strictObject({ participant: sid, quality: z.enum(CONNECTION_QUALITIES) })),
  notice('track-published', trackView),
  notice('track-updated', trackView),
  notice('track-unpublished', z.strictObject({ track: sid, participant: sid })),
  notice('subscribed', subscriptionView),
  /** This subscription has ended although its track goes on. */
  notice('unsubscribed', z.strictObject({ track: sid })),
  /** This track cannot come here, and why. */
  notice('subscription-refused', z.strictObject({ track: sid, reason: z.string() })),
  notice('speakers', z.array(z.strictObject({ participant: sid, level: z.number() }))),
  /** Somebody pressed a key of his phone. */
  notice('digit', z.strictObject({ participant: sid, digit: z.string().max(1) })),
  notice('room-updated', roomView),
  notice('permissions', permissionsView),
  /** The room's media server process died: set up both directions and publish anew. */
  notice('media-lost', z.strictObject({ reason: z.string() })),
  /** You are out of the room; the connection ends. */
  notice('removed', z.strictObject({ reason: z.enum(LEAVE_REASONS) })),
]);
export type ServerNotice = z.infer<typeof serverNotice>;

export const serverMessage = z.union([
  z.strictObject({ type: z.literal('reply'), id: z.int(), value: z.unknown() }),
  /** Without an id: the message was not understood at all, and the connection ends. */
  z.strictObject({ type: z.literal('error'), id: z.int().optional(), code: z.string(), message: z.string() }),
  serverNotice,
]);
export type ServerMessage = z.infer<typeof serverMessage>;
