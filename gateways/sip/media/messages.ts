import { z } from 'zod';
import type { MediaMessages } from '../../../src/gateway.ts';
import { CONNECTION_QUALITIES } from '../../../src/room/vocabulary.ts';
import { MIXABLE_CODECS } from '../../../transcode/plan.ts';

/** What the SIP gateway's two halves say to each other. */

const port = z.int().min(1).max(65535);
const payloadType = z.int().min(0).max(127);
const ssrc = z.int().min(0).max(0xffffffff);

/** Where a phone's media goes and what it is, as negotiated. */
const remote = z.strictObject({
  /** Not an IP address: unknown until its first packet shows it. */
  address: z.string(),
  /** Where its signalling comes from. */
  signalled: z.string().optional(),
  port,
  /** The same as `port`: RTP and RTCP share it (RFC 5761). */
  rtcpPort: port,
  codec: z.enum(MIXABLE_CODECS),
  /** Of what is sent to it. */
  payloadType,
  /** Of what it sends. */
  receivePayloadType: payloadType,
  /** Of its telephone events. */
  digitsPayloadType: payloadType.optional(),
  /** Rate of the mix it gets, Hz. */
  rate: z.union([z.literal(8000), z.literal(16000), z.literal(48000)]),
  /** Of what is sent to it, at the most. */
  maxBitrateBps: z.number().optional(),
  /** How much audio each packet that is sent to it has; 20 unless it takes less. */
  packetMs: z.union([z.literal(10), z.literal(20)]).optional(),
  /** Whether it is to send, and is heard. */
  sends: z.boolean(),
  /** Whether it wants to hear. */
  receives: z.boolean(),
});
export type RemoteEnd = z.infer<typeof remote>;

const call = z.string();
const request = z.discriminatedUnion('type', [
  /** Open a call's sockets. Fails with 'limit-reached' when another program has the ports. */
  z.strictObject({
    type: z.literal('open'),
    call,
    mix: z.string(),
    bind: z.string(),
    rtpPort: port,
    rtcpPort: port,
  }),
  /** Media flows as negotiated; again after each re-INVITE. */
  z.strictObject({ type: z.literal('start'), call, remote, timeoutMs: z.number() }),
  z.strictObject({ type: z.literal('mute'), call, muted: z.boolean() }),
  /** The phone is there, as its signalling says. */
  z.strictObject({ type: z.literal('keep'), call }),
  /** Whether it gets any sound: its permissions changed. */
  z.strictObject({ type: z.literal('hear'), call, receives: z.boolean() }),
  /** Send its packets to the hub as they are. */
  z.strictObject({ type: z.literal('pass'), call, link: z.string(), ssrc, payloadType }),
  z.strictObject({ type: z.literal('unpass'), call }),
  /** Send one mix of the room's phones to the hub, in Opus. */
  z.strictObject({ type: z.literal('send-mix'), mix: z.string(), link: z.string(), ssrc, payloadType }),
  z.strictObject({ type: z.literal('unsend-mix'), mix: z.string() }),
  z.strictObject({ type: z.literal('statistics'), call }),
  z.strictObject({ type: z.literal('close'), call }),
]);

export const callStatistics = z.strictObject({
  packets: z.int(),
  packetsLost: z.int(),
  bitrateBps: z.number(),
  /** Interarrival jitter (RFC 3550, 6.4.1). */
  jitterMs: z.number(),
  /** From somebody else than the phone; dropped. */
  packetsForeign: z.int(),
  /** Not of what was negotiated; dropped. */
  packetsUnknown: z.int(),
  packetsSent: z.int(),
  /** As the phone's receiver reports tell, where it sends any. */
  lostAtPhone: z.int().optional(),
  roundTripMs: z.number().optional(),
  jitterBuffer: z.strictObject({
    depth: z.int(),
    late: z.int(),
    lost: z.int(),
    discarded: z.int(),
    stretched: z.int(),
  }),
});
export type CallStatistics = z.infer<typeof callStatistics>;

const notice = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('digit'), call, digit: z.string() }),
  /** How well its packets arrive has changed. */
  z.strictObject({ type: z.literal('quality'), call, quality: z.enum(CONNECTION_QUALITIES) }),
  /** It should send and did not, for as long as it may. */
  z.strictObject({ type: z.literal('silent'), call }),
  /** Who speaks in a mix that goes to the hub. */
  z.strictObject({
    type: z.literal('speakers'),
    mix: z.string(),
    levels: z.array(z.strictObject({ call, levelDb: z.number() })),
  }),
]);

export type Request = z.infer<typeof request>;
export type Reply = z.infer<typeof reply>;
export type Notice = z.infer<typeof notice>;
const reply = z.strictObject({ statistics: callStatistics.optional() });

export const messages: MediaMessages<Request, Reply, Notice> = { request, reply, notice };
