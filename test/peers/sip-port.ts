import type { Server } from '../../src/server.ts';

/** Where a server listens for SIP. */
export function sipPort(server: Pick<Server, 'waysIn'>): number {
  const [, address = ''] = server.waysIn.find(([name]) => name === 'phone') ?? [];
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
