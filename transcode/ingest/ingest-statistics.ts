import { z } from 'zod';

/* What is known of one publisher's streams; described once: the channel validates it, and the API's views are made of it. */

export const kindStatistics = z.strictObject({
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

export const ingestStatistics = z.strictObject({
  audio: kindStatistics.optional(),
  video: kindStatistics.optional(),
  /** Timestamps that were put right. */
  repairs: z.strictObject({ jumps: z.int(), steps: z.int() }),
});
export type IngestStatistics = z.infer<typeof ingestStatistics>;
