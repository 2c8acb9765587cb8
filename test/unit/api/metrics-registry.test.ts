import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MetricsRegistry } from '../../../src/api/metrics-registry.ts';
import type { MetricsSample } from '../../../src/api/metrics-sample.ts';
import { DELIVERY_STATES, type DeliveryReport } from '../../../transcode/delivery/delivery-report.ts';
import { readExposition } from '../support/exposition.ts';
import { camera, openRoom, person, voice } from '../support/rooms.ts';

const mixing = { mixers: 1, decoders: 2, ticksSkipped: 3, tickLagMs: 4.5 };
const REPORT: DeliveryReport = {
  state: 'live',
  reason: '',
  bitrateBps: 2_500_000,
  bytesSent: 1_000_000,
  framesDropped: 6,
  retries: 2,
  uptimeMs: 1000,
};

/** One room with Ann at a browser, one worker of each kind, and one relay. */
function sample(change: Partial<MetricsSample> = {}): MetricsSample {
  const { room } = openRoom();
  const ann = room.join(person('ann'));
  const tracks = [ann.publish(voice()), ann.publish(camera())];
  const jitterBuffer = { depth: 3, late: 1, lost: 2, discarded: 4, stretched: 0 };
  const source = {
    format: 'H.264 High',
    dropped: 0,
    timestampJumps: 0,
    timestampSteps: 0,
    job: { pid: 9, deaths: 0 },
  };
  const arrived = { packets: 50, packetsLost: 5, bitrateBps: 1, jitterMs: 1 };
  return {
    rooms: [room],
    tracks,
    measured: [
      { track: tracks[0]!, statistics: { ...arrived, jitterBuffer } },
      { track: tracks[1]!, statistics: { ...arrived, source } },
    ],
    workers: [
      { kind: 'hub', index: 1, pid: 10, rooms: 1, cpuMs: 1500, memoryBytes: 1000 },
      {
        ...{
          kind: 'media',
          index: 0,
          pid: 11,
          rooms: 1,
          cpuMs: 500,
          memoryBytes: 2000,
          loopLagMs: 51,
          mixing,
        },
        programs: [{ pids: [12, 13] }, { pids: [14] }],
      },
    ] as unknown as MetricsSample['workers'],
    health: { hubWorkers: { running: 2, deaths: 1 }, mediaWorkers: { running: 1, deaths: 0 } },
    gateways: { sip: { calls: 7, callsTotal: 70 } },
    relays: [{ id: 'RL_1', state: 'live', report: REPORT }],
    ...change,
  };
}

async function show(...samples: MetricsSample[]) {
  const registry = new MetricsRegistry();
  let text = '';
  for (const one of samples) text = await registry.render(one);
  return readExposition(text);
}

describe('a sample shows as', () => {
  test.each<[string, number]>([
    ['patchroom_rooms', 1],
    ['patchroom_participants{kind="browser"}', 1],
    ['patchroom_participants{kind="phone"}', 0],
    ['patchroom_tracks{kind="audio"}', 1],
    ['patchroom_tracks_unmeasured', 0],
    ['patchroom_calls', 7],
    ['patchroom_gateway_figure{gateway="sip",figure="callsTotal"}', 70],
    ['patchroom_packets_received_total{gateway="webrtc",kind="audio"}', 50],
    ['patchroom_packets_lost_total{gateway="webrtc",kind="video"}', 5],
    ['patchroom_jitter_buffer_packets{gateway="webrtc"}', 3],
    ['patchroom_jitter_buffer_late_total{gateway="webrtc"}', 1],
    ['patchroom_jitter_buffer_lost_total{gateway="webrtc"}', 2],
    ['patchroom_jitter_buffer_discarded_total{gateway="webrtc"}', 4],
    ['patchroom_mixer_lag_ms{index="0"}', 4.5],
    ['patchroom_mixer_ticks_skipped_total{index="0"}', 3],
    ['patchroom_workers{kind="hub"}', 2],
    ['patchroom_worker_cpu_seconds_total{kind="hub",index="1"}', 1.5],
    ['patchroom_worker_memory_bytes{kind="media",index="0"}', 2000],
    ['patchroom_worker_deaths_total{kind="hub"}', 1],
    ['patchroom_loop_lag_ms{index="0"}', 51],
    ['patchroom_transcode_jobs{kind="video"}', 1],
    ['patchroom_transcode_jobs{kind="audio"}', 0],
    ['patchroom_transcode_jobs{kind="program"}', 3],
    ['patchroom_relays{state="live"}', 1],
    ['patchroom_relays{state="failed"}', 0],
    ['patchroom_relay_bitrate_bps{relay="RL_1"}', 2_500_000],
    ['patchroom_relay_bytes_sent_total{relay="RL_1"}', 1_000_000],
    ['patchroom_relay_frames_dropped_total{relay="RL_1"}', 6],
    ['patchroom_relay_retries_total{relay="RL_1"}', 2],
  ])('%s %d', async (series, value) => {
    expect((await show(sample())).values.get(series)).toBe(value);
  });
});

test('the same sample again changes no figure of ours', async () => {
  const one = sample();
  const ours = ({ values }: Awaited<ReturnType<typeof show>>) =>
    [...values].filter(([series]) => series.startsWith('patchroom_'));
  expect(ours(await show(one, one, one))).toEqual(ours(await show(one)));
});

test('what is gone, or did not answer, is not shown any more; what was counted of tracks is', async () => {
  const nothing = { rooms: [], tracks: [], measured: [], workers: [], gateways: {}, relays: [] };
  const { values } = await show(sample(), sample(nothing));
  const series = [...values.keys()].filter((name) =>
    /relay_|worker_(cpu|memory)|index=|figure|packets\{/.test(name),
  );
  expect(series).toEqual([]);
  expect(values.get('patchroom_participants{kind="browser"}')).toBe(0);
  expect(values.get('patchroom_calls')).toBe(0);
  expect(values.get('patchroom_packets_received_total{gateway="webrtc",kind="audio"}')).toBe(50);
});

test('a track that did not answer is told', async () => {
  const one = sample();
  const { values } = await show({ ...one, measured: one.measured.slice(1) });
  expect(values.get('patchroom_tracks_unmeasured')).toBe(1);
  expect(values.get('patchroom_tracks{kind="audio"}')).toBe(1);
});

test('every state of a relay has its figure', async () => {
  const { values } = await show(sample());
  const states = [...values.keys()].flatMap(
    (series) => /^patchroom_relays\{state="(\w+)"\}/.exec(series)?.[1] ?? [],
  );
  expect(states).toEqual([...DELIVERY_STATES]);
});

describe('the guide', () => {
  const guide = fs.readFileSync(new URL('../../../docs/guides/metrics.md', import.meta.url), 'utf8');
  const rows = guide
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, name = '', type, labels = '', meaning]) => ({ name: name.slice(1, -1), type, labels, meaning }));

  test('names the metrics that are served, each once, with its type', async () => {
    const { types } = await show(sample());
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.map(({ name, type }) => `${name} ${type}`).sort()).toEqual(
      [...types].map(([name, type]) => `${name} ${type}`).sort(),
    );
  });

  test('names the labels of ours, and says what each means', async () => {
    const exposition = await show(sample());
    for (const { name, labels, meaning } of rows.filter((row) => row.name.startsWith('patchroom_'))) {
      const named = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label!);
      expect([name, named]).toEqual([name, exposition.labelsOf(name)]);
      expect(meaning).toMatch(/\w/);
    }
  });
});
