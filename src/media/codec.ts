export type MediaKind = 'audio' | 'video';

/** What a track is made of, as the planner and people see it. */
export interface Codec {
  /** Its media subtype as in IANA's registry: 'opus', 'PCMU', 'VP8', 'H264'. */
  readonly name: string;
  /** RTP clock rate in Hz. */
  readonly clockRate: number;
  /** Audio channels; absent for video. */
  readonly channels?: number;
  /** Format parameters (SDP's fmtp), such as H.264's profile-level-id. */
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** An RTP header extension in use: its URI and the id (1-14) that stands for it (RFC 8285). */
export interface HeaderExtension {
  readonly uri: string;
  readonly id: number;
}

/** Audio codecs that rooms know, with the static payload types of RFC 3551 where there is one. */
export const AUDIO_CODECS = {
  opus: { name: 'opus', clockRate: 48000, channels: 2, payloadType: 100 },
  PCMU: { name: 'PCMU', clockRate: 8000, channels: 1, payloadType: 0 },
  PCMA: { name: 'PCMA', clockRate: 8000, channels: 1, payloadType: 8 },
  /** Its RTP clock is 8000 although it samples at 16000 (RFC 3551, 4.5.2). */
  G722: { name: 'G722', clockRate: 8000, channels: 1, payloadType: 9 },
} as const;

/** @returns 'audio/opus' and the like */
export function mimeType(kind: MediaKind, codec: Pick<Codec, 'name'>): string {
  return `${kind}/${codec.name}`;
}

/** Reads 'audio/opus' and the like. @returns undefined when it is not of that form */
export function parseMimeType(text: string): { kind: MediaKind; name: string } | undefined {
  const match = /^(audio|video)\/([\w.+-]+)$/i.exec(text);
  return match ? { kind: match[1]!.toLowerCase() as MediaKind, name: match[2]! } : undefined;
}
