import { sequenceDistance } from '../../src/media/rtp/sequence.ts';
import { ArrivalWindow } from './arrival-window.ts';

/** What the mixer's tick finds. */
export type Pulled =
  | { readonly outcome: 'frame'; readonly payload: Buffer }
  /** The frame of this tick is not there; `next` is the one after it if that has come (its in-band FEC may help). */
  | { readonly outcome: 'lost'; readonly next: Buffer | undefined }
  /** Nothing is due: it is filling (the depth is above 0 then, and a reset would lose that), or nobody sends. */
  | { readonly outcome: 'empty' };

export interface JitterCounters {
  /** Came after their tick; they are among the lost. */
  late: number;
  /** Were not there at their tick. */
  lost: number;
  /** Came twice or out of any order, or were thrown away to shorten the delay. */
  discarded: number;
  /** Ticks at which it waited for the next frame: the delay became longer by one frame each. */
  stretched: number;
}

/** Frames held at the most (640 ms at 20 ms); what comes earlier pushes the oldest out. */
const CAPACITY = 32;
/** Longest delay that late packets and restarts ask for (300 ms at 20 ms). */
const MAX_DELAY = 15;
/** What lies further ahead or behind belongs to a new stream, once a second packet confirms it (RFC 3550, appendix A.1). */
const MAX_DROPOUT = 250;
const MAX_MISORDER = 64;
/** Ticks without any packet after which the stream counts as paused, not as lossy. */
const PAUSE_AFTER_TICKS = 5;
/** One spare frame is kept so long (5 s), as jitter at the edge of a tick comes and goes. */
const LAST_FRAME_PATIENCE = 250;
/** Spare frames beyond one are dropped the faster the more there are, at most every fourth frame. */
const SHORTEST_PATIENCE = 4;
const PATIENCE = 20;

const EMPTY: Pulled = { outcome: 'empty' };

/**
 * An adaptive jitter buffer for one contributor of frames of equal length, read once a frame by the
 * mixer. It starts with no delay. When a frame is late, it waits, so that the delay grows; delay that
 * no packet of the last seconds needed is dropped frame by frame, which also evens out clocks that
 * drift. After a pause it starts with the delay that it had learned to need.
 *
 * Holds views of packets given to it: they must not change.
 */
export class JitterBuffer {
  readonly counters: JitterCounters = { late: 0, lost: 0, discarded: 0, stretched: 0 };
  #arrivals = new ArrivalWindow();
  #slots: (Buffer | undefined)[] = new Array(CAPACITY).fill(undefined);
  /** 1 for those of the last numbers that were not there at their tick. */
  #missed = new Uint8Array(MAX_MISORDER);
  /** Number of the frame that is due at the next tick, and of the newest that came; they don't wrap. */
  #due = 0;
  #newest = -1;
  /** Ticks; its difference to #due is the delay, on the scale of the arrivals' lags. */
  #now = 0;
  #started = false;
  #paused = true;
  /** Ticks left of the delay that a stream starts with. */
  #filling = 0;
  /** Ticks that have passed while the frame due was waited for; Infinity after a pause. */
  #waited = 0;
  /** A frame came late: the next tick waits instead of advancing. */
  #stretch = false;
  /** Ticks since there were spare frames. */
  #spareTicks = 0;
  /** The sequence number that would confirm a new stream. */
  #confirming = -1;
  /** Handed out again and again, so that reading makes no garbage. */
  #frame: { outcome: 'frame'; payload: Buffer } = { outcome: 'frame', payload: Buffer.alloc(0) };
  #lost: { outcome: 'lost'; next: Buffer | undefined } = { outcome: 'lost', next: undefined };

  /** Frames waiting, the missing ones between them included. */
  get depth(): number {
    return this.#newest - this.#due + 1;
  }

  /** @param sequenceNumber - of the RTP packet, 16 bits */
  push(sequenceNumber: number, payload: Buffer): void {
    if (!this.#started) this.#start(sequenceNumber);
    let ahead = sequenceDistance(sequenceNumber, this.#due);
    if (ahead > MAX_DROPOUT || ahead < -MAX_MISORDER) {
      const confirmed = sequenceNumber === this.#confirming;
      this.#confirming = (sequenceNumber + 1) & 0xffff;
      if (!confirmed) {
        this.counters.discarded++;
        return;
      }
      this.#start(sequenceNumber);
      ahead = 0;
    }
    this.#confirming = -1;
    const number = this.#due + ahead;
    if (ahead < 0) this.#tooLate(number);
    else this.#keep(number, payload);
  }

  /** Called once a frame's length. @returns what is due; valid until the next call */
  pull(): Pulled {
    if (this.#paused) return EMPTY;
    this.#now++;
    if (this.#filling > 0) {
      this.#filling--;
      return EMPTY;
    }
    this.#arrivals.tick();
    this.#settleWait();
    if (this.depth === 0) return this.#starve();
    if (this.#stretch) {
      this.#stretch = false;
      this.counters.stretched++;
      return this.#lose(undefined);
    }
    this.#shorten();
    const payload = this.#take();
    if (!payload) return this.#lose(this.#slots[this.#due % CAPACITY]);
    this.#frame.payload = payload;
    return this.#frame;
  }

  /** Forgets the packets; what it has learned about the delay stays, as does what it counted. */
  reset(): void {
    this.#started = false;
    this.#paused = true;
    this.#slots.fill(undefined);
    this.#newest = this.#due - 1;
  }

  #lose(next: Buffer | undefined): Pulled {
    this.#lost.next = next;
    return this.#lost;
  }

  /** Begins a stream at a number. */
  #start(sequenceNumber: number): void {
    for (; this.depth > 0; this.#due++) if (this.#slots[this.#due % CAPACITY]) this.counters.discarded++;
    this.reset();
    this.#started = true;
    this.#missed.fill(0);
    this.#due = sequenceNumber;
    this.#newest = sequenceNumber - 1;
  }

  #keep(number: number, payload: Buffer): void {
    if (this.#paused) this.#resume(number);
    this.#arrivals.add(this.#now - number);
    while (number - this.#due >= CAPACITY) if (this.#take()) this.counters.discarded++;
    const slot = number % CAPACITY;
    if (this.#slots[slot]) this.counters.discarded++;
    this.#slots[slot] = payload;
    if (number > this.#newest) this.#newest = number;
  }

  /** The first packet after a pause: it will have waited as long as the latest one would. */
  #resume(number: number): void {
    this.#paused = false;
    this.#stretch = false;
    this.#waited = Number.POSITIVE_INFINITY;
    this.#arrivals.realign();
    this.#filling = Math.min(this.#arrivals.largest, MAX_DELAY);
    this.#now = number;
  }

  /** Its tick is over. Had the buffer waited a frame more, it would have been in time, or nearer to it. */
  #tooLate(number: number): void {
    const index = number & (MAX_MISORDER - 1);
    if (this.#missed[index] === 0) {
      this.counters.discarded++;
      return;
    }
    this.#missed[index] = 0;
    this.counters.late++;
    if (this.#paused || this.depth >= MAX_DELAY) return;
    this.#stretch = true;
    this.#arrivals.add(this.#now - this.#due + 1);
  }

  /**
   * What the ticks of waiting were: for frames that are lost, if later ones have come meanwhile, or
   * else a longer delay.
   */
  #settleWait(): void {
    if (this.#waited === 0 || this.depth === 0) return;
    while (this.#waited > 0 && !this.#slots[this.#due % CAPACITY]) {
      this.#take();
      this.#waited--;
    }
    if (this.#waited === 0) return;
    if (this.#waited <= PAUSE_AFTER_TICKS) {
      this.counters.stretched += this.#waited;
      this.#stretch = false;
    }
    this.#waited = 0;
  }

  /** Nothing there: the sender is late, or it has paused. */
  #starve(): Pulled {
    this.#waited++;
    if (this.#waited <= PAUSE_AFTER_TICKS) return this.#lose(undefined);
    this.#paused = true;
    return EMPTY;
  }

  /** Drops what is due if all that came lately would have been in time without its delay. */
  #shorten(): void {
    const spare = this.#now - this.#due - 1 - this.#arrivals.largest;
    if (spare < 1) {
      this.#spareTicks = 0;
      return;
    }
    this.#spareTicks++;
    const isThere = this.#slots[this.#due % CAPACITY] !== undefined;
    const patience = spare === 1 ? LAST_FRAME_PATIENCE : Math.max(SHORTEST_PATIENCE, PATIENCE / spare);
    // Going past a frame that is missing shortens the delay at no cost.
    if ((isThere && this.#spareTicks < patience) || this.depth === 1) return;
    this.#spareTicks = 0;
    if (this.#take()) this.counters.discarded++;
  }

  /** Goes past the frame due. */
  #take(): Buffer | undefined {
    const slot = this.#due % CAPACITY;
    const payload = this.#slots[slot];
    this.#slots[slot] = undefined;
    this.#missed[this.#due & (MAX_MISORDER - 1)] = payload ? 0 : 1;
    if (!payload) this.counters.lost++;
    this.#due++;
    return payload;
  }
}
