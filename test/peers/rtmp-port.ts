import type { Server } from '../../src/server.ts';

/** Where a server takes RTMP, as it says itself. */
export function rtmpPort(server: Pick<Server, 'waysIn'>): number {
  const way = server.waysIn.find(([name]) => name === 'OBS');
  return Number(/:(\d+)\/live/.exec(way?.[1] ?? '')?.[1]);
}
