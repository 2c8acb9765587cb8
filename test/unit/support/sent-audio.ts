import { parseRtp, type RtpPacket } from '../../../src/media/rtp/rtp.ts';
import { AudioSender } from '../../../transcode/ingest/audio-sender.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLink } from './fake-link.ts';

export const OPUS_TICKS_PER_MS = 48;
export const G711_TICKS_PER_MS = 8;

/** A publisher's audio on its way to the hub, and what was seen of it there. */
export function audioSender({ ticksPerMs = OPUS_TICKS_PER_MS, maxWaitMs = 500 } = {}) {
  const clock = new FakeClock();
  const link = new FakeLink();
  /** Source times of the frames that were ready. */
  const ready: number[] = [];
  const told: string[] = [];
  const sender = new AudioSender(
    { link, ssrc: 0x89abcdef, payloadType: 100 },
    { ticksPerMs, maxWaitMs },
    clock,
    (frameMs) => ready.push(frameMs),
    () => told.push('closed'),
  );
  const packets = () => link.sent.map((packet) => parseRtp(packet)!);
  return { sender, clock, link, ready, told, packets };
}

/** @returns how far each is from the one before, modulo 2^32 and 2^16 */
export function steps(packets: readonly RtpPacket[]): { ticks: number[]; numbers: number[] } {
  const pairs = packets.slice(1).map((packet, index) => [packets[index]!, packet] as const);
  return {
    ticks: pairs.map(([one, next]) => (next.timestamp - one.timestamp) | 0),
    numbers: pairs.map(([one, next]) => (next.sequenceNumber - one.sequenceNumber) & 0xffff),
  };
}

export function repeated<T>(value: T, count: number): T[] {
  return new Array(count).fill(value);
}
