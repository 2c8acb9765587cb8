import { describe, expect, test } from 'vitest';
import { COMMANDS, runCommandLine } from '../../../src/cli/command-line.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

async function type(...words: string[]) {
  const terminal = new FakeTerminal();
  const code = await runCommandLine(words, terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

describe('what is not understood ends with 2, and with what to type', () => {
  test.each<[string, string[], string, string]>([
    ['nothing at all', [], '', './patchroom start [options]'],
    ['an unknown command', ['strat'], 'There is no command "strat".', './patchroom start [options]'],
    ['an option for a command', ['--config', 'x'], 'There is no command "--config".', './patchroom start'],
    ['a command that is half', ['relay'], '', './patchroom relay stop <room> <id> [options]'],
    [
      'an unknown second word',
      ['relay', 'stpo'],
      'There is no command "relay stpo".',
      './patchroom relay list',
    ],
    ['an unknown option', ['rooms', '--jsno'], "Unknown option '--jsno'.", './patchroom rooms [options]'],
    ['an option of another command', ['start', '--json'], "Unknown option '--json'.", './patchroom start'],
    ['an option without its value', ['start', '--config'], 'argument missing.', './patchroom start'],
    ['a value for a switch', ['rooms', '--json=yes'], 'does not take an argument', './patchroom rooms'],
    ['an operand too few', ['relay', 'stop', 'a'], '<id> is missing.', './patchroom relay stop <room> <id>'],
    ['an operand too many', ['relay', 'list', 'a', 'b'], '"b" is too much.', './patchroom relay list <room>'],
    ['no file', ['check-config'], '<file> is missing.', './patchroom check-config <file>'],
    ['no address of a server', ['rooms', '--url', 'localhost:8080'], '--url must be', './patchroom rooms'],
    ['a password in it', ['rooms', '--url', 'http://a:b@c'], '--url must be', './patchroom rooms'],
  ])('%s', async (_, words, problem, usage) => {
    const { code, output, errors } = await type(...words);
    expect([code, output]).toEqual([2, '']);
    expect(errors).toContain(problem);
    expect(errors).toContain(usage);
    expect(errors).toContain('--help');
  });
});

describe('help', () => {
  test.each([['--help'], ['help']])('%s shows every command', async (word) => {
    const { code, output, errors } = await type(word);
    expect([code, errors]).toEqual([0, '']);
    for (const { name, summary } of COMMANDS) {
      expect(output).toContain(`./patchroom ${name}`);
      expect(output).toContain(summary);
    }
  });

  test.each(COMMANDS.map(({ name }) => [name]))(
    'of %s shows its options, whatever else is missing',
    async (name) => {
      const { code, output, errors } = await type(...name.split(' '), '--help');
      const { options, operands } = COMMANDS.find((command) => command.name === name)!;
      expect([code, errors]).toEqual([0, '']);
      for (const option of [...Object.keys(options), 'help']) expect(output).toContain(`--${option}`);
      for (const operand of operands) expect(output).toContain(operand);
    },
  );

  test('of a group shows what is in it only', async () => {
    const { code, output } = await type('relay', '--help');
    expect(code).toBe(0);
    expect(output).toContain('./patchroom relay list');
    expect(output).not.toContain('./patchroom start');
  });
});
