/** Samples of one channel in a frame of AAC-LC. */
export const AAC_SAMPLES = 1024;

/**
 * A raw access unit of AAC-LC that is silent in both channels: a channel pair without any spectrum, then the end
 * (ISO/IEC 14496-3, section 4.4.2). It stands where sound is missing, so that players' sound does not stop.
 */
export const SILENT_AAC = Buffer.of(0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c);
