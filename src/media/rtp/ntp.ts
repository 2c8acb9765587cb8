/**
 * Wall-clock times as RTCP carries them (RFC 3550, section 4): seconds since 1900 and a fraction in 1/2^32 s, 32 bits each.
 * Milliseconds are since 1970.
 */

/** From 1900 to 1970. */
const UNIX_EPOCH_S = 2_208_988_800;
const UNITS_A_SECOND = 2 ** 32;
/** The middle 32 bits of an NTP time count in these. */
const MIDDLE_UNITS_A_SECOND = 2 ** 16;
/** How much a round trip may come out negative: what two clocks' rounding makes of none at all, 1 ms. */
const ROUNDING_UNITS = 66;

/** The whole seconds of a time; they start over in 2036. */
export function ntpSeconds(wallClockMs: number): number {
  return (Math.floor(wallClockMs / 1000) + UNIX_EPOCH_S) % UNITS_A_SECOND;
}

/** The rest of a time, in 1/2^32 s. */
export function ntpFraction(wallClockMs: number): number {
  const seconds = wallClockMs / 1000;
  return Math.floor((seconds - Math.floor(seconds)) * UNITS_A_SECOND);
}

/**
 * Times before 1968 are taken for those after the seconds start over (RFC 4330, section 3).
 * @returns milliseconds since 1970
 */
export function wallClockOf(seconds: number, fraction: number): number {
  const sinceFirstEra = seconds >= 2 ** 31 ? seconds : seconds + UNITS_A_SECOND;
  return (sinceFirstEra - UNIX_EPOCH_S + fraction / UNITS_A_SECOND) * 1000;
}

/** The middle 32 of a time's 64 bits, in 1/65536 s: the last sender report's in a report block (section 6.4.1). */
export function ntpMiddle(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/** A duration in 1/65536 s, as the delay since the last sender report is written. */
export function ntpDelay(ms: number): number {
  return Math.min(Math.max(Math.round((ms / 1000) * MIDDLE_UNITS_A_SECOND), 0), 0xffffffff);
}

/**
 * How long a packet takes there and back (section 6.4.1).
 * @param arrival - of the report block, by the clock that wrote our sender reports; this and the next in 1/65536 s
 * @param lastSenderReport - the middle bits of our report that it answers; 0 when it answers none
 * @param delay - how long the other side had it
 * @returns milliseconds, or undefined when it answers none or its times make no sense
 */
export function roundTripMs(arrival: number, lastSenderReport: number, delay: number): number | undefined {
  if (lastSenderReport === 0) return undefined;
  const units = (arrival - lastSenderReport - delay) | 0;
  return units < -ROUNDING_UNITS ? undefined : (Math.max(units, 0) / MIDDLE_UNITS_A_SECOND) * 1000;
}
