import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../../config/environment.ts';
import { loadConfig } from '../../../config/load.ts';
import type { Config } from '../../../config/schema.ts';
import { API, complaint, configFile } from '../support/config-file.ts';

type Variable = keyof typeof VARIABLES;

/** A value for every variable, where it goes, and a value that it cannot have. */
const CASES: [Variable, string, (config: Config) => unknown, unknown, string][] = [
  ['PATCHROOM_BIND', '127.0.0.2', ({ network }) => network.bind, '127.0.0.2', 'localhost'],
  ['PATCHROOM_ANNOUNCE', 'a.example', ({ network }) => network.announce, 'a.example', 'http://a.example'],
  ['PATCHROOM_HTTP_PORT', '8081', ({ http }) => http.port, 8081, '80a'],
  ['PATCHROOM_WEBRTC_PORT', '0', ({ webrtc }) => webrtc.port, 0, '-1'],
  ['PATCHROOM_SIP_PORT', '5070', ({ sip }) => sip.port, 5070, 'sip'],
  ['PATCHROOM_RTMP_PORT', '1940', ({ rtmp }) => rtmp.port, 1940, 'rtmp'],
  ['PATCHROOM_HUB_WORKERS', '2', ({ workers }) => workers.hubs, 2, '1.5'],
  ['PATCHROOM_MEDIA_WORKERS', '3', ({ workers }) => workers.media, 3, ''],
  ['PATCHROOM_LOG_LEVEL', 'debug', ({ log }) => log.level, 'debug', 'loud'],
];

const OTHER_VALUES = `${API}network: { bind: 0.0.0.0, announce: b.example }
http: { port: 1 }
webrtc: { port: 2 }
workers: { hubs: 4, media: 5 }
log: { level: error }
`;

test('every variable is tried here', () => {
  expect(CASES.map(([variable]) => variable)).toEqual(Object.keys(VARIABLES));
});

describe.each(CASES)('%s', (variable, text, pick, value, bad) => {
  test.each([
    ['demo mode', undefined],
    ['a file that does not say it', API],
    ['a file that says otherwise', OTHER_VALUES],
  ])('overrides %s', (_, yaml) => {
    const file = yaml === undefined ? undefined : configFile(yaml);
    expect(pick(loadConfig(file, { [variable]: text }))).toBe(value);
  });

  test.each([
    ['demo mode', undefined],
    ['a file that does not say it', API],
    ['a file that says it', OTHER_VALUES],
  ])(`is refused by its name with the value "${bad}", over %s`, (_, yaml) => {
    const file = yaml === undefined ? undefined : configFile(yaml);
    const sentence = complaint(file, { [variable]: bad });
    expect(sentence).toMatch(new RegExp(`^${variable}: .*\\.$`));
    expect(sentence).not.toContain('is missing');
  });
});

test('a variable that does not exist is refused by its name, all of them at once', () => {
  const environment = { PATCHROOM_PORT: '1', PATCHROOM_httpPort: '2', PATCHROOM_HTTP_PORT: '3' };
  const sentence = complaint(undefined, environment);
  expect(sentence).toMatch(/^PATCHROOM_PORT, PATCHROOM_httpPort: no such setting/);
  expect(sentence).not.toContain('PATCHROOM_HTTP_PORT');
});

test.each(['PATCHROOM_CONFIG', 'PATCHROOM_CACHE', 'HTTP_PORT', 'patchroom_x', 'PATCHROOMS'])(
  'the variable %s is none of these',
  (variable) => {
    expect(loadConfig(undefined, { [variable]: 'x' })).toEqual(loadConfig(undefined, {}));
  },
);

describe('demo mode', () => {
  test('is for this machine only, with a well-known key', () => {
    const config = loadConfig(undefined, {});
    expect(config).toMatchObject({
      demo: true,
      network: { bind: '127.0.0.1' },
      api: { keys: { devkey: 'secret' } },
      log: { level: 'warn' },
    });
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1'])('may listen on %s', (bind) => {
    expect(loadConfig(undefined, { PATCHROOM_BIND: bind }).network.bind).toBe(bind);
  });

  test.each(['0.0.0.0', '::', '10.0.0.1', '192.0.2.127', '2001:db8::1', '::10', '::1:1', '1270::1'])(
    'may not listen on %s',
    (bind) => {
      expect(complaint(undefined, { PATCHROOM_BIND: bind })).toContain(
        `Demo mode is for this machine only and cannot listen on ${bind}`,
      );
    },
  );

  test('is not entered with a file, whatever the file says', () => {
    expect(loadConfig(configFile(API), { PATCHROOM_BIND: '127.0.0.1' }).demo).toBe(false);
  });
});
