import { loadConfig } from '../../config/load.ts';
import { mustMakeSense } from '../../config/sanity.ts';
import type { Config } from '../../config/schema.ts';
import { readCertificate } from '../base/certificate.ts';
import type { Command } from './command.ts';

export const checkConfig: Command = {
  name: 'check-config',
  summary: 'Says what is wrong with a configuration, with line and key, or what it would start.',
  operands: ['<file>'],
  options: {},
  notes: ['Nothing is started. PATCHROOM_… variables override the file, as they do for start.'],
  async run(given, { environment, print }) {
    const file = given.operand(0);
    const config = loadConfig(file, environment);
    mustMakeSense(config);
    if (config.http.tls) readCertificate(config.http.tls);
    print([`${file} is fine.`, ...summaryOf(config).map((line) => `  ${line}`)].join('\n'));
    return 0;
  },
};

/** What it would start, a line each. It has no secrets. */
export function summaryOf(config: Config): string[] {
  const { network, http, webrtc, sip, rtmp, api, rooms } = config;
  const scheme = http.tls ? 'https' : 'http';
  const lines: [string, string][] = [
    ['browsers', `${scheme}, port ${portOf(http.port)}; media on UDP and TCP ${portOf(webrtc.port)} and up`],
    [
      'phones',
      sip.allow.length > 0
        ? `port ${portOf(sip.port)}; ${count(sip.allow.length, 'address or network', 'addresses or networks')} may call`
        : 'off (sip.allow is empty)',
    ],
    ['encoders', encoders(rtmp)],
    ['listens', `on ${network.bind}${network.announce ? `, announced as ${network.announce}` : ''}`],
    [
      'rooms',
      `${rooms.maxRooms} at once, with ${rooms.maxParticipants || 'any number of'} participants each`,
    ],
    ['API', count(Object.keys(api.keys).length, 'key', 'keys')],
    ['metrics', `for tokens with roomList${http.metricsToken ? ' and http.metricsToken' : ''}`],
  ];
  return lines.map(([name, text]) => `${name.padEnd(9)} ${text}`);
}

function encoders({ keys, port, tlsPort }: Config['rtmp']): string {
  if (keys.length === 0) return 'off (rtmp.keys is empty)';
  const secure = tlsPort === undefined ? '' : `, RTMPS port ${portOf(tlsPort)}`;
  return `port ${portOf(port)}${secure}; ${count(keys.length, 'stream key', 'stream keys')}`;
}

function portOf(port: number): string {
  return port === 0 ? '(any free one)' : String(port);
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
