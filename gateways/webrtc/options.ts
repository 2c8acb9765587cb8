import { z } from 'zod';

const urls = z
  .array(z.string().regex(/^(stun|stuns|turn|turns):/, 'must start with stun:, stuns:, turn: or turns:'))
  .min(1);

export const webrtcOptions = z.strictObject({
  /** UDP and TCP port of the first hub worker; each further worker takes the next. 0: any free ones. */
  port: z.int().min(0).max(65535).default(44400),
  iceServers: z
    .array(
      z.strictObject({
        urls,
        username: z.string().optional(),
        credential: z.string().optional(),
        /** Shared secret of a TURN server (coturn's static-auth-secret): each browser gets a credential of its own. */
        secret: z.string().min(1).optional(),
      }),
    )
    .max(10)
    .default([]),
  /** How long a browser's place is kept when its WebSocket is lost. */
  resumeSeconds: z.number().min(1).max(300).default(20),
  maxConnections: z.int().min(1).default(2000),
  maxConnectionsPerAddress: z.int().min(1).default(200),
});
export type WebRtcOptions = z.infer<typeof webrtcOptions>;
