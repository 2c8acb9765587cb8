import { z } from 'zod';
import { AddressList } from '../../src/base/address-list.ts';

const address = z.string().superRefine((entry, context) => {
  try {
    new AddressList([entry]);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

/** Of SIP (RFC 3261, section 19.1.2). */
export const DEFAULT_PORT = 5060;

export const sipOptions = z.strictObject({
  /** UDP and TCP; 0: any that is free for both. */
  port: z.int().min(0).max(65535).default(DEFAULT_PORT),
  /** `embedded`, or a drachtio-server. */
  engine: z
    .union([
      z.literal('embedded'),
      z.string().regex(/^drachtio:\/\/[A-Za-z0-9.-]+:\d{1,5}$/, 'must be embedded or drachtio://host:port'),
    ])
    .default('embedded'),
  /** Of the drachtio-server. */
  engineSecret: z.string().min(1).optional(),
  /** Who may call: addresses, networks, `loopback`. In demo mode this machine may. */
  allow: z.array(address).max(1000).default([]),
  /** The best first: what phones are offered that leave the offer to us. */
  codecs: z
    .array(z.enum(['opus', 'PCMU', 'PCMA']))
    .min(1)
    .default(['opus', 'PCMU', 'PCMA']),
  maxCalls: z.int().min(1).max(10_000).default(500),
  /** By address. */
  callsPerSecond: z.number().min(0.1).default(50),
  /** By address. */
  messagesPerSecond: z.number().min(1).default(1000),
  /** A phone that should send and does not for so long is taken to be gone. */
  mediaTimeoutSeconds: z.number().min(1).max(3600).default(30),
  /** Phones of one room whose packets reach browsers as they are; with more, browsers get a mix of them. */
  maxPassThrough: z.int().min(0).max(100).default(8),
});
export type SipOptions = z.infer<typeof sipOptions>;
