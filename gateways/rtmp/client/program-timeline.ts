import type { ProgramPacket } from '../../../src/media/program.ts';

type Kind = ProgramPacket['kind'];

/**
 * One destination's time, over all its connections: it begins at 0 with the first picture and goes on with the
 * program, whatever was left out, so that sound and picture stay as far apart as they are. Pure.
 */
export class ProgramTimeline {
  /** The program's time of the first picture ever sent. */
  #originMs: number | undefined;
  /** The program's time of the picture that this connection began with. */
  #beganMs = 0;
  /** Of frames that were sent, in the program's time; on any connection, and up to this one's beginning. */
  #sentMs: Record<Kind, number> = { audio: Number.NEGATIVE_INFINITY, video: Number.NEGATIVE_INFINITY };
  #sentBeforeMs = this.#sentMs;
  /** What was written last, in the destination's time. */
  #writtenMs: Record<Kind, number> = { audio: 0, video: 0 };

  /** A connection may begin with a key frame that is newer than what was sent. */
  canBeginWith(packet: ProgramPacket): boolean {
    const isKeyFrame = packet.kind === 'video' && packet.packet === 'frame' && packet.key;
    return isKeyFrame && packet.timestampMs > this.#sentMs.video;
  }

  begin(keyFrame: ProgramPacket): void {
    this.#originMs ??= keyFrame.timestampMs;
    this.#beganMs = keyFrame.timestampMs;
    this.#sentBeforeMs = { ...this.#sentMs };
  }

  /** Whether it belongs to this connection: it is no older than the picture that this began with, and new. */
  takes(packet: ProgramPacket): boolean {
    if (packet.packet === 'config') return true;
    return packet.timestampMs >= this.#beganMs && packet.timestampMs > this.#sentBeforeMs[packet.kind];
  }

  /** For a packet that is sent now. @returns ms, never less than for the one before of its kind */
  stamp({ kind, packet, timestampMs }: ProgramPacket): number {
    if (packet === 'frame') this.#sentMs[kind] = timestampMs;
    // A config may be as old as the program; it is sent with what it is needed for.
    const ownMs = Math.max(timestampMs, this.#beganMs) - (this.#originMs ?? timestampMs);
    this.#writtenMs[kind] = Math.max(ownMs, this.#writtenMs[kind]);
    return this.#writtenMs[kind];
  }
}
