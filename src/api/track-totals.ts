import type { MeasuredTrack } from './metrics-sample.ts';

/** Of all tracks of one gateway and kind since the server started, as far as it was asked. */
export interface Totals {
  readonly gateway: string;
  readonly kind: string;
  packets: number;
  packetsLost: number;
  /** Of the mixer's jitter buffers, in packets. */
  late: number;
  lost: number;
  discarded: number;
}

const COUNTED = ['packets', 'packetsLost', 'late', 'lost', 'discarded'] as const;
type Counts = Record<(typeof COUNTED)[number], number>;

/**
 * Sums up what tracks count, so that the sums only grow: a track that ends takes nothing with it, but what it counted
 * after it was last asked is missing. Holds an entry for every track that is there now.
 */
export class TrackTotals {
  #totals = new Map<string, Totals>();
  #last = new Map<string, Counts>();

  get all(): readonly Totals[] {
    return [...this.#totals.values()];
  }

  /** @param present - sids of the tracks that are there; of those that were not measured the last figures are kept */
  add(measured: readonly MeasuredTrack[], present: ReadonlySet<string>): void {
    for (const sid of this.#last.keys()) if (!present.has(sid)) this.#last.delete(sid);
    for (const { track, statistics } of measured) {
      if (!present.has(track.sid)) continue;
      const { packets, packetsLost, jitterBuffer } = statistics;
      const { late = 0, lost = 0, discarded = 0 } = jitterBuffer ?? {};
      const now: Counts = { packets, packetsLost, late, lost, discarded };
      const before = this.#last.get(track.sid);
      const totals = this.#of(track.participant.gateway, track.kind);
      for (const name of COUNTED) totals[name] += growth(name, now[name], before?.[name] ?? 0);
      this.#last.set(track.sid, now);
    }
  }

  #of(gateway: string, kind: string): Totals {
    const key = `${gateway}/${kind}`;
    let totals = this.#totals.get(key);
    if (!totals) {
      totals = { gateway, kind, packets: 0, packetsLost: 0, late: 0, lost: 0, discarded: 0 };
      this.#totals.set(key, totals);
    }
    return totals;
  }
}

/** A count that fell began anew; but packets that were taken for lost may still come (RFC 3550, A.3). */
function growth(name: keyof Counts, now: number, before: number): number {
  if (now >= before) return now - before;
  return name === 'packetsLost' ? 0 : now;
}
