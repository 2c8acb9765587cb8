/* A program, as it goes out: one picture and one sound, encoded once for all destinations. Plain values that every layer may read. */

/** One piece of a program, in the form that FLV and RTMP have for it. */
export interface ProgramPacket {
  readonly kind: 'audio' | 'video';
  /** Config: how to decode what follows; frame: an access unit, or 1024 samples of AAC. */
  readonly packet: 'config' | 'frame';
  /** A decoder can begin here. Always true for sound. */
  readonly key: boolean;
  /** When it is decoded: whole ms since the program began, never less than that of the packet before of its kind. */
  readonly timestampMs: number;
  /** The body of an FLV tag or RTMP message (FLV 10.1, sections E.4.2 and E.4.3). Shared by all who get it: must not change. */
  readonly body: Buffer;
}

/** For onMetaData. What is not known is absent. */
export interface ProgramDescription {
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second. */
  readonly frameRate?: number;
  readonly videoBitrateBps?: number;
  readonly audioBitrateBps: number;
  readonly audioSampleRate: 48_000;
  readonly audioChannels: 2;
}

/** A program where it is made, for whoever sends it on. */
export interface ProgramFeed {
  readonly description: ProgramDescription;
  /** How to decode what comes now; undefined before it is known. */
  readonly videoConfig: ProgramPacket | undefined;
  readonly audioConfig: ProgramPacket | undefined;
  /** Pictures since the last key frame, which is the first, and the sound that belongs to them; bounded, in order of arrival. No configs. */
  readonly recent: readonly ProgramPacket[];
  /**
   * Every packet from now on. What the listener does takes little time and never throws.
   * @returns ends it
   */
  subscribe(listener: (packet: ProgramPacket) => void): () => void;
}
