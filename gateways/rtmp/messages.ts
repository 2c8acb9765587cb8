import { z } from 'zod';
import { LEG_STATES, type MediaMessages } from '../../src/gateway.ts';

/* What the two halves of the RTMP gateway say to each other. A session is one encoder's connection, a relay a push to a CDN. */

const session = z.string();
const kind = z.enum(['audio', 'video']);

const request = z.discriminatedUnion('type', [
  /** First of all, and whenever the worker is another one. */
  z.strictObject({
    type: z.literal('configure'),
    silenceMs: z.number(),
    maxWaitMs: z.number(),
    video: z.strictObject({
      maxKeyFrameGapMs: z.number(),
      maxHeight: z.int(),
      bitrateBps: z.number(),
      preset: z.string(),
    }),
    audioBitrateBps: z.number(),
    /** Which addresses of networks may be pushed to. */
    relays: z.strictObject({ everywhere: z.boolean(), allow: z.array(z.string()) }),
    tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  }),
  /** A connection that was accepted; it comes with this request. */
  z.strictObject({ type: z.literal('accept'), session, secure: z.boolean() }),
  z.strictObject({ type: z.literal('admit'), session }),
  z.strictObject({ type: z.literal('refuse'), session, description: z.string() }),
  /** Ends it, after telling its encoder why. */
  z.strictObject({ type: z.literal('dismiss'), session, description: z.string() }),
  /** Somebody on the hub wants it. */
  z.strictObject({
    type: z.literal('send'),
    session,
    kind,
    link: z.string(),
    ssrc: z.int(),
    payloadType: z.int(),
  }),
  z.strictObject({ type: z.literal('unsend'), session, kind, ssrc: z.int() }),
  z.strictObject({ type: z.literal('mute'), session, kind, muted: z.boolean() }),
  z.strictObject({ type: z.literal('statistics'), session }),
  /** Its pictures are wanted for a program, as they come. */
  z.strictObject({
    type: z.literal('send-pictures'),
    session,
    outlet: z.string(),
    port: z.int(),
    token: z.string(),
  }),
  z.strictObject({ type: z.literal('unsend-pictures'), session, outlet: z.string() }),
  /** Push a program to a CDN. */
  z.strictObject({
    type: z.literal('relay'),
    relay: z.string(),
    program: z.string(),
    /** With its key. */
    address: z.string(),
  }),
  z.strictObject({ type: z.literal('end-relay'), relay: z.string() }),
]);
export type Request = z.infer<typeof request>;

const kindStatistics = z.strictObject({
  /** As it comes: 'H.264 High', 'AAC-LC 48 kHz stereo'. */
  format: z.string(),
  bitrateBps: z.number(),
  packetsSent: z.int(),
  /** Pictures, or pieces of sound, that were not passed on. */
  dropped: z.int(),
  width: z.int().optional(),
  height: z.int().optional(),
  frameRate: z.number().optional(),
  keyFrameIntervalMs: z.number().optional(),
  bFrames: z.boolean().optional(),
  /** Of the child process that decodes or encodes, while there is one. */
  job: z
    .strictObject({
      pid: z.int(),
      /** Of the picture or sound from coming in to going out, ms. */
      latencyMs: z.number().optional(),
      deaths: z.int(),
    })
    .optional(),
  /** By how much sound waits for the pictures, ms. */
  delayMs: z.number().optional(),
});
export type KindStatistics = z.infer<typeof kindStatistics>;

const statistics = z.strictObject({
  audio: kindStatistics.optional(),
  video: kindStatistics.optional(),
  /** Timestamps that were put right. */
  repairs: z.strictObject({ jumps: z.int(), steps: z.int() }),
});
export type SessionStatistics = z.infer<typeof statistics>;

const reply = z.strictObject({ statistics: statistics.optional() });
export type Reply = z.infer<typeof reply>;

const step = z.strictObject({
  action: z.enum(['decode', 'mix', 'encode', 'repacketize']),
  detail: z.string(),
});

const notice = z.discriminatedUnion('type', [
  /** How a push to a CDN is doing. */
  z.strictObject({
    type: z.literal('relay'),
    relay: z.string(),
    report: z.strictObject({
      state: z.enum(LEG_STATES),
      reason: z.string(),
      bitrateBps: z.number(),
      bytesSent: z.number(),
      framesDropped: z.int(),
      retries: z.int(),
      lastRetryAt: z.number().optional(),
      uptimeMs: z.number(),
    }),
  }),
  /** It was given up. */
  z.strictObject({ type: z.literal('relay-failed'), relay: z.string(), reason: z.string() }),
  /** Somebody wants to publish; to be answered by `admit` or `refuse`. */
  z.strictObject({
    type: z.literal('publish'),
    session,
    app: z.string(),
    key: z.string(),
  }),
  /** What the encoder calls itself. */
  z.strictObject({ type: z.literal('encoder'), session, name: z.string() }),
  /** It sends that, and this is how it gets to browsers; again when that changes. */
  z.strictObject({
    type: z.literal('track'),
    session,
    kind,
    /** Its codec's name in RTP: 'H264', 'H265', 'AAC'. */
    codec: z.string(),
    width: z.int().optional(),
    height: z.int().optional(),
    outcome: z.enum(['pass-through', 'transcode', 'refused']),
    reason: z.string(),
    steps: z.array(step),
  }),
  z.strictObject({
    type: z.literal('over'),
    session,
    how: z.enum(['unpublished', 'closed', 'silent', 'refused', 'error']),
    text: z.string(),
    /** Messages that came and were not passed on. */
    dropped: z.int(),
    /** What its peer did wrong, by the name of its counter. */
    error: z.string().optional(),
  }),
]);
export type Notice = z.infer<typeof notice>;
export type TrackNotice = Extract<Notice, { type: 'track' }>;

export const messages: MediaMessages<Request, Reply, Notice> = { request, reply, notice };
