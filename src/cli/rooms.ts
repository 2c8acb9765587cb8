import { z } from 'zod';
import { ApiClient, CLIENT_OPTIONS, RefusedError } from './api-client.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';

const server = z.object({ rooms: z.array(z.object({ name: z.string() })) });
const room = z.object({
  name: z.string(),
  participants: z.array(
    z.object({
      identity: z.string(),
      name: z.string(),
      kind: z.string(),
      tracks: z.array(
        z.object({
          kind: z.string(),
          purpose: z.string(),
          codec: z.object({ name: z.string() }),
          muted: z.boolean(),
        }),
      ),
    }),
  ),
});
export type ListedRoom = z.infer<typeof room>;

/** Each request has the server ask its processes. */
const AT_ONCE = 4;

export const rooms: Command = {
  name: 'rooms',
  summary: 'Lists the open rooms: who is there, and what they publish.',
  operands: [],
  options: { ...CLIENT_OPTIONS, json: { text: 'as JSON, with every participant' } },
  async run(given, terminal) {
    const client = ApiClient.from(given, terminal);
    const list = await client.ask('GET', ['api', 'server'], { roomList: true }, server);
    const found: ListedRoom[] = [];
    for (let at = 0; at < list.rooms.length; at += AT_ONCE) {
      const some = list.rooms.slice(at, at + AT_ONCE).map(({ name }) => readRoom(client, name));
      found.push(...(await Promise.all(some)).flat());
    }
    terminal.print(given.flag('json') ? JSON.stringify(found, undefined, 2) : roomTable(found));
    return 0;
  },
};

/** @returns nothing for a room that has closed meanwhile */
async function readRoom(client: ApiClient, name: string): Promise<ListedRoom[]> {
  try {
    return [await client.ask('GET', ['api', 'rooms', name], { roomAdmin: true, room: name }, room)];
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return [];
    throw error;
  }
}

export function roomTable(found: readonly ListedRoom[]): string {
  if (found.length === 0) return 'No room is open.';
  return table(
    ['ROOM', 'PARTICIPANTS', 'PUBLISHED'],
    found.map(({ name, participants }) => [
      name,
      tally(participants.map(({ kind }) => kind)) || 'nobody',
      tally(
        participants.flatMap(({ tracks }) =>
          tracks.map(({ purpose, codec, muted }) => `${purpose} ${codec.name}${muted ? ' muted' : ''}`),
        ),
      ) || 'nothing',
    ]),
  );
}

/** `2 phone, 1 browser`: the most frequent first. */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ');
}
