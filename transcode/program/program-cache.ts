import type { ProgramPacket } from '../../src/media/program.ts';

/** Of 4 s of pictures at 60 a second and their sound, with room; and at 40 Mbit/s. */
const MAX_PACKETS = 1_200;
const MAX_BYTES = 24 * 1024 * 1024;

/** What somebody who comes now begins with: pictures since the last key frame, and the sound of that time. */
export class ProgramCache {
  #packets: ProgramPacket[] = [];
  #bytes = 0;

  /** In the order they came; the first picture is a key frame. */
  get packets(): readonly ProgramPacket[] {
    return this.#packets;
  }

  /** @param packet - no config */
  add(packet: ProgramPacket): void {
    if (packet.kind === 'video' && packet.key) this.#beginWith(packet);
    else if (this.#packets.length > 0) this.#packets.push(packet);
    else return;
    this.#bytes += packet.body.length;
    if (this.#packets.length > MAX_PACKETS || this.#bytes > MAX_BYTES) this.clear();
  }

  /** Pictures of another form begin: those before cannot be decoded with what is said of them. */
  clear(): void {
    this.#packets = [];
    this.#bytes = 0;
  }

  /** Sound may have come before the picture that it belongs to. */
  #beginWith(keyFrame: ProgramPacket): void {
    const sound = this.#packets.filter(
      ({ kind, timestampMs }) => kind === 'audio' && timestampMs >= keyFrame.timestampMs,
    );
    this.#packets = [keyFrame, ...sound];
    this.#bytes = sound.reduce((bytes, { body }) => bytes + body.length, 0);
  }
}
