import type { DeliveryReport, DeliveryState } from '../../transcode/delivery/delivery-report.ts';
import type { Clock } from '../base/clock.ts';
import type { RoomDirectory } from '../room/directory.ts';
import type { Track, TrackStatistics } from '../room/track.ts';
import type { MediaPlane } from '../workers/media-plane.ts';
import type { ServerReport } from './room-report.ts';

/** One place that a room goes out to. Its address is no part of metrics: it has a secret. */
export interface RelayFigures {
  readonly id: string;
  readonly state: DeliveryState;
  readonly report: DeliveryReport;
}

export interface MetricsSources {
  readonly rooms: RoomDirectory;
  readonly plane: MediaPlane;
  readonly clock: Clock;
  /** What each gateway says of itself. */
  readonly gateways: () => Promise<ServerReport['gateways']>;
  /** Those that run; absent: none. */
  readonly relays?: () => readonly RelayFigures[];
}

export interface MeasuredTrack {
  readonly track: Track;
  readonly statistics: TrackStatistics;
}

/** A worker that answered. */
export type MeasuredWorker = Awaited<ReturnType<MediaPlane['statistics']>>[number] & {
  /** Its place among its kind, which its replacement takes over. */
  readonly index: number;
};

/** Everything that metrics are made of, at one moment. */
export interface MetricsSample {
  readonly rooms: RoomDirectory['rooms'];
  readonly tracks: readonly Track[];
  /** Those of the tracks that answered. */
  readonly measured: readonly MeasuredTrack[];
  readonly workers: readonly MeasuredWorker[];
  readonly health: MediaPlane['health'];
  readonly gateways: ServerReport['gateways'];
  readonly relays: readonly RelayFigures[];
}

/** What did not answer by then is left out: Prometheus waits for 10 s by default. */
const LIMIT_MS = 3_000;
/** Tracks asked in one sample; the figures of the others are left out. */
const MAX_TRACKS = 4_000;
/** Requests to workers under way. */
const AT_ONCE = 64;
const MAX_RELAYS = 500;

/** Asks everything once. Takes 3 s at the most, and never fails: what does not answer is left out. */
export async function takeSample(sources: MetricsSources): Promise<MetricsSample> {
  const { plane, clock, relays = () => [] } = sources;
  const { rooms } = sources.rooms;
  const tracks = rooms.flatMap((room) => room.tracks);
  const measured: MeasuredTrack[] = [];
  const [workers, gateways] = await Promise.all([
    within(clock, plane.statistics(), []),
    within(clock, sources.gateways(), {}),
    within(clock, measure(tracks, measured), undefined),
  ]);
  // A copy: what answers too late is not of this sample.
  return {
    rooms,
    tracks,
    measured: [...measured],
    workers: workers.flatMap((worker) => {
      const index = plane.placeOf(worker.kind, worker.pid);
      return index === undefined ? [] : [{ ...worker, index }];
    }),
    health: plane.health,
    gateways,
    relays: relays().slice(0, MAX_RELAYS),
  };
}

/** Fills `measured` as the answers come, so that those are there when others do not come. */
async function measure(tracks: readonly Track[], measured: MeasuredTrack[]): Promise<void> {
  const queue = tracks.filter(({ statistics }) => statistics).slice(0, MAX_TRACKS);
  const next = async () => {
    for (let track = queue.pop(); track; track = queue.pop()) {
      // A track that ends while it is asked has no figures.
      const statistics = await track.statistics?.().catch(() => undefined);
      if (statistics) measured.push({ track, statistics });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function within<T>(clock: Clock, answer: Promise<T>, otherwise: T): Promise<T> {
  return new Promise((resolve) => {
    const limit = clock.after(LIMIT_MS, () => resolve(otherwise));
    answer.then(resolve, () => resolve(otherwise)).finally(() => limit.cancel());
  });
}
