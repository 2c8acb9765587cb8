import { describe, expect, test } from 'vitest';
import type { Direction, PhoneCodec } from '../../../gateways/sip/sdp/media.ts';
import { answerOffer } from '../../../gateways/sip/sdp/negotiation.ts';

const LOCAL = { address: '192.0.2.1', rtpPort: 40_000, rtcpPort: 40_001, sessionId: 7, version: 1 };
const CODECS: readonly PhoneCodec[] = ['opus', 'PCMU', 'PCMA'];

const SESSION = ['v=0', 'o=- 1 1 IN IP4 198.51.100.1', 's=-', 'c=IN IP4 198.51.100.1', 't=0 0'];

/** An offer with these lines after the session's. */
function offering(...lines: string[]): string {
  return [...SESSION, ...lines, ''].join('\r\n');
}

function answered(offer: string, local: Partial<typeof LOCAL> = {}, codecs = CODECS) {
  const result = answerOffer(offer, { ...LOCAL, ...local }, { codecs });
  if (result.outcome !== 'answer') throw new Error(`${result.status} ${result.reason}`);
  return { media: result.media, lines: result.sdp.split('\r\n') };
}

function refusal(offer: string, codecs = CODECS) {
  const result = answerOffer(offer, LOCAL, { codecs });
  if (result.outcome !== 'refused') throw new Error(result.sdp);
  return result;
}

describe('the direction (RFC 3264, section 6.1)', () => {
  test.each<[string, string[], Direction, Direction]>([
    ['none', [], 'sendrecv', 'sendrecv'],
    ['sendrecv', ['a=sendrecv'], 'sendrecv', 'sendrecv'],
    ['sendonly, hold', ['a=sendonly'], 'sendonly', 'recvonly'],
    ['recvonly', ['a=recvonly'], 'recvonly', 'sendonly'],
    ['inactive', ['a=inactive'], 'inactive', 'inactive'],
    ['something else', ['a=sendonlyish', 'a=Inactive'], 'sendrecv', 'sendrecv'],
    ['0.0.0.0, hold as of old', ['c=IN IP4 0.0.0.0'], 'sendonly', 'recvonly'],
    ['0.0.0.0 and sendrecv', ['c=IN IP4 0.0.0.0', 'a=sendrecv'], 'sendonly', 'recvonly'],
    ['0.0.0.0 and inactive', ['c=IN IP4 0.0.0.0', 'a=inactive'], 'inactive', 'inactive'],
    ['0.0.0.0 and recvonly: nothing is left', ['c=IN IP4 0.0.0.0', 'a=recvonly'], 'inactive', 'inactive'],
    ['::, the same in IPv6', ['c=IN IP6 ::'], 'sendonly', 'recvonly'],
    ['a name, which is no hold', ['c=IN IP4 phone.example.org'], 'sendrecv', 'sendrecv'],
  ])('%s', (_, lines, remote, local) => {
    const { media, lines: answer } = answered(offering('m=audio 5000 RTP/AVP 0', ...lines));
    expect(media.direction).toBe(remote);
    expect(answer).toContain(`a=${local}`);
  });

  test("the session's holds where the line has none", () => {
    const offer = offering('a=sendonly', 'm=audio 5000 RTP/AVP 0');
    expect(answered(offer).media.direction).toBe('sendonly');
    expect(answered(`${offer}a=sendrecv\r\n`).media.direction).toBe('sendrecv');
  });
});

describe('the address', () => {
  test.each([
    ['IN IP4 203.0.113.5', '203.0.113.5'],
    ['IN IP6 2001:db8::5', '2001:db8::5'],
    ['IN IP4 127.0.0.1', '127.0.0.1'],
    ['IN IP4 phone.example.org', '0.0.0.0'],
    ['IN IP4 localhost', '0.0.0.0'],
    ['IN IP4 224.2.1.1/127/3', '0.0.0.0'],
    ['IN IP4 239.1.1.1', '0.0.0.0'],
    ['IN IP4 255.255.255.255', '0.0.0.0'],
    ['IN IP4 0.1.2.3', '0.0.0.0'],
    ['IN IP6 ff02::1', '0.0.0.0'],
    ['IN IP6 ::', '0.0.0.0'],
    ['IN IP6 0:0:0:0:0:0:0:0', '0.0.0.0'],
    ['IN IP6 ::ffff:224.0.0.1', '0.0.0.0'],
    ['IN IP6 fe80::1%eth0', '0.0.0.0'],
    ['IN IP4 12', '0.0.0.0'],
  ])('c=%s', (connection, address) => {
    expect(answered(offering('m=audio 5000 RTP/AVP 0', `c=${connection}`)).media.address).toBe(address);
  });

  test("the session's holds where the line has none", () => {
    expect(answered(offering('m=audio 5000 RTP/AVP 0')).media.address).toBe('198.51.100.1');
  });

  test('without any, the offer is malformed', () => {
    const offer = offering('m=audio 5000 RTP/AVP 0').replace('c=IN IP4 198.51.100.1\r\n', '');
    expect(refusal(offer)).toMatchObject({ status: 400 });
    expect(answered(`${offer}c=IN IP4 203.0.113.5\r\n`).media.address).toBe('203.0.113.5');
  });
});

describe('RTCP', () => {
  test.each([
    ['none said', 5000, [], 5001],
    ['a port', 5000, ['a=rtcp:5555'], 5555],
    ['a port and an address', 5000, ['a=rtcp:5555 IN IP4 203.0.113.7'], 5555],
    ['port 0', 5000, ['a=rtcp:0'], 5001],
    ['a port that is none', 5000, ['a=rtcp:65536'], 5001],
    ['no number', 5000, ['a=rtcp:'], 5001],
    ['muxed', 5000, ['a=rtcp-mux'], 5000],
    ['muxed, with a port for those that cannot', 5000, ['a=rtcp:5555', 'a=rtcp-mux'], 5000],
    ['mux only, which is something else (RFC 8858)', 5000, ['a=rtcp-mux-only'], 5001],
    ['the highest port', 65_535, [], 65_535],
  ])('%s', (_, port, lines, rtcpPort) => {
    const { media } = answered(offering(`m=audio ${port} RTP/AVP 0`, ...lines));
    expect(media.rtcpPort).toBe(rtcpPort);
  });

  test('our port is said when it is not the next one', () => {
    const offer = offering('m=audio 5000 RTP/AVP 0');
    expect(answered(offer).lines.filter((line) => line.startsWith('a=rtcp'))).toEqual([]);
    expect(answered(offer, { rtcpPort: 41_000 }).lines).toContain('a=rtcp:41000');
  });

  test('muxed, our own port is not said', () => {
    const offer = offering('m=audio 5000 RTP/AVP 0', 'a=rtcp-mux');
    const said = answered(offer, { rtcpPort: 41_000 }).lines.filter((line) => line.startsWith('a=rtcp'));
    expect(said).toEqual(['a=rtcp-mux']);
  });
});

describe('the codec', () => {
  test.each([
    ["the first of the offer's order", '8 0', [], 'PCMA', 8],
    ['the first that we have', '18 9 0 8', [], 'PCMU', 0],
    ['a dynamic payload type for G.711', '97', ['97 PCMA/8000'], 'PCMA', 97],
    ['one channel said', '0', ['0 PCMU/8000/1'], 'PCMU', 0],
    ['names in other case', '97', ['97 OPUS/48000/2'], 'opus', 97],
    ['payload type 0 as something else', '0 8', ['0 opus/48000/2'], 'opus', 0],
    ['a payload type twice', '0 0 8', [], 'PCMU', 0],
    ['an rtpmap twice: the first', '97', ['97 PCMU/8000', '97 opus/48000/2'], 'PCMU', 97],
    ['an rtpmap without its format', '8', ['97 opus/48000/2'], 'PCMA', 8],
    ['formats that are no payload types', 'x 128 -1 00000 8.0 1e1 8', [], 'PCMA', 8],
    ['a leading zero', '08', [], 'PCMA', 8],
  ])('%s', (_, formats, maps, name, payloadType) => {
    const offer = offering(`m=audio 5000 RTP/AVP ${formats}`, ...maps.map((map) => `a=rtpmap:${map}`));
    expect(answered(offer).media.codec).toMatchObject({ name, payloadType, receivePayloadType: payloadType });
  });

  test.each([
    ['Opus with one channel', '97', '97 opus/48000'],
    ['Opus at another clock rate', '97', '97 opus/16000/2'],
    ['G.711 at another clock rate', '0', '0 PCMU/16000'],
    ['G.711 in stereo', '97', '97 PCMU/8000/2'],
    ['G.711 without a clock rate', '97', '97 PCMU'],
    ['a clock rate that is no number', '97', '97 PCMU/08000'],
    ['a dynamic payload type that is not explained', '97', '98 PCMU/8000'],
    ['no formats', '', '0 PCMU/8000'],
  ])('refused: %s', (_, formats, map) => {
    expect(refusal(offering(`m=audio 5000 RTP/AVP ${formats}`, `a=rtpmap:${map}`))).toMatchObject({
      status: 488,
      reason: expect.stringMatching(
        /^No audio codec in common: there is .+, supported are opus, PCMU, PCMA$/,
      ),
    });
  });

  test('only those that are wanted', () => {
    const offer = offering('m=audio 5000 RTP/AVP 97 0 8', 'a=rtpmap:97 opus/48000/2');
    expect(answered(offer, {}, ['PCMA']).media.codec.name).toBe('PCMA');
    expect(refusal(offering('m=audio 5000 RTP/AVP 0'), ['PCMA']).status).toBe(488);
  });

  test.each([
    ['stereo=1; maxplaybackrate=16000;usedtx=1', { stereo: 1, maxplaybackrate: 16_000, usedtx: 1 }],
    ['Stereo=1;  cbr = 1', { stereo: 1 }],
    ['stereo=2;maxplaybackrate=7999;maxaveragebitrate=510001', {}],
    ['stereo=yes;usedtx;=1;;', {}],
    ['__proto__=1;constructor=1;toString=1', {}],
    ['', {}],
  ])('parameters of Opus: %j', (text, parameters) => {
    const offer = offering('m=audio 5000 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2', `a=fmtp:97 ${text}`);
    expect(answered(offer).media.codec.parameters).toEqual(parameters);
  });
});

test('G.711 has no parameters, whatever is said about it', () => {
  const offer = offering('m=audio 5000 RTP/AVP 0', 'a=fmtp:0 stereo=1;usedtx=1');
  expect(answered(offer).media.codec.parameters).toEqual({});
});

describe('digits (RFC 4733)', () => {
  test.each([
    [
      'for G.711 at its clock rate',
      '0 97 98',
      ['97 telephone-event/48000', '98 telephone-event/8000'],
      98,
      8000,
    ],
    ['not at 48000 Hz for G.711', '0 97', ['97 telephone-event/48000'], undefined, undefined],
    [
      'for Opus at its clock rate',
      '96 98 97',
      ['98 telephone-event/8000', '97 telephone-event/48000'],
      97,
      48_000,
    ],
    ['for Opus at 8000 Hz if need be', '96 98', ['98 telephone-event/8000'], 98, 8000],
    ['none without an rtpmap', '0 101', [], undefined, undefined],
  ])('%s', (_, formats, maps, payloadType, clockRate) => {
    const lines = ['96 opus/48000/2', ...maps].map((map) => `a=rtpmap:${map}`);
    const { media, lines: answer } = answered(offering(`m=audio 5000 RTP/AVP ${formats}`, ...lines));
    expect(media.digits?.payloadType).toBe(payloadType);
    expect(media.digits?.clockRate).toBe(clockRate);
    const said = answer.filter((line) => line.includes('telephone-event') || line.endsWith(' 0-16'));
    expect(said).toEqual(
      payloadType === undefined
        ? []
        : [`a=rtpmap:${payloadType} telephone-event/${clockRate}`, `a=fmtp:${payloadType} 0-16`],
    );
  });
});

describe('packet lengths', () => {
  test.each([
    ['20', 20],
    ['20.0', 20],
    ['2.5', 2.5],
    ['0', undefined],
    ['1001', undefined],
    ['1.2.3', undefined],
    ['', undefined],
    ['x', undefined],
  ])('%j', (text, expected) => {
    const offer = offering('m=audio 5000 RTP/AVP 0', `a=ptime:${text}`, `a=maxptime:${text}`);
    expect(answered(offer).media).toMatchObject({ ptime: expected, maxptime: expected });
  });
});

describe('lines of the offer', () => {
  const mediaOf = (offer: string) => answered(offer).lines.filter((line) => line.startsWith('m='));

  test('are all answered, in their order', () => {
    const offer = offering(
      'm=video 6000/2 RTP/AVP 96',
      'm=x-new.thing 7000 foo-bar+baz  a  b',
      'm=audio 0 RTP/AVP 0',
      'm=audio 5000/2 RTP/AVP 8',
      'm=audio 5004 RTP/AVP 0',
      'm=message 2855 TCP/MSRP *',
      'm=video 0 RTP/AVP',
    );
    expect(mediaOf(offer)).toEqual([
      'm=video 0 RTP/AVP 96',
      'm=x-new.thing 0 foo-bar+baz a b',
      'm=audio 0 RTP/AVP 0',
      'm=audio 40000 RTP/AVP 8',
      'm=audio 0 RTP/AVP 0',
      'm=message 0 TCP/MSRP *',
      'm=video 0 RTP/AVP 0',
    ]);
  });

  test('do not lend their attributes to others', () => {
    const offer = offering(
      'm=video 6000 RTP/AVP 97',
      'c=IN IP4 203.0.113.1',
      'a=rtpmap:97 opus/48000/2',
      'a=inactive',
      'a=rtcp-mux',
      'm=audio 5000 RTP/AVP 97 0',
    );
    expect(answered(offer).media).toMatchObject({
      address: '198.51.100.1',
      direction: 'sendrecv',
      rtcpMux: false,
      codec: { name: 'PCMU' },
    });
  });

  test('lines may end in LF alone, in CR alone, or with spaces', () => {
    for (const end of ['\n', '\r', '  \r\n', '\r\n\r\n']) {
      expect(mediaOf(offering('m=audio 5000 RTP/AVP 0', 'a=rtcp-mux').replaceAll('\r\n', end))).toHaveLength(
        1,
      );
    }
  });

  test.each([
    ['no audio line', 'm=video 6000 RTP/AVP 96', 'No audio is offered'],
    ['no line at all', 'a=x', 'No audio is offered'],
    ['audio that is switched off', 'm=audio 0 RTP/AVP 0', 'The audio is switched off (port 0)'],
    [
      'several: the first',
      'm=audio 0 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 18',
      'The audio is switched off (port 0)',
    ],
  ])('%s', (_, line, reason) => {
    expect(refusal(offering(line))).toEqual({ outcome: 'refused', status: 488, reason });
  });

  test.each([
    ['nothing', ''],
    ['no description', '{"sdp":"v=0"}'],
    ['another version', offering('m=audio 5000 RTP/AVP 0').replace('v=0', 'v=1')],
    ['no version', offering('m=audio 5000 RTP/AVP 0').replace('v=0\r\n', '')],
    ['a port out of range', offering('m=audio 65536 RTP/AVP 0')],
    ['a negative port', offering('m=audio -1 RTP/AVP 0')],
    ['a media line that breaks off', offering('m=audio 5000')],
    ['an empty media line', offering('m=')],
    ['control characters in a media line', offering('m=audio 5000 RTP/AVP 0', 'm=video 1 RTP/AVP\t96')],
    ['a format beyond ASCII', offering('m=audio 5000 RTP/AVP 0', 'm=video 1 RTP/AVP \u2028a=sendrecv')],
    ['129 formats', offering(`m=audio 5000 RTP/AVP${' 0'.repeat(129)}`)],
    ['33 media lines', offering(...Array.from({ length: 33 }, () => 'm=audio 5000 RTP/AVP 0'))],
    ['1001 lines', offering('m=audio 5000 RTP/AVP 0', ...Array.from({ length: 994 }, () => 'a=x'))],
    ['more than 64 kB', offering('m=audio 5000 RTP/AVP 0', `a=x:${'x'.repeat(65_536)}`)],
  ])('malformed: %s', (_, offer) => {
    expect(refusal(offer).status).toBe(400);
  });

  test('at the limits, they are answered', () => {
    const lines = Array.from({ length: 32 }, () => `m=audio 5000 RTP/AVP${' 0'.repeat(128)}`);
    expect(mediaOf(offering(...lines))).toHaveLength(32);
    const attributes = Array.from({ length: 993 }, () => 'a=x');
    expect(mediaOf(offering('m=audio 5000 RTP/AVP 0', ...attributes))).toHaveLength(1);
    const text = offering('m=audio 5000 RTP/AVP 0', 'a=');
    expect(mediaOf(text.padEnd(65_536, 'x'))).toHaveLength(1);
    expect(refusal(text.padEnd(65_537, 'x')).status).toBe(400);
  });
});

test('our IPv6 address is written as one', () => {
  const { lines } = answered(offering('m=audio 5000 RTP/AVP 0'), { address: '2001:db8::1', version: 12 });
  expect(lines).toContain('o=patchroom 7 12 IN IP6 2001:db8::1');
  expect(lines).toContain('c=IN IP6 2001:db8::1');
});

test('attributes that are cut, doubled or nonsense throw nothing', () => {
  const full = offering(
    'a=sendonly',
    'm=audio 5000 RTP/AVP 97 0 101',
    'c=IN IP4 203.0.113.5',
    'a=rtpmap:97 opus/48000/2',
    'a=fmtp:97 stereo=1',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtcp:5555 IN IP4 203.0.113.5',
    'a=ptime:20',
  );
  for (let length = 0; length <= full.length; length++) {
    for (const rest of [
      '',
      '\r\n',
      ':',
      ' ',
      '=',
      '\u0000',
      '\r\nm=audio 1 RTP/AVP 0\r\na=rtpmap:\r\na=fmtp:\r\n',
    ]) {
      const { outcome } = answerOffer(full.slice(0, length) + rest, LOCAL, { codecs: CODECS });
      expect(['answer', 'refused']).toContain(outcome);
    }
  }
});
