import { CODECS, type CodecName } from './phone-codec.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What a phone says differently from the usual. */
export interface SdpOverrides {
  /** Instead of the phone's own. */
  readonly codecs?: readonly CodecName[];
  readonly direction?: Direction;
  /** Asks for RTCP on the port of RTP (RFC 5761). */
  readonly rtcpMux?: boolean;
  /** Instead of the phone's own, in `c=`. */
  readonly address?: string;
  /** Whole sections after the audio, such as `m=video 9 RTP/AVP 96\r\na=rtpmap:96 H264/90000`. */
  readonly extraMedia?: readonly string[];
  /** Lines added to the audio section. */
  readonly lines?: readonly string[];
  /** Has the last word on the whole text. */
  readonly rewrite?: (sdp: string) => string;
}

export interface LocalDescription extends SdpOverrides {
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly version: number;
  readonly formats: readonly Format[];
  /** How many sections after the audio the other side offered: they are answered with port 0. */
  readonly refused?: readonly string[];
}

/** One payload type of a session. */
export interface Format {
  readonly payloadType: number;
  readonly name: CodecName | 'telephone-event';
  readonly rate: number;
}

export interface RemoteDescription {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly rtcpMux: boolean;
  readonly direction: Direction;
  /** Those that the phone knows, in the order of preference. */
  readonly formats: readonly Format[];
  /** `m=` lines, without `m=`. */
  readonly media: readonly string[];
}

/** What a phone offers that has these codecs: each, and digits at each codec's clock rate (RFC 4733, section 2.1). */
export function offeredFormats(codecs: readonly CodecName[]): Format[] {
  const formats = codecs.map((name) => ({
    name,
    payloadType: CODECS[name].payloadType,
    rate: CODECS[name].rate,
  }));
  const rates = [...new Set(formats.map(({ rate }) => rate))];
  const events = rates.map((rate) => ({
    name: 'telephone-event' as const,
    payloadType: rate === 8000 ? 101 : 110,
    rate,
  }));
  return [...formats, ...events];
}

export function buildSdp(local: LocalDescription): string {
  const { address, rtpPort, rtcpPort, formats } = local;
  const types = formats.map(({ payloadType }) => payloadType).join(' ');
  const lines = [
    'v=0',
    `o=phone 1 ${local.version} IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${rtpPort} RTP/AVP ${types}`,
    ...formats.flatMap(({ payloadType, name, rate }) =>
      name === 'telephone-event'
        ? [`a=rtpmap:${payloadType} telephone-event/${rate}`, `a=fmtp:${payloadType} 0-15`]
        : [`a=rtpmap:${payloadType} ${CODECS[name].rtpmap}`],
    ),
    'a=ptime:20',
    ...(local.rtcpMux ? ['a=rtcp-mux'] : []),
    ...(rtcpPort === rtpPort + 1 || local.rtcpMux ? [] : [`a=rtcp:${rtcpPort}`]),
    `a=${local.direction ?? 'sendrecv'}`,
    ...(local.lines ?? []),
    ...(local.extraMedia ?? []),
    ...(local.refused ?? []).map((media) => `m=${media.replace(/ \d+/, ' 0')}`),
  ];
  const sdp = `${lines.join('\r\n')}\r\n`;
  return local.rewrite ? local.rewrite(sdp) : sdp;
}

/** @throws when the text has no audio: a phone cannot go on without */
export function parseSdp(text: string): RemoteDescription {
  const [session = '', ...sections] = text.split(/\r?\n(?=m=)/);
  const audio = sections.find((section) => section.startsWith('m=audio '));
  if (!audio) throw new Error(`No audio in:\n${text}`);
  const [, port, , ...types] = audio.split(/\r?\n/, 1)[0]!.split(' ');
  const both = (pattern: RegExp) => (pattern.exec(audio) ?? pattern.exec(session))?.[1];
  const rtcpMux = /^a=rtcp-mux\s*$/m.test(audio);
  const rtcp = /^a=rtcp:(\d+)/m.exec(audio)?.[1];
  return {
    address: both(/^c=IN IP4 (\S+)/m) ?? '0.0.0.0',
    port: Number(port),
    rtcpPort: rtcpMux ? Number(port) : Number(rtcp ?? Number(port) + 1),
    rtcpMux,
    direction: (both(/^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m) ?? 'sendrecv') as Direction,
    formats: types.flatMap((type) => formatOf(audio, Number(type)) ?? []),
    media: sections.map((section) => section.split(/\r?\n/, 1)[0]!.slice(2)),
  };
}

function formatOf(audio: string, payloadType: number): Format | undefined {
  const rtpmap = new RegExp(`^a=rtpmap:${payloadType} (\\S+)`, 'm').exec(audio)?.[1]?.toLowerCase();
  const [name, rate] = (rtpmap ?? '').split('/');
  if (name === 'telephone-event') return { payloadType, name, rate: Number(rate) };
  const codec = (Object.keys(CODECS) as CodecName[]).find((one) =>
    rtpmap
      ? CODECS[one].rtpmap.toLowerCase() === rtpmap || `${CODECS[one].rtpmap}/1`.toLowerCase() === rtpmap
      : CODECS[one].payloadType === payloadType && payloadType < 96,
  );
  return codec && { payloadType, name: codec, rate: CODECS[codec].rate };
}

/** The direction that answers an offered one, as far as the phone wants it (RFC 3264, section 6.1). */
export function answerTo(offered: Direction, wanted: Direction = 'sendrecv'): Direction {
  const sends =
    offered !== 'sendonly' && offered !== 'inactive' && wanted !== 'recvonly' && wanted !== 'inactive';
  const receives =
    offered !== 'recvonly' && offered !== 'inactive' && wanted !== 'sendonly' && wanted !== 'inactive';
  if (sends) return receives ? 'sendrecv' : 'sendonly';
  return receives ? 'recvonly' : 'inactive';
}
