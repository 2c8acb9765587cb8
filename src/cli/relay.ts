import { z } from 'zod';
import { ApiClient, CLIENT_OPTIONS } from './api-client.ts';
import { type Command, UsageError } from './command.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

const relay = z.object({
  id: z.string(),
  /** Without its key. */
  address: z.string(),
  state: z.string(),
  reason: z.string(),
  bitrateBps: z.number(),
  framesDropped: z.number(),
  retries: z.number(),
  uptimeMs: z.number(),
  startedAt: z.union([z.string(), z.number()]),
});
export type ListedRelay = z.infer<typeof relay>;
const relays = z.object({ relays: z.array(relay) });

const MAX_ADDRESS = 4096;

/** What the server asks for of whoever sends a room out. */
const grantFor = (room: string) => ({ roomRecord: true, room });
const pathOf = (room: string) => ['api', 'rooms', room, 'relays'];

export const startRelay: Command = {
  name: 'relay start',
  summary: 'Sends a room out to a CDN, until it is stopped or the room closes.',
  operands: ['<room>', '<rtmp-url>'],
  options: CLIENT_OPTIONS,
  notes: [
    'The address has the stream key at its end. Everybody on this machine can see what is typed here (ps):',
    'with - as the address, it is the first line of standard input.',
    '',
    '  ./patchroom relay start standup - < address.txt',
  ],
  async run(given, terminal) {
    const room = given.operand(0);
    const client = ApiClient.from(given, terminal);
    const address = await addressFrom(given.operand(1), terminal);
    const { id, ...made } = await client.ask('POST', pathOf(room), grantFor(room), relay, { address });
    terminal.print(`${id}  ${made.state}  ${made.address}`);
    return 0;
  },
};

export const listRelays: Command = {
  name: 'relay list',
  summary: 'Lists where a room goes out to, and how that is doing.',
  operands: ['<room>'],
  options: { ...CLIENT_OPTIONS, json: { text: 'as JSON' } },
  async run(given, terminal) {
    const room = given.operand(0);
    const client = ApiClient.from(given, terminal);
    const { relays: found } = await client.ask('GET', pathOf(room), grantFor(room), relays);
    terminal.print(given.flag('json') ? JSON.stringify(found, undefined, 2) : relayTable(found));
    return 0;
  },
};

export const stopRelay: Command = {
  name: 'relay stop',
  summary: 'Ends a relay. Its id is in the list.',
  operands: ['<room>', '<id>'],
  options: CLIENT_OPTIONS,
  async run(given, terminal) {
    const [room, id] = [given.operand(0), given.operand(1)];
    const client = ApiClient.from(given, terminal);
    await client.ask('DELETE', [...pathOf(room), id], grantFor(room), z.unknown());
    terminal.print(`${id} is stopped.`);
    return 0;
  },
};

export function relayTable(found: readonly ListedRelay[]): string {
  if (found.length === 0) return 'No relay runs.';
  return table(
    ['ID', 'STATE', 'BITRATE', 'DROPPED', 'RETRIES', 'LIVE FOR', 'ADDRESS', 'REASON'],
    found.map((one) => [
      one.id,
      one.state,
      `${(one.bitrateBps / 1e6).toFixed(2)} Mbit/s`,
      String(one.framesDropped),
      String(one.retries),
      duration(one.uptimeMs),
      one.address,
      one.reason,
    ]),
  );
}

/** `1:02:03`; empty for none. */
function duration(ms: number): string {
  if (ms <= 0) return '';
  const seconds = Math.floor(ms / 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Errors never repeat it: it has a secret. */
async function addressFrom(operand: string, terminal: Terminal): Promise<string> {
  if (operand !== '-') return operand;
  const line = (await terminal.readLine('Address with its stream key: '))?.trim();
  if (!line) throw new UsageError('Standard input has no address in its first line.');
  if (line.length > MAX_ADDRESS)
    throw new UsageError(`The address is longer than ${MAX_ADDRESS} characters.`);
  return line;
}
