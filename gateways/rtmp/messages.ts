import { z } from 'zod';
import type { MediaMessages } from '../../src/gateway.ts';
import { ingestNotices, ingestReply, ingestRequests } from '../../src/ingest/messages.ts';
import { deliveryReport } from '../../transcode/delivery/delivery-report.ts';

/* What the two halves of the RTMP gateway say to each other. A session is one encoder's connection, a relay a push to a CDN. */

const session = z.string();

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
    relays: z.strictObject({
      everywhere: z.boolean(),
      allow: z.array(z.string()),
      maxLatenessMs: z.number(),
    }),
    tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  }),
  /** A connection that was accepted; it comes with this request. */
  z.strictObject({ type: z.literal('accept'), session, secure: z.boolean() }),
  z.strictObject({ type: z.literal('admit'), session }),
  z.strictObject({ type: z.literal('refuse'), session, description: z.string() }),
  /** Ends it, after telling its encoder why. */
  z.strictObject({ type: z.literal('dismiss'), session, description: z.string() }),
  /** Somebody else comes with its key: it gives that up if it has sent neither audio nor video for so long. */
  z.strictObject({ type: z.literal('yield'), session, silentMs: z.number() }),
  ...ingestRequests,
  /** Push a program to a CDN. */
  z.strictObject({
    type: z.literal('relay'),
    relay: z.string(),
    program: z.string(),
    /** With its key. */
    address: z.string(),
    /** Where the destination's time began, of a delivery that goes on. */
    originUs: z.number().optional(),
  }),
  z.strictObject({ type: z.literal('end-relay'), relay: z.string() }),
]);
export type Request = z.infer<typeof request>;

const reply = z.strictObject({ ...ingestReply.shape, yields: z.boolean().optional() });
export type Reply = z.infer<typeof reply>;

const notice = z.discriminatedUnion('type', [
  /** How a push to a CDN is doing. */
  z.strictObject({
    type: z.literal('relay'),
    relay: z.string(),
    report: deliveryReport,
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
  /** What it published has ended; it may publish something else. */
  z.strictObject({ type: z.literal('unpublished'), session }),
  ...ingestNotices,
  z.strictObject({
    type: z.literal('over'),
    session,
    how: z.enum(['closed', 'silent', 'refused', 'error']),
    text: z.string(),
    /** Messages that came and were not passed on. */
    dropped: z.int(),
    /** What its peer did wrong, by the name of its counter. */
    error: z.string().optional(),
  }),
]);
export type Notice = z.infer<typeof notice>;

export const messages: MediaMessages<Request, Reply, Notice> = { request, reply, notice };
