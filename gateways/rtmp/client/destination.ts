import type { Clock, LegReport, LegState, Logger, Timer } from '../../../src/gateway.ts';
import type { ProgramFeed, ProgramPacket } from '../../../src/media/program.ts';
import { Backoff } from './backoff.ts';
import type { ClientConnectionEvents, ClientConnectionLike } from './client-connection.ts';
import { ProgramTimeline } from './program-timeline.ts';
import { SendQueue } from './send-queue.ts';
import { SentRate } from './sent-rate.ts';
import { StallWatch } from './stall-watch.ts';

export interface DestinationOptions {
  readonly feed: ProgramFeed;
  readonly clock: Clock;
  /** Like Math.random. */
  readonly random: () => number;
  /** Begins an attempt. None of the events comes before it has returned. */
  connect(events: ClientConnectionEvents): ClientConnectionLike;
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
/** Live for so long, an attempt counts as one that went well. */
const STEADY_MS = 10_000;
/** Refused for so long without anything else: the key is wrong. Servers hold a lost publisher's key for a minute at most. */
const REFUSAL_LIMIT_MS = 120_000;
/** In the socket; what is beyond waits in the queue, where it can still be left out. */
const HIGH_WATER_BYTES = 128 * 1024;
const QUEUE_LIMITS = { maxBytes: 4 * 1024 * 1024, maxAgeMs: 2_000 };

/**
 * Sends a program to one RTMP server and keeps at it: connects, connects again after a growing wait when it is lost,
 * refused or stands still, and goes on with the next key frame. What the server does not take in time is left out, and
 * nobody else waits for it.
 */
export class Destination {
  #options: DestinationOptions;
  #state: LegState = 'connecting';
  #reason = '';
  #isOver = false;
  #connection: ClientConnectionLike | undefined;
  /** Counts connections, so that events of those that are over go nowhere. */
  #attempt = 0;
  /** For this state: the attempt's limit, the next look, or the end of waiting. */
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #backoff: Backoff;
  #queue = new SendQueue(QUEUE_LIMITS);
  #timeline = new ProgramTimeline();
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
  /** The first refusal since it was last live or lost. */
  #refusedSince: number | undefined;

  /** Begins with the first attempt. */
  constructor(options: DestinationOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
    this.#connect();
  }

  get report(): LegReport {
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
    };
  }

  /** Says goodbye to the server. Nothing is called after it. */
  end(): void {
    if (this.#isOver) return;
    const connection = this.#connection;
    const isPublishing = this.#state === 'live' || this.#state === 'stalled';
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
      notPermitted: (reason) => ifCurrent(() => this.#fail(reason)),
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
    this.#rate.sample(this.#handedOver, clock.now());
    this.#looks = 0;
    this.#setTimer(LOOK_MS, () => this.#look());
    this.#hasBegun = false;
    this.#unsubscribe = feed.subscribe((packet) => this.#onPacket(packet));
    const [first] = feed.recent;
    if (first && this.#canBeginWith(first)) {
      this.#begin(first);
      for (const packet of feed.recent) this.#add(packet);
    }
    log.info({ retries: this.#retries }, 'a relay is live');
    this.#enter('live', '');
  }

  #onPacket(packet: ProgramPacket): void {
    if (!this.#hasBegun) {
      if (!this.#canBeginWith(packet)) return;
      this.#begin(packet);
    }
    this.#add(packet);
  }

  #canBeginWith(packet: ProgramPacket): boolean {
    return this.#options.feed.videoConfig !== undefined && this.#timeline.canBeginWith(packet);
  }

  /** Headers, as any decoder needs them before it is given anything else. */
  #begin(keyFrame: ProgramPacket): void {
    const { feed } = this.#options;
    this.#hasBegun = true;
    this.#timeline.begin(keyFrame);
    this.#connection?.metadata(feed.description);
    if (feed.videoConfig) this.#add(feed.videoConfig);
    if (feed.audioConfig) this.#add(feed.audioConfig);
  }

  #add(packet: ProgramPacket): void {
    const { feed, clock } = this.#options;
    if (packet.kind === 'audio' && packet.packet === 'frame' && !feed.audioConfig) return;
    if (!this.#timeline.takes(packet)) return;
    this.#queue.push(packet, clock.now());
    this.#flush();
  }

  #flush(): void {
    const connection = this.#connection;
    if (!connection) return;
    const now = this.#options.clock.now();
    while (connection.queuedBytes < HIGH_WATER_BYTES) {
      const packet = this.#queue.shift(now);
      if (!packet) return;
      connection.media(packet.kind, this.#timeline.stamp(packet), packet.body);
    }
  }

  /** Twice a second while it is connected: figures, and whether the server still takes what it is sent. */
  #look(): void {
    const connection = this.#connection;
    if (!connection) throw new Error('A destination looks after a connection that it does not have.');
    const now = this.#options.clock.now();
    this.#setTimer(LOOK_MS, () => this.#look());
    this.#rate.sample(this.#handedOver, now);
    const stall = this.#watch.look(connection, this.#queue.blockedMs(now), now);
    this.#noteSteadiness();
    if (stall !== undefined && this.#state === 'live') {
      this.#stalledSince = now;
      this.#liveSince = undefined;
      this.#options.log.info({ reason: stall }, 'a relay is stalled');
      this.#enter('stalled', stall);
    } else if (stall === undefined && this.#state === 'stalled') {
      this.#liveSince = now;
      this.#enter('live', '');
    } else if (this.#state === 'stalled' && now - this.#stalledSince >= STALL_LIMIT_MS) {
      this.#lose(`The server took nothing for ${STALL_LIMIT_MS / 1000} s.`);
    } else if (++this.#looks % LOOKS_A_CHANGE === 0) this.#options.onChange();
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
    this.#noteSteadiness();
    this.#disconnect();
    const delayMs = this.#backoff.next();
    this.#options.log.info({ reason, delayMs }, 'a relay is not live; it is tried again');
    this.#setTimer(delayMs, () => this.#reconnect());
    this.#enter('waiting', reason);
  }

  #fail(reason: string): void {
    this.#isOver = true;
    this.#disconnect();
    this.#options.log.warn({ reason }, 'a relay was given up');
    this.#enter('failed', reason);
    this.#options.onFailed(reason);
  }

  #noteSteadiness(): void {
    if (this.#liveSince === undefined) return;
    if (this.#options.clock.now() - this.#liveSince >= STEADY_MS) this.#backoff.reset();
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

  #enter(state: LegState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#options.onChange();
  }
}
