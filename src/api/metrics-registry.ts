import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { DELIVERY_STATES } from '../../transcode/delivery/delivery-report.ts';
import { PARTICIPANT_KINDS } from '../room/vocabulary.ts';
import type { MetricsSample } from './metrics-sample.ts';
import { TrackTotals } from './track-totals.ts';

const PREFIX = 'patchroom_';
const MEDIA_KINDS = ['audio', 'video'] as const;
/** Figures of one gateway; there are some dozens. */
const MAX_FIGURES = 200;
/** Wakes the process at every step. */
const LOOP_PRECISION_MS = 50;

/** The metrics of one server in Prometheus's text format, version 0.0.4. docs/guides/metrics.md explains each. */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #totals = new TrackTotals();

  readonly #rooms = this.#gauge('rooms', 'Open rooms');
  readonly #participants = this.#gauge('participants', 'Participants in all rooms', 'kind');
  readonly #tracks = this.#gauge('tracks', 'Published tracks', 'kind');
  readonly #unmeasured = this.#gauge('tracks_unmeasured', 'Tracks whose figures are not known');
  readonly #calls = this.#gauge('calls', 'Phone calls');
  readonly #figures = this.#gauge('gateway_figure', 'What a gateway counts', 'gateway', 'figure');

  readonly #received = this.#counter('packets_received_total', 'RTP packets of tracks', 'gateway', 'kind');
  readonly #lost = this.#counter('packets_lost_total', 'RTP packets that did not come', 'gateway', 'kind');
  readonly #depth = this.#gauge('jitter_buffer_packets', 'Packets that wait to be mixed', 'gateway');
  readonly #late = this.#counter('jitter_buffer_late_total', 'Packets too late to be mixed', 'gateway');
  readonly #missing = this.#counter('jitter_buffer_lost_total', 'Packets missing when due', 'gateway');
  readonly #discarded = this.#counter('jitter_buffer_discarded_total', 'Packets left out', 'gateway');

  readonly #mixerLag = this.#gauge('mixer_lag_ms', 'The latest that a frame was mixed', 'index');
  readonly #mixerSkipped = this.#counter('mixer_ticks_skipped_total', 'Frames given up', 'index');
  readonly #workers = this.#gauge('workers', 'Worker processes that run', 'kind');
  readonly #cpu = this.#counter('worker_cpu_seconds_total', 'CPU time of a worker', 'kind', 'index');
  readonly #memory = this.#gauge('worker_memory_bytes', 'Resident memory of a worker', 'kind', 'index');
  readonly #deaths = this.#counter('worker_deaths_total', 'Workers that ended by themselves', 'kind');
  readonly #loopLag = this.#gauge('loop_lag_ms', "The longest delay of a media worker's event loop", 'index');
  readonly #jobs = this.#gauge('transcode_jobs', 'Child processes that transcode', 'kind');

  readonly #relays = this.#gauge('relays', 'Places that rooms go out to', 'state');
  readonly #relayBitrate = this.#gauge('relay_bitrate_bps', 'Sent over the last seconds', 'relay');
  readonly #relayBytes = this.#counter('relay_bytes_sent_total', 'Bytes sent', 'relay');
  readonly #relayDropped = this.#counter('relay_frames_dropped_total', 'Pictures left out', 'relay');
  readonly #relayRetries = this.#counter('relay_retries_total', 'Attempts after the first', 'relay');

  constructor() {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_PRECISION_MS });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text for a sample; samples come in the order in which they were taken. */
  async render(sample: MetricsSample): Promise<string> {
    this.#showRooms(sample);
    this.#showTracks(sample);
    this.#showWorkers(sample);
    this.#showRelays(sample);
    return this.#registry.metrics();
  }

  #showRooms({ rooms, gateways }: MetricsSample): void {
    this.#rooms.set(rooms.length);
    const participants = rooms.flatMap((room) => room.participants);
    for (const kind of PARTICIPANT_KINDS) {
      this.#participants.set({ kind }, participants.filter((one) => one.kind === kind).length);
    }
    this.#calls.set(gateways.sip?.calls ?? 0);
    this.#figures.reset();
    for (const [gateway, figures] of Object.entries(gateways)) {
      for (const [figure, value] of Object.entries(figures).slice(0, MAX_FIGURES)) {
        this.#figures.set({ gateway, figure }, value);
      }
    }
  }

  #showTracks({ tracks, measured }: MetricsSample): void {
    for (const kind of MEDIA_KINDS) {
      this.#tracks.set({ kind }, tracks.filter((track) => track.kind === kind).length);
      const jobs = measured.filter(({ track, statistics }) => track.kind === kind && statistics.source?.job);
      this.#jobs.set({ kind }, jobs.length);
    }
    this.#unmeasured.set(tracks.length - measured.length);
    this.#depth.reset();
    for (const { track, statistics } of measured) {
      const { jitterBuffer } = statistics;
      if (jitterBuffer) this.#depth.inc({ gateway: track.participant.gateway }, jitterBuffer.depth);
    }
    this.#totals.add(measured, new Set(tracks.map(({ sid }) => sid)));
    for (const counter of [this.#received, this.#lost, this.#late, this.#missing, this.#discarded]) {
      counter.reset();
    }
    for (const { gateway, kind, packets, packetsLost, late, lost, discarded } of this.#totals.all) {
      this.#received.inc({ gateway, kind }, packets);
      this.#lost.inc({ gateway, kind }, packetsLost);
      // Pictures are not mixed.
      if (kind !== 'audio') continue;
      this.#late.inc({ gateway }, late);
      this.#missing.inc({ gateway }, lost);
      this.#discarded.inc({ gateway }, discarded);
    }
  }

  #showWorkers({ workers, health: { hubWorkers, mediaWorkers } }: MetricsSample): void {
    for (const metric of [this.#mixerLag, this.#memory, this.#loopLag]) metric.reset();
    for (const metric of [this.#mixerSkipped, this.#cpu, this.#deaths]) metric.reset();
    const programs = workers.flatMap((worker) => ('programs' in worker ? worker.programs : []));
    this.#jobs.set(
      { kind: 'program' },
      programs.reduce((sum, { pids }) => sum + pids.length, 0),
    );
    for (const worker of workers) {
      const { kind, index } = worker;
      this.#cpu.inc({ kind, index }, worker.cpuMs / 1000);
      this.#memory.set({ kind, index }, worker.memoryBytes);
      if (worker.kind !== 'media') continue;
      this.#loopLag.set({ index }, worker.loopLagMs);
      this.#mixerLag.set({ index }, worker.mixing.tickLagMs);
      this.#mixerSkipped.inc({ index }, worker.mixing.ticksSkipped);
    }
    this.#workers.set({ kind: 'hub' }, hubWorkers.running);
    this.#workers.set({ kind: 'media' }, mediaWorkers.running);
    this.#deaths.inc({ kind: 'hub' }, hubWorkers.deaths);
    this.#deaths.inc({ kind: 'media' }, mediaWorkers.deaths);
  }

  #showRelays({ relays }: MetricsSample): void {
    for (const state of DELIVERY_STATES) {
      this.#relays.set({ state }, relays.filter((relay) => relay.state === state).length);
    }
    this.#relayBitrate.reset();
    for (const counter of [this.#relayBytes, this.#relayDropped, this.#relayRetries]) counter.reset();
    for (const { id: relay, report } of relays) {
      this.#relayBitrate.set({ relay }, report.bitrateBps);
      this.#relayBytes.inc({ relay }, report.bytesSent);
      this.#relayDropped.inc({ relay }, report.framesDropped);
      this.#relayRetries.inc({ relay }, report.retries);
    }
  }

  #gauge(name: string, help: string, ...labelNames: string[]): Gauge<string> {
    return new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter<string> {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] });
  }
}
