import { describe, expect, test } from 'vitest';
import { TokenVerifier } from '../../../src/api/tokens.ts';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { configFile } from '../support/config-file.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

const SECRETS = { first: 'a'.repeat(32), second: 'b'.repeat(32) };
const YAML = `api:\n  keys:\n    first: ${SECRETS.first}\n    second: ${SECRETS.second}\n`;
const DEMO = { devkey: 'secret' };
const ROOM = ['--room', 'a', '--identity', 'ann'];

async function type(words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const terminal = new FakeTerminal([], environment);
  const code = await runCommandLine(['token', ...words], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

/** The token that was printed, as a server with these keys reads it. */
async function granted(words: readonly string[], keys: Record<string, string> = DEMO) {
  const { code, output, errors } = await type(words);
  expect([code, errors]).toEqual([0, '']);
  expect(output).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const token = output.trim();
  const { exp, nbf } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
  return { grant: await new TokenVerifier(keys).verify(token), seconds: exp - nbf };
}

describe('a token is for what was asked', () => {
  test.each<[string[], object]>([
    [ROOM, { roomJoin: true, room: 'a' }],
    [[...ROOM, '--admin'], { roomJoin: true, room: 'a', roomAdmin: true }],
    [[...ROOM, '--record'], { roomJoin: true, room: 'a', roomRecord: true }],
    [[...ROOM, '--list', '--admin'], { roomJoin: true, room: 'a', roomAdmin: true, roomList: true }],
    [['--list'], { roomList: true }],
  ])('%j', async (words, video) => {
    expect((await granted(words)).grant.video).toEqual(video);
  });

  test('with the name that was given', async () => {
    const { grant } = await granted([...ROOM, '--name', 'Ann Ö.']);
    expect([grant.identity, grant.name]).toEqual(['ann', 'Ann Ö.']);
  });

  test.each([
    [[], 6 * 3600],
    [['--hours', '24'], 24 * 3600],
    [['--hours', '0.5'], 1800],
  ])('for so long: %j', async (words, seconds) => {
    // The two times are of clock readings that may fall into two seconds.
    expect(Math.abs((await granted([...ROOM, ...words])).seconds - seconds)).toBeLessThanOrEqual(1);
  });
});

describe('it is signed with', () => {
  test("the configuration's first key", async () => {
    await granted([...ROOM, '--config', configFile(YAML)], { first: SECRETS.first });
  });

  test('the key that was named', async () => {
    await granted([...ROOM, '--key', 'second', '--config', configFile(YAML)], { second: SECRETS.second });
  });

  test('the key of the file that the environment names', async () => {
    const { output } = await type(ROOM, { PATCHROOM_CONFIG: configFile(YAML) });
    await new TokenVerifier({ first: SECRETS.first }).verify(output.trim());
  });

  test.each(['third', 'constructor'])('no key that is not there: %s', async (key) => {
    const { code, output, errors } = await type([...ROOM, '--key', key, '--config', configFile(YAML)]);
    expect([code, output]).toEqual([1, '']);
    expect(errors).toBe(`There is no API key "${key}" in the configuration. It has: first, second.\n`);
  });
});

describe('refused', () => {
  test.each<[string[], number, string]>([
    [[], 2, '--room is missing'],
    [['--room', 'a'], 2, '--identity is missing'],
    [['--room', 'a', '--identity', ''], 2, '--identity is missing'],
    [['--list', '--admin'], 2, '--admin and --record need --room'],
    [[...ROOM, '--hours', '0'], 2, '--hours must be'],
    [[...ROOM, '--hours', 'six'], 2, '--hours must be'],
    [[...ROOM, '--hours', ' '], 2, '--hours must be'],
    [[...ROOM, '--hours', '87601'], 2, '--hours must be'],
    [[...ROOM, '--hours', 'NaN'], 2, '--hours must be'],
    [['--room', 'metrics', '--identity', 'ann'], 1, "cannot be a room's name"],
    [[...ROOM, '--config', '/nowhere.yaml'], 1, 'There is no config file /nowhere.yaml.'],
  ])('%j', async (words, code, problem) => {
    const { errors, ...rest } = await type(words);
    expect(rest).toEqual({ code, output: '' });
    expect(errors).toContain(problem);
    expect(errors).not.toContain('    at ');
  });
});
