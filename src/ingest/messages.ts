import { z } from 'zod';
import { ingestStatistics } from '../../transcode/ingest/ingest-statistics.ts';

/*
 * What the control plane and a media worker say to each other about what publishers send, whatever protocol it comes by.
 * A gateway that takes publishers in puts these among its own messages. A session is one publisher's connection.
 */

const session = z.string();
const kind = z.enum(['audio', 'video']);

export const ingestRequests = [
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
    type: z.literal('send-frames'),
    session,
    outlet: z.string(),
    port: z.int(),
    token: z.string(),
  }),
  z.strictObject({ type: z.literal('unsend-frames'), session, outlet: z.string() }),
] as const;

const step = z.strictObject({
  action: z.enum(['decode', 'mix', 'encode', 'repacketize']),
  detail: z.string(),
});

export const ingestNotices = [
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
] as const;

export const ingestReply = z.strictObject({ statistics: ingestStatistics.optional() });

export type IngestRequest = z.infer<(typeof ingestRequests)[number]>;
export type IngestReply = z.infer<typeof ingestReply>;
export type IngestNotice = z.infer<(typeof ingestNotices)[number]>;
export type TrackNotice = Extract<IngestNotice, { type: 'track' }>;
