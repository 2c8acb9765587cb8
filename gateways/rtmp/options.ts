import { z } from 'zod';

/** Of RTMP, as registered with IANA. */
export const DEFAULT_PORT = 1935;

const streamKey = z.strictObject({
  /** What its owner types into the encoder: a secret. */
  key: z.string().min(16, 'a stream key must have 16 characters or more').max(256),
  room: z.string().min(1).max(128),
  /** Of the participant. */
  name: z.string().min(1).max(100),
});

export const rtmpOptions = z.strictObject({
  /** RTMP over TCP; 0: any that is free. */
  port: z.int().min(0).max(65535).default(DEFAULT_PORT),
  /** RTMPS, with the certificate of `http.tls`; absent: none. 0: any that is free. */
  tlsPort: z.int().min(0).max(65535).optional(),
  /** Who may publish. In demo mode the name of a room is a key as well. */
  keys: z
    .array(streamKey)
    .max(1000)
    .refine((keys) => new Set(keys.map(({ key }) => key)).size === keys.length, 'the same key stands twice')
    .default([]),
  maxConnections: z.int().min(1).max(10_000).default(200),
  maxConnectionsPerAddress: z.int().min(1).max(10_000).default(20),
  /** How long an encoder that lost its connection keeps its place. */
  reconnectSeconds: z.number().min(0).max(300).default(10),
  /** A connection on which no whole message comes for so long is ended. */
  silenceSeconds: z.number().min(1).max(300).default(10),
  /** Longer than this nothing waits here: what would is dropped, up to the next key frame. */
  maxWaitMs: z.int().min(100).max(5000).default(500),
  /** What a CDN reads is never later than this; beyond it, frames are left out up to the next key frame. */
  maxLatenessMs: z.int().min(1000).max(30_000).default(4000),
  /** Pictures with key frames further apart are re-encoded: who joins would wait too long. */
  maxKeyFrameSeconds: z.number().min(0.5).max(30).default(3),
  /** What is re-encoded is made no higher than that, in lines. */
  encodeMaxHeight: z.int().min(90).max(2160).default(720),
  /** Of what is re-encoded, at most. */
  encodeKbps: z.int().min(100).max(20_000).default(2500),
  /** x264's; slower ones look better. */
  encodePreset: z
    .enum(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'])
    .default('superfast'),
  /** Of the Opus that browsers get. */
  audioKbps: z.int().min(16).max(256).default(96),
});
export type RtmpOptions = z.infer<typeof rtmpOptions>;
