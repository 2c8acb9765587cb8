import { createLogger } from '../../../../src/gateway.ts';
import type { DeliveryConnectionEvents } from '../../../../transcode/delivery/delivery-connection.ts';
import type { DeliveryState } from '../../../../transcode/delivery/delivery-report.ts';
import { Destination } from '../../../../transcode/delivery/destination.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeConnection } from './fake-connection.ts';
import { FakeFeed } from './program.ts';

/** What is sent may wait for half of that in the queue, and for half on the way. */
export const MAX_LATENESS_MS = 4_000;

export type DestinationBench = ReturnType<typeof destination>;

/** A destination with everything around it. Its waits are the longest: 0.5, 1, 2, 4 s. */
export function destination({
  feed = new FakeFeed(),
  random = () => 1,
  originUs,
}: {
  readonly feed?: FakeFeed;
  readonly random?: () => number;
  readonly originUs?: number;
} = {}) {
  const clock = new FakeClock();
  const connections: FakeConnection[] = [];
  const failures: string[] = [];
  /** States as they came, and 'figures'. */
  const changes: string[] = [];
  let state: DeliveryState = 'connecting';
  const one: Destination = new Destination({
    feed,
    clock,
    maxLatenessMs: MAX_LATENESS_MS,
    originUs,
    random,
    connect: (events) => {
      connections.push(new FakeConnection(events));
      return connections.at(-1)!;
    },
    onChange: () => {
      changes.push(one.report.state === state ? 'figures' : one.report.state);
      state = one.report.state;
    },
    onFailed: (reason) => failures.push(reason),
    log: createLogger('silent'),
  });
  const last = () => connections.at(-1)!;
  /** What the server does. */
  const serve = <Name extends keyof DeliveryConnectionEvents>(
    name: Name,
    ...args: Parameters<DeliveryConnectionEvents[Name]>
  ) => (last().events[name] as (...all: typeof args) => void)(...args);
  /** States without figures. */
  const states = () => changes.filter((change) => change !== 'figures');
  return { destination: one, feed, clock, connections, failures, changes, states, last, serve };
}

/** It is live, and has sent a key frame and audio. */
export function live(options: Parameters<typeof destination>[0] = {}): DestinationBench {
  const all = destination(options);
  all.serve('live');
  all.feed.play('vk1000 a1000');
  return all;
}

/** Plays for so many seconds: 10 video frames in each, of which every 20th is a key frame, and as many of audio. */
export function playFor({ feed, clock }: DestinationBench, seconds: number, bytes = 10_000): void {
  const from = Math.round(clock.now() + 1_000);
  for (let at = 0; at < seconds * 1000; at += 100) {
    clock.advance(100);
    const ms = from + at + 100;
    feed.play(`v${ms % 2_000 === 0 ? 'k' : ''}${ms} a${ms}`, bytes);
  }
}

export const STEP_MS = 40;
/** 25 video frames a second with a key frame every two seconds, and audio: 390 kB a second. */
export function playStep({ feed, clock }: DestinationBench): void {
  clock.advance(STEP_MS);
  const ms = Math.round(clock.now() + 1_000);
  const isKey = ms % 2_000 === 0;
  feed.play(`v${isKey ? 'k' : ''}${ms}`, isKey ? 50_000 : 14_000);
  feed.play(`a${ms} a${ms + 20}`, 400);
}

/** Plays for so many seconds, in each of which the system takes so many bytes. */
export function takeFor(all: DestinationBench, seconds: number, bytesASecond: number): void {
  const connection = all.last();
  for (let step = 0; step < (seconds * 1000) / STEP_MS; step++) {
    connection.isBlocked = true;
    playStep(all);
    connection.queuedBytes = Math.max(0, connection.queuedBytes - (bytesASecond * STEP_MS) / 1000);
    connection.events.drained();
  }
}

/** @returns how long it waits after each of so many attempts, ms */
export function waits(all: DestinationBench, count: number, attempt: () => void): number[] {
  return Array.from({ length: count }, () => {
    attempt();
    const { clock, connections } = all;
    const from = clock.now();
    for (const before = connections.length; connections.length === before; ) clock.advance(1);
    return clock.now() - from;
  });
}

export const BAD_NAME = ['NetStream.Publish.BadName', 'Stream already publishing'] as const;
