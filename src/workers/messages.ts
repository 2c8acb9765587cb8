import { z } from 'zod';
import { MIXABLE_CODECS } from '../../transcode/plan.ts';

/**
 * What the main process and a media worker say to each other over the child's IPC channel. Both ends
 * validate what they receive. Bodies of gateways are opaque here; the gateway's own schemas check them.
 */

/** Largest number of requests that wait for a reply from one worker; more are refused. */
export const MAX_PENDING_REQUESTS = 10_000;
export const REQUEST_TIMEOUT_MS = 5_000;

export const workerRequest = z.discriminatedUnion('type', [
  /** First of all: which gateways' media halves to load. */
  z.strictObject({
    type: z.literal('initialise'),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    modules: z.array(z.strictObject({ gateway: z.string(), url: z.string() })),
  }),
  /** Open a loopback socket that exchanges RTP with a hub; the reply is its port. */
  z.strictObject({
    type: z.literal('open-link'),
    link: z.string(),
    hubPort: z.int().min(1).max(65535),
  }),
  z.strictObject({ type: z.literal('close-link'), link: z.string() }),
  /** Feed a track of the hub into a room's mix, as its packets come by that link. */
  z.strictObject({
    type: z.literal('mix-track'),
    mix: z.string(),
    track: z.string(),
    link: z.string(),
    ssrc: z.int(),
    codec: z.enum(MIXABLE_CODECS),
    levelExtension: z.int().min(1).max(14).optional(),
  }),
  z.strictObject({ type: z.literal('unmix-track'), mix: z.string(), track: z.string() }),
  /** Begin to make a program: the sound of a mix, and at first no picture. */
  z.strictObject({
    type: z.literal('open-program'),
    program: z.string(),
    mix: z.string(),
    /** The slate says it. */
    title: z.string(),
    encoding: z.strictObject({
      width: z.int(),
      height: z.int(),
      frameRate: z.number(),
      bitrateBps: z.number(),
      keyFrameSeconds: z.number(),
      preset: z.string(),
    }),
    audioBitrateBps: z.number(),
    /** When its time began, by the machine's clock (machine-time.ts), ms. */
    epochAt: z.number(),
  }),
  z.strictObject({ type: z.literal('close-program'), program: z.string() }),
  /** Take a participant's pictures from a hub. */
  z.strictObject({
    type: z.literal('program-hub-source'),
    program: z.string(),
    source: z.string(),
    /** Sids of his tracks of sound. */
    tracks: z.array(z.string()),
    link: z.string(),
    ssrc: z.int(),
    codec: z.enum(['H264', 'VP8']),
  }),
  /** Take them from the worker that he pushes to; the reply says where that is to send them. */
  z.strictObject({
    type: z.literal('program-push-source'),
    program: z.string(),
    source: z.string(),
    tracks: z.array(z.string()),
  }),
  /** Show it; nobody without a source. Answered when that is so, or something else is wanted. */
  z.strictObject({ type: z.literal('program-show'), program: z.string(), source: z.string().optional() }),
  z.strictObject({ type: z.literal('program-remove-source'), program: z.string(), source: z.string() }),
  z.strictObject({ type: z.literal('gateway'), gateway: z.string(), body: z.unknown() }),
  z.strictObject({ type: z.literal('ping') }),
  z.strictObject({ type: z.literal('statistics') }),
  z.strictObject({ type: z.literal('stop') }),
]);
export type WorkerRequest = z.infer<typeof workerRequest>;

export const toWorker = z.strictObject({ id: z.int().nonnegative(), request: workerRequest });
export type ToWorker = z.infer<typeof toWorker>;

const programStatistics = z.strictObject({
  program: z.string(),
  /** How its pictures are made. */
  picture: z.enum(['undecided', 'copied', 'encoded']),
  /** Pictures that went out, and their bytes. */
  frames: z.int(),
  bytes: z.number(),
  encoderDelayMs: z.number(),
  /** Of its children: the encoder of the picture, where there is one, and that of the sound. */
  pids: z.array(z.int()),
  /** Of its children, so far. */
  deaths: z.int(),
  /** Frames of silence that stand for sound that was missing. */
  silences: z.int(),
});
export type ProgramStatistics = z.infer<typeof programStatistics>;

export const workerStatistics = z.strictObject({
  /** CPU time used since it started, user and system, in ms. */
  cpuMs: z.number(),
  /** Resident memory in bytes. */
  memoryBytes: z.number(),
  /** Longest that its event loop was late since the last time it was asked, in ms. */
  loopLagMs: z.number(),
  /** Rooms' mixes, the decoders that run for them, and how the 20 ms beat keeps up. */
  mixing: z.strictObject({
    mixers: z.int(),
    decoders: z.int(),
    ticksSkipped: z.int(),
    /** The latest that a tick came since the last time it was asked, in ms. */
    tickLagMs: z.number(),
  }),
  programs: z.array(programStatistics),
  links: z.array(
    z.strictObject({
      link: z.string(),
      packetsReceived: z.number(),
      packetsSent: z.number(),
      /** Not from the hub, not RTP, or of a stream that nobody there wants. */
      packetsIgnored: z.number(),
      sendErrors: z.number(),
    }),
  ),
});
export type WorkerStatistics = z.infer<typeof workerStatistics>;

export const toMain = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('reply'), id: z.int().nonnegative(), value: z.unknown() }),
  z.strictObject({
    type: z.literal('failure'),
    id: z.int().nonnegative(),
    code: z.string(),
    message: z.string(),
  }),
  z.strictObject({ type: z.literal('notice'), gateway: z.string(), body: z.unknown() }),
]);
export type ToMain = z.infer<typeof toMain>;

export const openLinkReply = z.strictObject({ port: z.int() });
export const pushSourceReply = z.strictObject({ port: z.int(), token: z.string() });
