import { availableParallelism } from 'node:os';
import { ConfigError } from './load.ts';
import type { Config } from './schema.ts';

/** Secrets that stand in the documentation are known to whoever reads it. */
const PLACEHOLDER = /\b(?:replace-this|a-random-secret|the-secret-of-your|the-static-auth-secret-of)\b/;
const EVERYBODY = /^(?:0\.0\.0\.0|::)\/0$/;

interface Ports {
  readonly what: string;
  readonly protocols: readonly ('UDP' | 'TCP')[];
  readonly min: number;
  readonly max: number;
}

/**
 * What no schema sees: settings that are right one by one and wrong together, or that nobody can have meant.
 * @throws ConfigError with a sentence for each
 */
export function mustMakeSense(config: Config): void {
  const problems = [...clashes(portsOf(config)), ...placeholders(config), ...openDoors(config)];
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
}

function portsOf({ http, webrtc, sip, rtmp, network, workers }: Config): Ports[] {
  // Each hub worker takes the next port.
  const hubs = workers.hubs || availableParallelism();
  const one = (what: string, port: number | undefined, protocols: Ports['protocols']): Ports[] =>
    port ? [{ what, protocols, min: port, max: port }] : [];
  return [
    ...one('http.port', http.port, ['TCP']),
    ...(webrtc.port > 0
      ? [
          {
            what: 'webrtc.port',
            protocols: ['UDP', 'TCP'] as const,
            min: webrtc.port,
            max: webrtc.port + hubs - 1,
          },
        ]
      : []),
    ...(sip.allow.length > 0 ? one('sip.port', sip.port, ['UDP', 'TCP']) : []),
    ...(rtmp.keys.length > 0 ? one('rtmp.port', rtmp.port, ['TCP']) : []),
    ...(rtmp.keys.length > 0 ? one('rtmp.tlsPort', rtmp.tlsPort, ['TCP']) : []),
    { what: 'network.rtpPorts', protocols: ['UDP'], ...network.rtpPorts },
    { what: 'network.loopbackPorts', protocols: ['UDP'], ...network.loopbackPorts },
  ];
}

function clashes(all: readonly Ports[]): string[] {
  return all.flatMap((ports, index) =>
    all.slice(index + 1).flatMap((other) => {
      const protocol = ports.protocols.find((one) => other.protocols.includes(one));
      const overlaps = ports.min <= other.max && other.min <= ports.max;
      return protocol && overlaps
        ? [
            `${ports.what} (${rangeOf(ports)}) and ${other.what} (${rangeOf(other)}) overlap: give each its own ${protocol} ports.`,
          ]
        : [];
    }),
  );
}

function rangeOf({ min, max }: Ports): string {
  return min === max ? String(min) : `${min} to ${max}`;
}

function placeholders({ api, rtmp, http, sip }: Config): string[] {
  const secrets: [string, string | undefined][] = [
    ...Object.entries(api.keys).map(([key, secret]): [string, string] => [`api.keys.${key}`, secret]),
    ...rtmp.keys.map(({ key }, index): [string, string] => [`rtmp.keys[${index}].key`, key]),
    ['http.metricsToken', http.metricsToken],
    ['sip.engineSecret', sip.engineSecret],
  ];
  return secrets.flatMap(([what, secret]) =>
    secret !== undefined && PLACEHOLDER.test(secret)
      ? [
          `${what} is the placeholder of the documentation, which everybody knows: make a secret with "openssl rand -hex 24".`,
        ]
      : [],
  );
}

function openDoors({ sip }: Config): string[] {
  return sip.allow.some((entry) => EVERYBODY.test(entry))
    ? [
        'sip.allow permits every address: within minutes strangers would call. List your PBX or carrier instead.',
      ]
    : [];
}
