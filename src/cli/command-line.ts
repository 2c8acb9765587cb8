import { ConfigError } from '../../config/load.ts';
import { PatchroomError } from '../base/errors.ts';
import { checkConfig } from './check-config.ts';
import { type Command, CommandError, helpOf, parseGiven, UsageError, usageOf } from './command.ts';
import { listRelays, startRelay, stopRelay } from './relay.ts';
import { rooms } from './rooms.ts';
import { start } from './start.ts';
import type { Terminal } from './terminal.ts';
import { token } from './token.ts';

export const COMMANDS: readonly Command[] = [
  start,
  checkConfig,
  token,
  rooms,
  startRelay,
  listRelays,
  stopRelay,
];

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Does what was typed.
 * @param words - without the program's name
 * @returns the exit code: 0 done, 1 not possible, 2 not understood
 */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<number> {
  const command = COMMANDS.find(({ name }) => startsWith(words, name.split(' ')));
  if (!command) return overview(words, terminal);
  try {
    const given = parseGiven(command, words.slice(command.name.split(' ').length));
    if (given.flag('help')) {
      terminal.print(helpOf(command));
      return 0;
    }
    return await command.run(given, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.complain(`${error.message}\nusage: ${usageOf(command)}\n${moreHelp(command.name)}`);
      return EXIT_USAGE;
    }
    const isExpected = [CommandError, ConfigError, PatchroomError].some((type) => error instanceof type);
    terminal.complain(isExpected ? (error as Error).message : ((error as Error)?.stack ?? String(error)));
    return EXIT_FAILED;
  }
}

function overview(words: readonly string[], terminal: Terminal): number {
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${words[0]} `));
  const listed = group.length > 0 ? group : COMMANDS;
  const help = [
    'usage:',
    ...listed.flatMap((command) => [`  ${usageOf(command)}`, `      ${command.summary}`]),
    '',
    moreHelp('<command>'),
  ].join('\n');
  const asked = group.length > 0 ? words[1] : words[0];
  if (asked === '--help' || asked === 'help') {
    terminal.print(help);
    return 0;
  }
  const unknown =
    asked === undefined
      ? []
      : [`There is no command "${words.slice(0, group.length > 0 ? 2 : 1).join(' ')}".`];
  terminal.complain([...unknown, help].join('\n'));
  return EXIT_USAGE;
}

function moreHelp(name: string): string {
  return `More: ./patchroom ${name} --help`;
}

function startsWith(words: readonly string[], name: readonly string[]): boolean {
  return name.every((word, at) => words[at] === word);
}
