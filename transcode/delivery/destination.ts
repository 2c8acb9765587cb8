import type { Clock, Timer } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/log.ts';
import type { AccessUnit } from '../../src/media/access-unit.ts';
import type { ProgramFeed } from '../../src/media/program.ts';
import { Backoff } from './backoff.ts';
import type { DeliveryConnection, DeliveryConnectionEvents } from './delivery-connection.ts';
import type { DeliveryReport, DeliveryState } from './delivery-report.ts';
import { ProgramTimeline } from './program-timeline.ts';
import { SendQueue } from './send-queue.ts';
import { SentRate } from './sent-rate.ts';
import { LEAST_WINDOW_BYTES, StallWatch } from './stall-watch.ts';
import { TransferLag } from './transfer-lag.ts';

export interface DestinationOptions {
  readonly feed: ProgramFeed;
  readonly clock: Clock;
  /** How late what is sent may be at the most, ms: beyond it, frames are left out up to the next key frame. */
  readonly maxLatenessMs: number;
  /** Where the destination's time began, of a delivery that goes on in this process. */
  readonly originUs?: number | undefined;
  /** Like Math.random. */
  readonly random: () => number;
  /** Begins an attempt. None of the events comes before it has returned. */
  connect(events: DeliveryConnectionEvents): DeliveryConnection;
  /** At each change of state, and at most once a second for figures. */
  readonly onChange: () => void;
  /** It has given up, after the change of state. @param reason - in a sentence or the server's words, without secrets */
  readonly onFailed: (reason: string) => void;
  readonly log: Logger;
}

/** From the first packet to the server's consent to publish. */
const ATTEMPT_LIMIT_MS = 10_000;
const LOOK_MS = 500;
const LOOKS_A_CHANGE = 2;
/** It stands still for so long after that was noticed: another connection may do better. */
const STALL_LIMIT_MS = 10_000;
/** Frames were left out so lately that it counts as behind. */
const BEHIND_MS = 5_000;
/** What the other side has not read is older than that: it goes on being behind, ms. */
const HELD_MS = 500;
const BEHIND_REASON = 'The server takes less than the program sends: video frames are left out to keep up.';
/** Refused for so long without anything else: the key is wrong. Servers hold a lost publisher's key for a minute at most. */
const REFUSAL_LIMIT_MS = 120_000;
/** In the socket; what is beyond waits in the queue, where it can still be left out. */
const HIGH_WATER_BYTES = 128 * 1024;
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/**
 * Delivers a program to one server and keeps at it: connects, connects again after a growing wait when it is lost,
 * refused or stands still, and goes on with the next key frame. What the server does not take in time is left out, and
 * nobody else waits for it.
 */
export class Destination {
  #options: DestinationOptions;
  #state: DeliveryState = 'connecting';
  #reason = '';
  #isOver = false;
  #connection: DeliveryConnection | undefined;
  /** Counts connections, so that events of those that are over go nowhere. */
  #attempt = 0;
  /** For this state: the attempt's limit, the next look, or the end of waiting. */
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #backoff: Backoff;
  #queue: SendQueue;
  #timeline: ProgramTimeline;
  #lag = new TransferLag();
  #rate = new SentRate();
  #watch = new StallWatch();
  /** The configs and a key frame were sent on this connection. */
  #hasBegun = false;
  #looks = 0;
  #retries = 0;
  #lastRetryAt: number | undefined;
  /** Of connections that are over. */
  #bytesBefore = 0;
  #liveSince: number | undefined;
  #stalledSince = 0;
  /** How long this connection carried the program, without the time that it stood still, ms. */
  #carriedMs = 0;
  /** When frames were left out last, and how many had been by then. */
  #shedAt = Number.NEGATIVE_INFINITY;
  #framesDropped = 0;
  #redirectedTo: string | undefined;
  /** The first refusal since it was last live or lost. */
  #refusedSince: number | undefined;

  /** Begins with the first attempt. */
  constructor(options: DestinationOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
    // Half of what may wait lies here, where it can still be left out, and half on the way.
    this.#queue = new SendQueue({ maxBytes: MAX_QUEUED_BYTES, maxAgeMs: options.maxLatenessMs / 2 });
    this.#timeline = new ProgramTimeline(options.originUs);
    this.#connect();
  }

  get report(): DeliveryReport {
    const { clock } = this.#options;
    return {
      state: this.#state,
      reason: this.#reason,
      bitrateBps: this.#rate.bitrateBps,
      bytesSent: this.#bytesBefore + this.#handedOver,
      framesDropped: this.#queue.framesDropped,
      retries: this.#retries,
      lastRetryAt: this.#lastRetryAt,
      uptimeMs: this.#liveSince === undefined ? 0 : Math.round(clock.now() - this.#liveSince),
      redirectedTo: this.#redirectedTo,
      originUs: this.#timeline.originUs,
    };
  }

  /** Says goodbye to the server. Nothing is called after it. */
  end(): void {
    if (this.#isOver) return;
    const connection = this.#connection;
    const isPublishing = this.#state === 'live' || this.#state === 'behind' || this.#state === 'stalled';
    this.#isOver = true;
    this.#release();
    if (isPublishing) connection?.finish();
    else connection?.destroy();
  }

  /** Bytes that the system took on this connection. */
  get #handedOver(): number {
    return this.#connection ? this.#connection.bytesSent - this.#connection.queuedBytes : 0;
  }

  #connect(): void {
    const attempt = ++this.#attempt;
    const ifCurrent = (action: () => void) => {
      if (attempt === this.#attempt) action();
    };
    this.#setTimer(ATTEMPT_LIMIT_MS, () => {
      this.#lose(`The server did not let us publish within ${ATTEMPT_LIMIT_MS / 1000} s.`);
    });
    this.#connection = this.#options.connect({
      live: () => ifCurrent(() => this.#goLive()),
      refused: (code, description) => ifCurrent(() => this.#onRefused(code, description)),
      hopeless: (reason) => ifCurrent(() => this.#fail(reason)),
      redirected: (shownAddress) =>
        ifCurrent(() => {
          this.#redirectedTo = shownAddress;
          this.#options.log.info({ to: shownAddress }, 'delivery redirected');
          this.#options.onChange();
        }),
      closed: (cause) => ifCurrent(() => this.#lose(cause)),
      drained: () => ifCurrent(() => this.#flush()),
    });
  }

  #reconnect(): void {
    this.#retries++;
    this.#lastRetryAt = this.#options.clock.wallClock();
    this.#connect();
    this.#enter('connecting', this.#reason);
  }

  #goLive(): void {
    const { clock, feed, log } = this.#options;
    this.#liveSince = clock.now();
    this.#refusedSince = undefined;
    this.#watch = new StallWatch();
    this.#lag = new TransferLag();
    this.#carriedMs = 0;
    this.#rate.sample(this.#handedOver, clock.now());
    this.#looks = 0;
    this.#setTimer(LOOK_MS, () => this.#look());
    this.#hasBegun = false;
    this.#unsubscribe = feed.subscribe((unit) => this.#onUnit(unit));
    const [first] = feed.recent;
    if (first && this.#timeline.canBeginWith(first)) {
      this.#begin(first);
      for (const unit of feed.recent) this.#add(unit);
    }
    log.info({ retries: this.#retries }, 'delivery live');
    this.#enter('live', '');
  }

  #onUnit(unit: AccessUnit): void {
    if (!this.#hasBegun) {
      if (!this.#timeline.canBeginWith(unit)) return;
      this.#begin(unit);
    }
    this.#add(unit);
  }

  #begin(keyFrame: AccessUnit): void {
    this.#hasBegun = true;
    this.#timeline.begin(keyFrame);
    const { description, formats } = this.#options.feed;
    this.#connection?.describe(description, formats);
  }

  #add(unit: AccessUnit): void {
    if (!this.#timeline.takes(unit)) return;
    this.#queue.push(unit, this.#options.clock.now());
    this.#flush();
  }

  /** As much as may be under way; what waits can still be left out. */
  #flush(): void {
    const connection = this.#connection;
    if (!connection) return;
    const now = this.#options.clock.now();
    while (
      connection.queuedBytes < HIGH_WATER_BYTES &&
      this.#lagMs(connection, now) < this.#options.maxLatenessMs / 2
    ) {
      const unit = this.#queue.shift(now);
      if (!unit) return;
      this.#timeline.note(unit);
      connection.send(unit, this.#timeline.originUs ?? 0);
      this.#lag.sent(connection.bytesSent, now);
    }
  }

  /** How late what the other side reads is, as far as it acknowledges; ms. */
  #lagMs(connection: DeliveryConnection, now: number): number {
    if (!connection.acknowledges) return 0;
    const windowBytes = Math.max(LEAST_WINDOW_BYTES, connection.largestAcknowledgementBytes);
    return this.#lag.age(connection.bytesAcknowledged, windowBytes, now);
  }

  /** Twice a second while it is connected: figures, and whether the server still takes what it is sent. */
  #look(): void {
    const connection = this.#connection;
    if (!connection) throw new Error('A destination looks after a connection that it does not have.');
    const now = this.#options.clock.now();
    this.#setTimer(LOOK_MS, () => this.#look());
    this.#rate.sample(this.#handedOver, now);
    this.#flush();
    const stall = this.#watch.look(connection, this.#queue.blockedMs(now), now);
    if (this.#queue.framesDropped > this.#framesDropped) this.#shedAt = now;
    this.#framesDropped = this.#queue.framesDropped;
    const isCalm = now - this.#shedAt >= BEHIND_MS && this.#lagMs(connection, now) < HELD_MS;
    const isBehind = this.#state === 'behind' ? !isCalm : this.#shedAt === now;
    if (this.#state === 'stalled') this.#lookAtStalled(stall, now);
    else if (stall !== undefined) {
      this.#stopCounting();
      this.#stalledSince = now;
      this.#options.log.info({ reason: stall }, 'delivery stalled');
      this.#enter('stalled', stall);
    } else if (isBehind !== (this.#state === 'behind')) {
      this.#enter(isBehind ? 'behind' : 'live', isBehind ? BEHIND_REASON : '');
    } else this.#reportNowAndThen();
  }

  #lookAtStalled(stall: string | undefined, now: number): void {
    if (stall === undefined) {
      this.#liveSince = now;
      const isBehind = now - this.#shedAt < BEHIND_MS;
      this.#enter(isBehind ? 'behind' : 'live', isBehind ? BEHIND_REASON : '');
    } else if (now - this.#stalledSince >= STALL_LIMIT_MS)
      this.#lose(`The server took nothing for ${STALL_LIMIT_MS / 1000} s.`);
    else this.#reportNowAndThen();
  }

  #reportNowAndThen(): void {
    if (++this.#looks % LOOKS_A_CHANGE === 0) this.#options.onChange();
  }

  #onRefused(code: string, description: string): void {
    const words = [code, description].filter((part) => part !== '').join(': ');
    const reason = words || 'The server refused, and did not say why.';
    const now = this.#options.clock.now();
    this.#refusedSince ??= now;
    if (now - this.#refusedSince >= REFUSAL_LIMIT_MS) this.#fail(reason);
    else this.#wait(reason);
  }

  #lose(cause: string): void {
    this.#refusedSince = undefined;
    this.#wait(cause);
  }

  #wait(reason: string): void {
    this.#stopCounting();
    const carriedMs = this.#carriedMs;
    this.#disconnect();
    const delayMs = this.#backoff.next(carriedMs);
    this.#carriedMs = 0;
    this.#options.log.info({ reason, delayMs }, 'delivery interrupted');
    this.#setTimer(delayMs, () => this.#reconnect());
    this.#enter('waiting', reason);
  }

  /** It is not live any more. */
  #stopCounting(): void {
    if (this.#liveSince !== undefined) this.#carriedMs += this.#options.clock.now() - this.#liveSince;
    this.#liveSince = undefined;
  }

  #fail(reason: string): void {
    this.#isOver = true;
    this.#disconnect();
    this.#options.log.warn({ reason }, 'delivery failed');
    this.#enter('failed', reason);
    this.#options.onFailed(reason);
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#release();
    connection?.destroy();
  }

  /** Lets go of the connection and of all that belongs to it. */
  #release(): void {
    this.#bytesBefore += this.#handedOver;
    this.#connection = undefined;
    this.#attempt++;
    this.#timer?.cancel();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#queue.clear();
    this.#rate.clear();
    this.#liveSince = undefined;
  }

  #setTimer(delayMs: number, action: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, action);
  }

  #enter(state: DeliveryState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#options.onChange();
  }
}
