import { timestampDistance } from '../../src/media/rtp/sequence.ts';

/** Keys pressed on a phone: as telephone events in RTP (RFC 4733), or in SIP INFO requests. */

/** By event code (RFC 4733, section 3.2). */
const DIGITS = '0123456789*#ABCD';
const PAYLOAD_BYTES = 4;
/** The longest duration that fits; a key that is held longer goes on as another event (section 2.5.1.3). */
const MAX_DURATION = 0xffff;
/** Events whose late copies are known: they are sent three times over, and may overtake each other. */
const REMEMBERED_EVENTS = 4;
/** Packets of one press follow each other within so much: 20 ms at 48 kHz, 120 ms at 8 kHz. */
const MAX_PACKET_TICKS = 960;
/** No packet is overtaken by others that are so much later: 1 s at 8 kHz. */
const LATE_TICKS = 8_000;

/**
 * Tells the packets of telephone events apart: all of one event have the same RTP timestamp. A digit is known from whichever
 * of its packets arrives first, so it counts once whatever is lost. One for each sender.
 */
export class DigitDetector {
  /** Timestamps of the last events; a ring. */
  #known = new Float64Array(REMEMBERED_EVENTS).fill(-1);
  #next = 0;
  #event = -1;
  #timestamp = 0;
  #duration = 0;
  #hasEnded = true;
  #malformed = 0;

  /** How many payloads were no telephone events. */
  get malformed(): number {
    return this.#malformed;
  }

  /**
   * @param timestamp - the packet's, 32 bits
   * @param marker - set on the first packet of an event (section 2.3.1)
   * @returns '0' to '9', '*', '#', 'A' to 'D' for the first packet of a digit, undefined for all others
   */
  packet(timestamp: number, marker: boolean, payload: Uint8Array): string | undefined {
    if (payload.length < PAYLOAD_BYTES) {
      this.#malformed++;
      return undefined;
    }
    const event = payload[0]!;
    const hasEnded = (payload[1]! & 0x80) !== 0;
    const duration = (payload[2]! << 8) | payload[3]!;
    if (this.#known.includes(timestamp)) {
      if (timestamp === this.#timestamp) {
        this.#duration = Math.max(this.#duration, duration);
        this.#hasEnded ||= hasEnded;
      }
      return undefined;
    }
    if (this.#isLate(event, timestamp)) return undefined;
    if (this.#isSamePress(event, timestamp, hasEnded, duration)) {
      this.#timestamp = timestamp;
      this.#duration = Math.max(this.#duration, duration);
      this.#hasEnded ||= hasEnded;
      return undefined;
    }
    const isHeldOn = !marker && this.#continues(event, timestamp);
    this.#known[this.#next] = timestamp;
    this.#next = (this.#next + 1) % REMEMBERED_EVENTS;
    this.#event = event;
    this.#timestamp = timestamp;
    this.#duration = duration;
    this.#hasEnded = hasEnded;
    return isHeldOn ? undefined : DIGITS[event];
  }

  /** Whether it was overtaken by a packet of the same press, or is a copy of that. */
  #isLate(event: number, timestamp: number): boolean {
    const distance = timestampDistance(timestamp, this.#timestamp);
    return event === this.#event && distance <= 0 && distance > -LATE_TICKS;
  }

  /**
   * Whether it is the press before, of a sender whose timestamp grows with each packet instead of telling when the key was
   * pressed: its durations go on, and after its end there are only copies of that.
   */
  #isSamePress(event: number, timestamp: number, hasEnded: boolean, duration: number): boolean {
    const distance = timestampDistance(timestamp, this.#timestamp);
    if (event !== this.#event || distance < 0 || distance > MAX_PACKET_TICKS) return false;
    return duration >= this.#duration && (!this.#hasEnded || hasEnded);
  }

  /** Whether an event is the one before, held on: it begins where that one's duration ran out. */
  #continues(event: number, timestamp: number): boolean {
    if (this.#hasEnded || event !== this.#event) return false;
    const distance = timestampDistance(timestamp, this.#timestamp);
    return distance === MAX_DURATION || (distance > 0 && distance === this.#duration);
  }
}

const MAX_INFO_CHARACTERS = 1000;

/**
 * The digit in a SIP INFO request's body: 'application/dtmf-relay' ("Signal=5", "Duration=160") or 'application/dtmf' ("5").
 * Some phones send the event codes 10 and 11 for '*' and '#'.
 * @returns undefined for other content, and for bodies without a digit
 */
export function digitOfInfo(contentType: string, body: string): string | undefined {
  if (body.length > MAX_INFO_CHARACTERS) return undefined;
  switch (contentType.split(';', 1)[0]!.trim().toLowerCase()) {
    case 'application/dtmf-relay':
      return digitNamed(/^[ \t]*Signal[ \t]*=[ \t]*(\S+)[ \t]*$/im.exec(body)?.[1] ?? '');
    case 'application/dtmf':
      return digitNamed(body.trim());
    default:
      return undefined;
  }
}

function digitNamed(name: string): string | undefined {
  if (/^1\d$/.test(name)) return DIGITS[Number(name)];
  return name.length === 1 && DIGITS.includes(name.toUpperCase()) ? name.toUpperCase() : undefined;
}
