import { BlockList, isIP } from 'node:net';
import { type MediaDescription, parse } from 'sdp-transform';
import { type Direction, UNKNOWN_ADDRESS } from './media.ts';

/**
 * Reads session descriptions (RFC 4566, RFC 8866). Only the lines that are used reach the parser, and each value that it
 * gives is checked: it takes anything for a description, and gives text where a number is not one.
 */

const MAX_DESCRIPTION_CHARACTERS = 65_536;
const MAX_LINES = 1000;
const MAX_MEDIA_LINES = 32;
/** As many as there are RTP payload types. */
const MAX_FORMATS = 128;

/** One m= line, with what the session's own lines say where it says nothing itself. */
export interface MediaLine {
  /** 'audio', 'video', 'image', 'application' and so on. */
  readonly type: string;
  /** 0 to 65535; 0 for a line that is not in use (RFC 3264, section 6). */
  readonly port: number;
  /** 'RTP/AVP', 'udptl' and so on. */
  readonly protocol: string;
  /** As they were written; payload types for RTP. */
  readonly formats: readonly string[];
  /** A unicast address or `UNKNOWN_ADDRESS`; undefined when there is no c= line of IP at all. */
  readonly address: string | undefined;
  /** With hold as RFC 2543 (appendix B.5) had it taken into account: a connection address of 0.0.0.0, or :: */
  readonly direction: Direction;
  readonly ptime: number | undefined;
  readonly maxptime: number | undefined;
  /** Of b=TIAS (RFC 3890), or what b=AS leaves without headers; bit/s. */
  readonly maxBitrateBps: number | undefined;
  readonly rtcpPort: number | undefined;
  readonly rtcpMux: boolean;
  readonly rtpMaps: ReadonlyMap<number, RtpMap>;
  /** Of a=fmtp, by payload type. */
  readonly parameters: ReadonlyMap<number, string>;
}

/** a=rtpmap (RFC 4566, section 6). */
export interface RtpMap {
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
}

export type Description = { readonly lines: readonly MediaLine[] } | { readonly malformed: string };

const USED_LINE =
  /^(?:[mc]=|b=(?:AS|TIAS):|a=(?:(?:rtpmap|fmtp|rtcp|ptime|maxptime):|(?:rtcp-mux|sendrecv|sendonly|recvonly|inactive)$))/;
/** Tokens are visible ASCII; a number of ports may follow the first (RFC 4566, section 5.14). */
const MEDIA_LINE = /^m=([!-~]+) +(\d{1,5})(?:\/\d{1,5})? +([!-~]+)((?: +[!-~]+)*)$/;
/** 0.0.0.0 and :: in all their spellings. */
const UNSPECIFIED = /^[0:.]+$/;

export function readDescription(text: string): Description {
  if (text.length > MAX_DESCRIPTION_CHARACTERS) return { malformed: 'The description is longer than 64 kB' };
  const lines = text.split(/\r\n|\r|\n/, MAX_LINES + 1).map((line) => line.trimEnd());
  if (lines.length > MAX_LINES) return { malformed: `The description has more than ${MAX_LINES} lines` };
  if (lines.find((line) => line !== '') !== 'v=0') {
    return { malformed: 'The description does not begin with v=0' };
  }
  const used = lines.filter((line) => USED_LINE.test(line));
  const mediaLines = used.filter((line) => line.startsWith('m='));
  if (mediaLines.length > MAX_MEDIA_LINES) {
    return { malformed: `The description has more than ${MAX_MEDIA_LINES} media lines` };
  }
  const session = parse(used.join('\r\n'));
  const read: MediaLine[] = [];
  for (const [index, line] of mediaLines.entries()) {
    const media = mediaLineOf(line, session.media[index]!, session);
    if (!media) return { malformed: `Media line ${index + 1} of the description is malformed` };
    read.push(media);
  }
  return { lines: read };
}

type SessionLevel = Pick<MediaDescription, 'connection' | 'direction' | 'ptime' | 'maxptime' | 'bandwidth'>;

/** IP, UDP and RTP in front of each of 50 packets a second, bit/s: what b=AS counts as well (RFC 8866, section 5.8). */
const HEADER_BPS = 40 * 8 * 50;

function bitrateOf(bandwidth: MediaDescription['bandwidth']): number | undefined {
  const said = (type: string) => integer(Number(bandwidth?.find((one) => one.type === type)?.limit), 1, 1e9);
  const kilobits = said('AS');
  return said('TIAS') ?? (kilobits === undefined ? undefined : Math.max(0, kilobits * 1000 - HEADER_BPS));
}

/** The m= line is read here: the parser drops those with a number of ports and those of types it does not know. */
function mediaLineOf(line: string, media: MediaDescription, session: SessionLevel): MediaLine | undefined {
  const [, type, port, protocol, formatList] = MEDIA_LINE.exec(line) ?? [];
  if (type === undefined || protocol === undefined || Number(port) > 65_535) return undefined;
  const formats = formatList!.split(' ').filter((format) => format !== '');
  if (formats.length > MAX_FORMATS) return undefined;
  const ip = (media.connection ?? session.connection)?.ip;
  const written = ip === undefined ? undefined : String(ip);
  const direction = media.direction ?? session.direction ?? 'sendrecv';
  return {
    type,
    port: Number(port),
    protocol,
    formats,
    address: written === undefined ? undefined : addressOf(written),
    direction: written !== undefined && UNSPECIFIED.test(written) ? heldDirection(direction) : direction,
    ptime: durationOf(media.ptime ?? session.ptime),
    maxptime: durationOf(media.maxptime ?? session.maxptime),
    maxBitrateBps: bitrateOf(media.bandwidth ?? session.bandwidth),
    rtcpPort: integer(media.rtcp?.port, 1, 65_535),
    rtcpMux: media.rtcpMux !== undefined,
    rtpMaps: rtpMapsOf(media),
    parameters: parametersOf(media),
  };
}

/** Neither "this network" (RFC 1122, section 3.2.1.3), a group, broadcast, nor no address at all. */
const NOT_ONE_HOST = new BlockList();
NOT_ONE_HOST.addSubnet('0.0.0.0', 8, 'ipv4');
NOT_ONE_HOST.addSubnet('224.0.0.0', 3, 'ipv4');
NOT_ONE_HOST.addAddress('::', 'ipv6');
NOT_ONE_HOST.addSubnet('ff00::', 8, 'ipv6');

function addressOf(written: string): string {
  const family = isIP(written);
  // A zone ("%eth0") means something on the phone's machine only.
  if (family === 0 || written.includes('%')) return UNKNOWN_ADDRESS;
  return NOT_ONE_HOST.check(written, family === 6 ? 'ipv6' : 'ipv4') ? UNKNOWN_ADDRESS : written;
}

/** Without an address to receive at, whoever also sends nothing does nothing. */
function heldDirection(direction: Direction): Direction {
  return direction === 'inactive' || direction === 'recvonly' ? 'inactive' : 'sendonly';
}

function rtpMapsOf(media: MediaDescription): ReadonlyMap<number, RtpMap> {
  const maps = new Map<number, RtpMap>();
  for (const { payload, codec, rate, encoding } of media.rtp) {
    const payloadType = integer(payload, 0, 127);
    const clockRate = integer(rate, 1, 1_000_000);
    const channels = encoding === undefined ? 1 : integer(encoding, 1, 255);
    if (payloadType === undefined || clockRate === undefined || channels === undefined) continue;
    if (!maps.has(payloadType)) maps.set(payloadType, { name: String(codec), clockRate, channels });
  }
  return maps;
}

function parametersOf(media: MediaDescription): ReadonlyMap<number, string> {
  const parameters = new Map<number, string>();
  for (const { payload, config } of media.fmtp) {
    const payloadType = integer(payload, 0, 127);
    if (payloadType !== undefined && !parameters.has(payloadType))
      parameters.set(payloadType, String(config));
  }
  return parameters;
}

/** @returns milliseconds above 0 and up to 1000; some phones write fractions, such as 20.0 */
function durationOf(value: unknown): number | undefined {
  const duration = Number(value);
  return duration > 0 && duration <= 1000 ? duration : undefined;
}

/** @returns the number if it is a whole one from `min` to `max` */
export function integer(value: unknown, min: number, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
    ? value
    : undefined;
}
