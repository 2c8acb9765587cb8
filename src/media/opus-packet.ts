/* What an Opus packet tells without being decoded (RFC 6716). Pure. */

/** Packets up to this size carry nothing but "still silent" (RFC 7587, section 3.1.3). */
export const OPUS_DTX_BYTES = 2;
/** Of CELT alone, which has no voice flag: a packet of silence has hardly more than its header. */
const CELT_SILENCE_BYTES = 12;

/**
 * Whether somebody speaks in it. In SILK and hybrid modes the first bits of a frame are its voice
 * activity flags (RFC 6716, section 4.2.3), which a range coder at its start leaves readable; for CELT
 * the size has to tell.
 */
export function opusHasVoice(payload: Uint8Array): boolean {
  if (payload.length <= OPUS_DTX_BYTES) return false;
  const toc = payload[0]!;
  const config = toc >> 3;
  if (config >= 16) return payload.length > CELT_SILENCE_BYTES;
  // Frames of 40 and 60 ms have two and three flags (config 2 and 3 of each four).
  const flags = config < 12 && config % 4 >= 2 ? config % 4 : 1;
  const first = firstFrame(payload);
  if (first === undefined) return false;
  return (payload[first]! & (0xff << (8 - flags))) !== 0;
}

/** @returns where the first frame begins (section 3.2) */
function firstFrame(payload: Uint8Array): number | undefined {
  let at = 1;
  const code = payload[0]! & 3;
  if (code === 2) at += payload[1]! >= 252 ? 2 : 1;
  if (code === 3) {
    const count = payload[1]!;
    at = 2;
    if (count & 0x40) {
      while (payload[at] === 255) at++;
      at++;
    }
    const frames = count & 0x3f;
    if (count & 0x80) for (let frame = 1; frame < frames; frame++) at += payload[at]! >= 252 ? 2 : 1;
  }
  return at < payload.length ? at : undefined;
}

/** By the configuration's place among its four (table 2): what one frame lasts, in samples at 48 kHz. */
const SILK_SAMPLES = [480, 960, 1920, 2880] as const;
const HYBRID_SAMPLES = [480, 960] as const;
const CELT_SAMPLES = [120, 240, 480, 960] as const;

/** @returns how long a packet is, in samples at 48 kHz; 0 for an empty one */
export function opusSamples(payload: Uint8Array): number {
  const toc = payload[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  const frame =
    config < 12
      ? SILK_SAMPLES[config & 3]!
      : config < 16
        ? HYBRID_SAMPLES[config & 1]!
        : CELT_SAMPLES[config & 3]!;
  const code = toc & 3;
  return frame * (code === 0 ? 1 : code === 3 ? (payload[1] ?? 0) & 0x3f : 2);
}
