import { isIP } from 'node:net';
import { z } from 'zod';
import { rtmpOptions } from '../gateways/rtmp/options.ts';
import { sipOptions } from '../gateways/sip/options.ts';
import { webrtcOptions } from '../gateways/webrtc/options.ts';
import { LOG_LEVELS } from '../src/base/log.ts';

/** An address, or an address with a prefix length. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/* Every key of the config file. config/patchroom.example.yaml explains each; a test keeps the two the same. */

const port = z.int().min(0).max(65535);
const seconds = z.number().min(0).max(86_400);
const ipAddress = z.string().refine((text) => isIP(text) > 0, 'must be an IP address');
const host = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/,
    'must be an IP address or a host name, without a port',
  );
const origin = z
  .url()
  .refine(
    (text) => URL.parse(text)?.origin === text,
    'must be an origin such as https://meet.example.org, without a path',
  );
const portRange = z
  .strictObject({ min: z.int().min(1024).max(65535), max: z.int().min(1024).max(65535) })
  .refine(({ min, max }) => max >= min, 'max must not be less than min');
const cidr = z
  .string()
  .refine(
    (text) => ['loopback', 'linklocal', 'uniquelocal'].includes(text) || isNetwork(text),
    'must be an address or network such as 10.0.0.1, 10.0.0.0/8 or loopback',
  );

export const configSchema = z.strictObject({
  network: z
    .strictObject({
      bind: ipAddress.default('0.0.0.0'),
      announce: host.optional(),
      rtpPorts: portRange.default({ min: 40000, max: 43999 }),
      loopbackPorts: portRange.default({ min: 45000, max: 48999 }),
    })
    .prefault({}),
  http: z
    .strictObject({
      port: port.default(8080),
      tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
      trustProxy: z.array(cidr).default([]),
      allowedOrigins: z.array(origin).default([]),
      metricsToken: z
        .string()
        .regex(/^[\x21-\x7e]{16,256}$/, 'must have 16 to 256 characters, without spaces')
        .optional(),
    })
    .prefault({}),
  webrtc: webrtcOptions.prefault({}),
  sip: sipOptions.prefault({}),
  rtmp: rtmpOptions.prefault({}),
  outputs: z
    .strictObject({
      allow: z.array(cidr).max(100).default([]),
      max: z.int().min(1).max(1000).default(20),
      maxDestinations: z.int().min(1).max(100).default(10),
      width: z.int().min(160).max(3840).multipleOf(2, 'must be even').default(1280),
      height: z.int().min(90).max(2160).multipleOf(2, 'must be even').default(720),
      frameRate: z.int().min(5).max(60).default(30),
      videoKbps: z.int().min(100).max(20_000).default(2500),
      audioKbps: z.int().min(32).max(320).default(128),
      keyFrameSeconds: z.number().min(1).max(4).default(2),
      preset: z.enum(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium']).default('superfast'),
    })
    .prefault({}),
  workers: z
    .strictObject({ hubs: z.int().min(0).max(256).default(0), media: z.int().min(0).max(256).default(0) })
    .prefault({}),
  rooms: z
    .strictObject({
      emptySeconds: seconds.default(300),
      departureSeconds: seconds.default(20),
      maxRooms: z.int().min(1).default(1000),
      maxParticipants: z.int().min(0).default(200),
      maxTracksPerParticipant: z.int().min(1).max(64).default(8),
      remoteUnmute: z.boolean().default(false),
    })
    .prefault({}),
  api: z.strictObject({
    keys: z
      .record(z.string().min(1), z.string().min(32, 'a secret must have 32 characters or more'))
      .refine((keys) => Object.keys(keys).length > 0, 'at least one key is needed'),
  }),
  log: z.strictObject({ level: z.enum(LOG_LEVELS).default('info') }).prefault({}),
});

export type Config = z.infer<typeof configSchema> & {
  /** No config file: loopback only, no tokens needed, a well-known API key. */
  readonly demo: boolean;
};
export type ConfigInput = z.input<typeof configSchema>;

/** What holds without a config file. */
export const DEMO = {
  network: { bind: '127.0.0.1' },
  log: { level: 'warn' },
} as const satisfies Partial<ConfigInput>;
/** Known to everybody, which is why demo mode is for this machine only. */
export const DEMO_KEYS = { devkey: 'secret' } as const;
