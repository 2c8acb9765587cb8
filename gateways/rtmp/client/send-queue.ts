import type { ProgramPacket } from '../../../src/media/program.ts';

export interface SendQueueLimits {
  /** Of all bodies together. */
  readonly maxBytes: number;
  /** How long anything waits. */
  readonly maxAgeMs: number;
}

type Kind = ProgramPacket['kind'];

/** Packets that are held although they were given out, while others wait. */
const MAX_GIVEN_OUT = 256;

/**
 * What waits for one destination, in the order it came. With more than its bounds it leaves out pictures from the
 * oldest up to the next key frame, and the oldest sound, so that what goes out is never much late. A picture is never
 * given out when one that it may refer to was left out. Configs stay in front of what needs them; of those that
 * nothing follows only the last is kept, so that they are bounded too.
 */
export class SendQueue {
  /** Pictures left out. */
  framesDropped = 0;
  /** Pieces of sound left out. */
  soundsDropped = 0;
  #limits: SendQueueLimits;
  #packets: ProgramPacket[] = [];
  /** When each came, ms; beside them, so that nothing is allocated for a packet that goes right through. */
  #cameAt: number[] = [];
  /** Those before it were given out. */
  #head = 0;
  #bytes = 0;
  #awaitsKey = true;
  #blockedSince: number | undefined;

  constructor(limits: SendQueueLimits) {
    this.#limits = limits;
  }

  /** Packets. */
  get length(): number {
    return this.#packets.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How long something has waited here without anything being taken, ms; 0 while nothing waits. */
  blockedMs(now: number): number {
    return this.#blockedSince === undefined ? 0 : now - this.#blockedSince;
  }

  /** @param now - ms, never less than before */
  push(packet: ProgramPacket, now: number): void {
    if (packet.kind === 'video' && packet.packet === 'frame') {
      if (packet.key) this.#awaitsKey = false;
      else if (this.#awaitsKey) {
        this.framesDropped++;
        return;
      }
    }
    this.#packets.push(packet);
    this.#cameAt.push(now);
    this.#bytes += packet.body.length;
    this.#blockedSince ??= now;
    if (packet.packet === 'config') this.#keep(() => true);
    const isLate = now - this.#cameAt[this.#head]! > this.#limits.maxAgeMs;
    if (isLate || this.#bytes > this.#limits.maxBytes) this.#shed(now);
  }

  /** @returns the oldest, or undefined when nothing waits */
  shift(now: number): ProgramPacket | undefined {
    if (this.length === 0) {
      this.#blockedSince = undefined;
      return undefined;
    }
    const packet = this.#packets[this.#head++]!;
    this.#bytes -= packet.body.length;
    this.#blockedSince = now;
    if (this.length === 0) this.#empty();
    else if (this.#head >= MAX_GIVEN_OUT) this.#keep(() => true);
    return packet;
  }

  /** Forgets all without counting it. As at first, pictures have to begin with a key frame. */
  clear(): void {
    this.#empty();
    this.#awaitsKey = true;
  }

  #empty(): void {
    this.#packets.length = 0;
    this.#cameAt.length = 0;
    this.#head = 0;
    this.#bytes = 0;
    this.#blockedSince = undefined;
  }

  #shed(now: number): void {
    const { maxBytes, maxAgeMs } = this.#limits;
    const isLate = (index: number) => index >= 0 && now - this.#cameAt[index]! > maxAgeMs;
    while (isLate(this.#find('video'))) this.#dropPictures();
    this.#keep((packet, index) => !isLate(index) || !isFrame(packet, 'audio'));
    while (this.#bytes > maxBytes && this.#find('video') >= 0) this.#dropPictures();
    while (this.#bytes > maxBytes && this.#find('audio') >= 0) {
      const oldest = this.#find('audio');
      this.#keep((_, index) => index !== oldest);
    }
  }

  /** From the oldest that waits up to the next key frame, or all of them when there is none yet. */
  #dropPictures(): void {
    const from = this.#find('video');
    const next = this.#packets.findIndex(
      (packet, index) => index > from && isFrame(packet, 'video') && packet.key,
    );
    this.#awaitsKey ||= next < 0;
    const to = next < 0 ? this.#packets.length : next;
    this.#keep((packet, index) => index < from || index >= to || !isFrame(packet, 'video'));
  }

  /** @returns the index of the oldest frame of that kind, -1 for none */
  #find(kind: Kind): number {
    for (let index = this.#head; index < this.#packets.length; index++) {
      if (isFrame(this.#packets[index]!, kind)) return index;
    }
    return -1;
  }

  /** Leaves out what is not to be kept, and configs that nothing is between them and the next one. */
  #keep(isKept: (packet: ProgramPacket, index: number) => boolean): void {
    const packets: ProgramPacket[] = [];
    const cameAt: number[] = [];
    let bytes = 0;
    const isNeeded = { audio: true, video: true };
    for (let index = this.#packets.length - 1; index >= this.#head; index--) {
      const packet = this.#packets[index]!;
      const { kind } = packet;
      if (packet.packet === 'config') {
        if (!isNeeded[kind]) continue;
        isNeeded[kind] = false;
      } else if (isKept(packet, index)) isNeeded[kind] = true;
      else {
        if (kind === 'video') this.framesDropped++;
        else this.soundsDropped++;
        continue;
      }
      packets.push(packet);
      cameAt.push(this.#cameAt[index]!);
      bytes += packet.body.length;
    }
    this.#packets = packets.reverse();
    this.#cameAt = cameAt.reverse();
    this.#head = 0;
    this.#bytes = bytes;
  }
}

function isFrame(packet: ProgramPacket, kind: Kind): boolean {
  return packet.packet === 'frame' && packet.kind === kind;
}
