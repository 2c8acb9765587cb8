import { z } from 'zod';

/** What the control plane and the engine's process say to each other besides the wire protocol: what that has no verb for. */

const flow = z.strictObject({
  protocol: z.enum(['udp', 'tcp']),
  address: z.string(),
  port: z.int(),
  localAddress: z.string(),
  localPort: z.int(),
});

/** All that is needed to end a call whose engine died (RFC 3261, section 12.1.1). */
export const dialogRecord = z.strictObject({
  callId: z.string(),
  /** Header values with their tags. */
  local: z.string(),
  remote: z.string(),
  routeSet: z.array(z.string()),
  remoteTarget: z.string(),
  /** The last CSeq number that was used for a request of ours; a new engine goes on from there. */
  localSequence: z.int(),
  flow,
});
export type DialogRecord = z.infer<typeof dialogRecord>;

export const engineOptions = z.strictObject({
  bind: z.string(),
  /** UDP and TCP; 0: any that is free for both. */
  port: z.int(),
  /** Host that peers are told to send to; undefined: the address that they reached. */
  announce: z.string().optional(),
  /** Of the wire protocol. */
  secret: z.string(),
  /** Addresses and networks that are listened to; nobody else gets any answer. */
  allow: z.array(z.string()),
  messagesPerSecond: z.number(),
  callsPerSecond: z.number(),
  maxCalls: z.int(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
});
export type EngineOptions = z.infer<typeof engineOptions>;

export const engineRequest = z.discriminatedUnion('type', [
  /** First of all. The reply is `started`. */
  z.strictObject({ type: z.literal('start'), options: engineOptions }),
  z.strictObject({ type: z.literal('ping') }),
  /** The reply is `counters`. */
  z.strictObject({ type: z.literal('counters') }),
  /** Send BYE for calls of an engine that died, with this Reason header (RFC 3326). */
  z.strictObject({ type: z.literal('end-dialogs'), dialogs: z.array(dialogRecord), reason: z.string() }),
  z.strictObject({ type: z.literal('stop') }),
]);
export type EngineRequest = z.infer<typeof engineRequest>;

export const toEngine = z.strictObject({ id: z.int(), request: engineRequest });
export type ToEngine = z.infer<typeof toEngine>;

export const started = z.strictObject({ port: z.int(), wirePort: z.int() });
export const counters = z.record(z.string(), z.number());

export const fromEngine = z.union([
  z.strictObject({ id: z.int(), value: z.unknown() }),
  z.strictObject({ id: z.int(), error: z.string() }),
]);
export type FromEngine = z.infer<typeof fromEngine>;
