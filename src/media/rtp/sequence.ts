/** RTP sequence numbers and timestamps wrap (RFC 3550, section 5.1 and appendix A.1). */

/** How far `later` is after `earlier`, negative if before: -32768 to 32767. */
export function sequenceDistance(later: number, earlier: number): number {
  return ((later - earlier) << 16) >> 16;
}

/** The same for 32-bit timestamps. */
export function timestampDistance(later: number, earlier: number): number {
  return (later - earlier) | 0;
}
