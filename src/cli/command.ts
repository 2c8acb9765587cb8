import { parseArgs } from 'node:util';
import type { Terminal } from './terminal.ts';

/** Something was typed that is no command: exit code 2, and what to type instead. */
export class UsageError extends Error {}

/** A command could not do what it was asked for, in a sentence: exit code 1. */
export class CommandError extends Error {}

export interface Option {
  /** What its value is called in the help; absent for a switch. */
  readonly value?: string;
  readonly text: string;
}

export interface Command {
  /** One word or two: 'rooms', 'relay list'. */
  readonly name: string;
  readonly summary: string;
  /** What has to be given, in this order. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** In the place of '[options]', where some have to be given. */
  readonly synopsis?: string;
  /** More for its own help: lines. */
  readonly notes?: readonly string[];
  /** @returns the exit code. @throws UsageError, CommandError, PatchroomError or ConfigError in a sentence */
  run(given: Given, terminal: Terminal): Promise<number>;
}

/** What was typed after a command's name. */
export class Given {
  readonly operands: readonly string[];
  #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(operands: readonly string[], values: Readonly<Record<string, string | boolean | undefined>>) {
    this.operands = operands;
    this.#values = values;
  }

  /** @returns the operand at that place; the parser made sure that it is there */
  operand(at: number): string {
    const operand = this.operands[at];
    if (operand === undefined) throw new Error(`The command declares no operand ${at}.`);
    return operand;
  }

  text(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === 'string' ? value : undefined;
  }

  flag(option: string): boolean {
    return this.#values[option] === true;
  }
}

const HELP: Option = { text: 'this text' };

/**
 * Reads what was typed after a command's name. With --help, nothing else is asked for.
 * @throws UsageError
 */
export function parseGiven(command: Command, words: readonly string[]): Given {
  const options = Object.fromEntries(
    Object.entries(withHelp(command)).map(([name, { value }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  const { values, positionals } = parse(words, options);
  const given = new Given(positionals, values);
  if (given.flag('help')) return given;
  const missing = command.operands[positionals.length];
  if (missing) throw new UsageError(`${missing} is missing.`);
  const extra = positionals[command.operands.length];
  if (extra !== undefined) throw new UsageError(`"${extra}" is too much.`);
  return given;
}

/** One line: how it is typed. */
export function usageOf(command: Command): string {
  const options = command.synopsis ?? (Object.keys(command.options).length > 0 ? '[options]' : '');
  return ['./patchroom', command.name, ...command.operands, options].join(' ').trimEnd();
}

export function helpOf(command: Command): string {
  const rows = Object.entries(withHelp(command)).map(
    ([name, { value, text }]) => [`--${name}${value ? ` ${value}` : ''}`, text] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `usage: ${usageOf(command)}`,
    '',
    command.summary,
    ...(command.notes ?? []),
    '',
    ...rows.map(([left, text]) => `  ${left.padEnd(width)}  ${text}`),
  ].join('\n');
}

function withHelp({ options }: Command): Readonly<Record<string, Option>> {
  return { ...options, help: HELP };
}

function parse(words: readonly string[], options: Record<string, { type: 'string' | 'boolean' }>) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (error) {
    // What follows its first sentence is for those who call parseArgs.
    throw new UsageError(`${(error as Error).message.split(/[.\n]/)[0]}.`);
  }
}
