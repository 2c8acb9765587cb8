import { isIPv6 } from 'node:net';
import { write } from 'sdp-transform';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import type { MediaLine } from './description.ts';
import type { Direction, LocalMedia, PhoneCodec } from './media.ts';

/** The length of the packets that we send, in ms. */
const PTIME_MS = 20;
/** The sixteen digits of RFC 4733, section 3.2, and the hook flash. */
const EVENTS = '0-16';

/** The audio line of a description of ours. */
export interface AudioSection {
  /** 'RTP/AVP', or what the offer has. */
  readonly protocol: string;
  readonly codecs: readonly { readonly name: PhoneCodec; readonly payloadType: number }[];
  readonly digits: readonly { readonly payloadType: number; readonly clockRate: number }[];
  readonly direction: Direction;
  readonly rtcpMux: boolean;
}

/** Writes a description with these m= lines in order: our audio, and lines of the offer that are refused. */
export function writeDescription(local: LocalMedia, lines: readonly (AudioSection | MediaLine)[]): string {
  const version = isIPv6(local.address) ? 6 : 4;
  return write({
    version: 0,
    origin: {
      username: 'patchroom',
      sessionId: local.sessionId,
      sessionVersion: local.version,
      netType: 'IN',
      ipVer: version,
      address: local.address,
    },
    name: '-',
    connection: { version, ip: local.address },
    timing: { start: 0, stop: 0 },
    media: lines.map((line) => ('codecs' in line ? audioLine(local, line) : refusedLine(line))),
  });
}

/** Port 0 refuses a line; its formats mean nothing then, but one has to be there (RFC 3264, section 6). */
function refusedLine({ type, protocol, formats }: MediaLine) {
  return { type, port: 0, protocol, payloads: formats.join(' ') || '0', rtp: [], fmtp: [] };
}

function audioLine(local: LocalMedia, { protocol, codecs, digits, direction, rtcpMux }: AudioSection) {
  const hasOwnRtcpPort = !rtcpMux && local.rtcpPort !== local.rtpPort + 1;
  return {
    type: 'audio',
    port: local.rtpPort,
    protocol,
    payloads: [...codecs, ...digits].map(({ payloadType }) => payloadType).join(' '),
    rtp: [
      ...codecs.map(({ name, payloadType }) => {
        const { clockRate, channels } = AUDIO_CODECS[name];
        return {
          payload: payloadType,
          codec: name,
          rate: clockRate,
          encoding: channels > 1 ? channels : undefined,
        };
      }),
      ...digits.map(({ payloadType, clockRate }) => {
        return { payload: payloadType, codec: 'telephone-event', rate: clockRate };
      }),
    ],
    fmtp: [
      ...codecs
        .filter(({ name }) => name === 'opus')
        .map(({ payloadType }) => ({ payload: payloadType, config: 'useinbandfec=1' })),
      ...digits.map(({ payloadType }) => ({ payload: payloadType, config: EVENTS })),
    ],
    rtcp: hasOwnRtcpPort ? { port: local.rtcpPort } : undefined,
    rtcpMux: rtcpMux ? ('rtcp-mux' as const) : undefined,
    ptime: PTIME_MS,
    direction,
  };
}
