import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../../src/server.ts';
import { Phone } from '../peers/phone.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';
import { readExposition } from '../unit/support/exposition.ts';

/** What Prometheus reads of a server with a call in it. */

const TOKEN = 'a-token-for-prometheus';
let demo: Server;
let closed: Server;
beforeAll(async () => {
  [demo, closed] = await Promise.all([
    startServer(),
    startServer({ demo: false, config: { http: { metricsToken: TOKEN } } }),
  ]);
});
afterAll(async () => {
  Phone.closeAll();
  await Promise.all([demo.stop(), closed.stop()]);
});

async function read(server = demo) {
  const response = await fetch(`${server.url}/metrics`);
  expect(response.status).toBe(200);
  return readExposition(await response.text()).values;
}

/** Until a figure is that, with all that was read then. */
async function until(series: string, value: (is: number) => boolean) {
  let values = await read();
  await expect
    .poll(
      async () => {
        values = await read();
        return value(values.get(series) ?? Number.NaN);
      },
      { interval: 300 },
    )
    .toBe(true);
  return values;
}

test('a call is counted while it lasts, and its packets for good', async () => {
  const received = 'patchroom_packets_received_total{gateway="sip",kind="audio"}';
  expect((await read()).get('patchroom_calls')).toBe(0);
  const phone = await Phone.call(sipPort(demo), { room: 'metrics-room' });
  const during = await until(received, (packets) => packets > 10);
  expect(during.get('patchroom_calls')).toBe(1);
  expect(during.get('patchroom_participants{kind="phone"}')).toBe(1);
  expect(during.get('patchroom_participants{kind="browser"}')).toBe(0);
  expect(during.get('patchroom_rooms')).toBe(1);
  expect(during.get('patchroom_tracks{kind="audio"}')).toBe(1);
  expect(during.get('patchroom_tracks_unmeasured')).toBe(0);
  expect(during.get('patchroom_gateway_figure{gateway="sip",figure="callsTotal"}')).toBe(1);
  await phone.hangUp();
  const after = await until('patchroom_calls', (calls) => calls === 0);
  expect(after.get('patchroom_participants{kind="phone"}')).toBe(0);
  expect(after.get('patchroom_tracks{kind="audio"}')).toBe(0);
  expect(after.get(received)).toBeGreaterThanOrEqual(during.get(received)!);
});

test('every worker shows by its place; one that does not answer is left out until it does', async () => {
  const cpu = (kind: string) => `patchroom_worker_cpu_seconds_total{kind="${kind}",index="0"}`;
  const before = await read();
  expect(before.get(cpu('hub'))).toBeGreaterThan(0);
  expect(before.get(cpu('media'))).toBeGreaterThan(0);
  expect(before.get('patchroom_worker_memory_bytes{kind="media",index="0"}')).toBeGreaterThan(1e7);
  expect(before.get('patchroom_mixer_ticks_skipped_total{index="0"}')).toBeGreaterThanOrEqual(0);
  const hub = (await demo.plane.statistics()).find(({ kind }) => kind === 'hub')!;
  process.kill(hub.pid, 'SIGSTOP');
  try {
    const during = await until(cpu('hub'), Number.isNaN);
    expect(during.get(cpu('media'))).toBeGreaterThan(0);
  } finally {
    process.kill(hub.pid, 'SIGCONT');
  }
  await until(cpu('hub'), (seconds) => seconds > 0);
});

test('a worker that died is counted, and its replacement has its place', async () => {
  const { pid } = (await demo.plane.statistics()).find(({ kind }) => kind === 'media')!;
  process.kill(pid, 'SIGKILL');
  const values = await until('patchroom_worker_deaths_total{kind="media"}', (deaths) => deaths === 1);
  expect(values.get('patchroom_worker_deaths_total{kind="hub"}')).toBe(0);
  await until('patchroom_worker_memory_bytes{kind="media",index="0"}', (bytes) => bytes > 0);
});

test('outside demo mode the configured token reads it, and nothing else does', async () => {
  const status = async (authorization?: string) =>
    (await fetch(`${closed.url}/metrics`, { headers: authorization ? { authorization } : {} })).status;
  expect([await status(), await status('Bearer wrong'), await status(`Bearer ${TOKEN}`)]).toEqual([
    401, 401, 200,
  ]);
});
