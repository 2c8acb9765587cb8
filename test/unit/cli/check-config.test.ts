import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { API, configFile } from '../support/config-file.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

async function check(file: string, environment: NodeJS.ProcessEnv = {}) {
  const terminal = new FakeTerminal([], environment);
  const code = await runCommandLine(['check-config', file], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

const SECRETS =
  'sip: { allow: [192.0.2.1, 10.0.0.0/8] }\nrtmp:\n  tlsPort: 1936\n  keys: [{ key: 0123456789abcdef-secret, room: a, name: b }]\nhttp: { port: 0, metricsToken: 0123456789abcdef-token }\n';

describe('a good file', () => {
  test.each<[string, string, string[]]>([
    [
      'that says nothing else',
      API,
      ['http, port 8080', 'off (sip.allow is empty)', 'off (rtmp.keys is empty)', '1 key'],
    ],
    [
      'that switches everything on',
      `${API}${SECRETS}`,
      [
        'http, port (any free one)',
        'port 5060; 2 addresses or networks may call',
        'port 1935, RTMPS port 1936; 1 stream key',
        'http.metricsToken',
      ],
    ],
  ])('%s', async (_, yaml, parts) => {
    const file = configFile(yaml);
    const { code, output, errors } = await check(file);
    expect([code, errors]).toEqual([0, '']);
    expect(output.split('\n')[0]).toBe(`${file} is fine.`);
    for (const part of parts) expect(output).toContain(part);
  });

  test('shows none of its secrets', async () => {
    const { output } = await check(configFile(`${API}${SECRETS}`));
    expect(output).not.toContain('0123456789abcdef');
  });

  test('is shown with what the environment makes of it', async () => {
    expect((await check(configFile(API), { PATCHROOM_HTTP_PORT: '9999' })).output).toContain('port 9999');
  });
});

describe('a bad file ends with 1 and', () => {
  test.each<[string, string, RegExp]>([
    ['line and key', `${API}http:\n  prot: 1\n`, /, line 5: http\.prot: there is no such key\.\n$/],
    [
      'every mistake',
      `${API}http:\n  port: x\nlog:\n  level: y\n`,
      /, line 5: http\.port: .*\n.*, line 7: log\.level: .*\n$/,
    ],
    [
      'the file of its certificate',
      `${API}http:\n  tls: { cert: no.pem, key: no.pem }\n`,
      /^The TLS file .*no\.pem cannot be read/,
    ],
    [
      'a token that is too short',
      `${API}http:\n  metricsToken: short\n`,
      /, line 5: http\.metricsToken: must have 16 /,
    ],
    [
      'a token with a space',
      `${API}http:\n  metricsToken: 0123456789 abcdefg\n`,
      /line 5: http\.metricsToken: must/,
    ],
  ])('%s', async (_, yaml, problem) => {
    const { code, output, errors } = await check(configFile(yaml));
    expect([code, output]).toEqual([1, '']);
    expect(errors).toMatch(problem);
    expect(errors).not.toContain('    at ');
  });
});
