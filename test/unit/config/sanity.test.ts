import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../config/load.ts';
import { mustMakeSense } from '../../../config/sanity.ts';
import { API, configFile } from '../support/config-file.ts';

function problemsOf(yaml: string): string {
  try {
    mustMakeSense(loadConfig(configFile(yaml), {}));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const KEYS = 'keys: [{ key: 0123456789abcdef, room: a, name: b }]';

describe('a configuration makes no sense when', () => {
  test.each<[string, string, RegExp]>([
    [
      'two servers have one port',
      `${API}http: { port: 1935 }\nrtmp: { ${KEYS} }\n`,
      /http\.port \(1935\) and rtmp\.port/,
    ],
    [
      'RTMP and RTMPS have one port',
      `${API}rtmp: { tlsPort: 1935, ${KEYS} }\n`,
      /rtmp\.port .*rtmp\.tlsPort/,
    ],
    ['the page has a port of the media', `${API}http: { port: 44400 }\n`, /http\.port .*webrtc\.port .*TCP/],
    [
      'phones and processes share ports',
      `${API}network: { rtpPorts: { min: 40000, max: 45000 } }\n`,
      /network\.rtpPorts \(40000 to 45000\) and network\.loopbackPorts/,
    ],
    [
      "browsers' media lies among phones' ports",
      `${API}webrtc: { port: 40010 }\n`,
      /webrtc\.port .*network\.rtpPorts .*UDP/,
    ],
    ['everybody may call', `${API}sip: { allow: [0.0.0.0/0] }\n`, /sip\.allow permits every address/],
    ['everybody may call by IPv6', `${API}sip: { allow: ["::/0"] }\n`, /sip\.allow permits every address/],
    [
      "the API's secret is that of the README",
      'api: { keys: { my-app: a-random-secret-of-32-characters-or-more } }\n',
      /api\.keys\.my-app is the placeholder/,
    ],
    [
      'a stream key is that of the guide',
      `${API}rtmp: { keys: [{ key: a-random-secret-of-16-characters-or-more, room: a, name: b }] }\n`,
      /rtmp\.keys\[0\]\.key is the placeholder/,
    ],
    [
      "the metrics' token is that of the example",
      `${API}http: { metricsToken: replace-this-token-by-a-random-one }\n`,
      /http\.metricsToken is the placeholder/,
    ],
  ])('%s', (_, yaml, problem) => {
    expect(problemsOf(yaml)).toMatch(problem);
  });
});

test.each<[string, string]>([
  ['says nothing', API],
  [
    'lets the system choose its ports',
    `${API}http: { port: 0 }\nwebrtc: { port: 0 }\nrtmp: { port: 0, tlsPort: 0, ${KEYS} }\n`,
  ],
  ['has a port of a gateway that is off', `${API}http: { port: 1935 }\n`],
  ["has one port for UDP and another server's TCP", `${API}http: { port: 40000 }\n`],
])('a configuration makes sense that %s', (_, yaml) => {
  expect(problemsOf(yaml)).toBe('');
});
