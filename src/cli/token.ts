import { createToken } from '../api/tokens.ts';
import { mustBeRoomName } from '../room/directory.ts';
import { type Command, type Given, UsageError } from './command.ts';
import { CONFIG_OPTION, givenConfig, KEY_OPTION, signingKey } from './config-option.ts';

const DEFAULT_HOURS = 6;
/** Ten years: whoever wants a token for longer wants no token. */
const MAX_HOURS = 24 * 365 * 10;

export const token: Command = {
  name: 'token',
  summary: 'Prints an access token, which is all that it prints.',
  operands: [],
  synopsis: '--room ROOM --identity ID [options]',
  options: {
    room: { value: 'ROOM', text: 'the room that its bearer may join' },
    identity: { value: 'ID', text: 'who its bearer is; needed with --room' },
    name: { value: 'NAME', text: 'how others see him' },
    admin: { text: 'he may mute and remove others, and read the room (roomAdmin)' },
    record: { text: 'he may send the room out (roomRecord)' },
    list: { text: 'he may list rooms and read /metrics (roomList)' },
    hours: { value: 'HOURS', text: `how long it holds, from now; ${DEFAULT_HOURS} without it` },
    key: KEY_OPTION,
    config: CONFIG_OPTION,
  },
  async run(given, terminal) {
    const { identity, video } = wanted(given);
    const hours = hoursOf(given.text('hours'));
    const { key, secret } = signingKey(givenConfig(given, terminal), given.text('key'));
    const name = given.text('name');
    const grant = { identity, ...(name ? { name } : {}), video };
    terminal.print(await createToken(key, secret, grant, Math.round(hours * 3600)));
    return 0;
  },
};

function wanted(given: Given) {
  const room = given.text('room');
  const identity = given.text('identity');
  const [admin, record, list] = ['admin', 'record', 'list'].map((option) => given.flag(option));
  if (room === undefined && !list) throw new UsageError('--room is missing (or --list, for no room).');
  if (room === undefined && (admin || record)) throw new UsageError('--admin and --record need --room.');
  if (room !== undefined) {
    mustBeRoomName(room);
    if (!identity) throw new UsageError('--identity is missing.');
  }
  const video = {
    ...(room === undefined ? {} : { roomJoin: true, room }),
    ...(admin ? { roomAdmin: true } : {}),
    ...(record ? { roomRecord: true } : {}),
    ...(list ? { roomList: true } : {}),
  };
  return { identity: identity || 'command-line', video };
}

function hoursOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_HOURS;
  const hours = text.trim() ? Number(text) : Number.NaN;
  if (hours > 0 && hours <= MAX_HOURS) return hours;
  throw new UsageError(`--hours must be a number above 0 and up to ${MAX_HOURS}.`);
}
