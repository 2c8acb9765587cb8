import { z } from 'zod';

/**
 * Connecting: on its way to be live. Behind: live, but the other side takes too little, so that frames are left out.
 * Stalled: connected, but the other side takes nothing. Waiting: for the next attempt. Failed: given up.
 */
export const DELIVERY_STATES = ['connecting', 'live', 'behind', 'stalled', 'waiting', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** How a delivery is doing. Described once: the channel validates it, and the API's views are made of it. */
export const deliveryReport = z.strictObject({
  state: z.enum(DELIVERY_STATES),
  /** Why, in the other side's own words where it said any; empty while it is live. It holds no secrets. */
  reason: z.string(),
  /** Over the last seconds. */
  bitrateBps: z.number(),
  bytesSent: z.number(),
  /** Video frames that were left out because the other side took too little. */
  framesDropped: z.int(),
  /** Attempts after the first, since it began. */
  retries: z.int(),
  /** Since 1970, ms; undefined before the first one. */
  lastRetryAt: z.number().optional(),
  /** How long it has been live without a break, ms; 0 while it is not. */
  uptimeMs: z.number(),
  /** Where the other side sent us on to, as people may see it. */
  redirectedTo: z.string().optional(),
  /** The program's time at which the destination's own begins, µs; undefined before anything was sent. */
  originUs: z.number().optional(),
});
export type DeliveryReport = Readonly<z.infer<typeof deliveryReport>>;

/** The report of a delivery that has only been asked for. */
export const NOTHING_DELIVERED: DeliveryReport = {
  state: 'connecting',
  reason: '',
  bitrateBps: 0,
  bytesSent: 0,
  framesDropped: 0,
  retries: 0,
  uptimeMs: 0,
};
