import { describe, expect, test } from 'vitest';
import type { RemoteMedia } from '../../../gateways/sip/sdp/media.ts';
import { answerOffer } from '../../../gateways/sip/sdp/negotiation.ts';
import {
  ASTERISK,
  BARESIP,
  CHROME,
  CISCO,
  ENCRYPTED_ONLY,
  ENCRYPTED_OR_PLAIN,
  FAX,
  FAX_BESIDE_AUDIO,
  FREESWITCH,
  GRANDSTREAM,
  LINPHONE,
  ZOIPER,
} from './sdp-offers.ts';

const LOCAL = { address: '192.0.2.1', rtpPort: 40_000, rtcpPort: 40_001, sessionId: 7, version: 1 };
const ALL = { codecs: ['opus', 'PCMA', 'PCMU'] } as const;

const HEAD = 'v=0\r\no=patchroom 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n';

interface Expected {
  readonly media: Partial<RemoteMedia>;
  readonly lines: readonly string[];
}

describe('answered', () => {
  test.each<[string, string, Expected]>([
    [
      'Linphone, with early feedback, ICE and video',
      LINPHONE,
      {
        media: {
          address: '203.0.113.9',
          port: 7078,
          rtcpPort: 60_123,
          rtcpMux: false,
          codec: {
            name: 'opus',
            payloadType: 96,
            receivePayloadType: 96,
            parameters: { useinbandfec: 1 },
          },
          digits: { payloadType: 101, receivePayloadType: 101, clockRate: 48_000 },
          direction: 'sendrecv',
          ptime: undefined,
          maxptime: undefined,
        },
        lines: [
          'm=audio 40000 RTP/AVPF 96 101',
          'a=rtpmap:96 opus/48000/2',
          'a=rtpmap:101 telephone-event/48000',
          'a=fmtp:96 useinbandfec=1',
          'a=fmtp:101 0-16',
          'a=ptime:20',
          'a=sendrecv',
          'm=video 0 RTP/AVPF 96 97',
        ],
      },
    ],
    [
      'baresip, with telephone events at 8000 Hz only',
      BARESIP,
      {
        media: {
          port: 21_756,
          rtcpPort: 21_757,
          codec: {
            name: 'opus',
            payloadType: 96,
            receivePayloadType: 96,
            parameters: { stereo: 1, 'sprop-stereo': 1, maxaveragebitrate: 28_000 },
          },
          digits: { payloadType: 101, receivePayloadType: 101, clockRate: 8000 },
          ptime: 20,
        },
        lines: [
          'm=audio 40000 RTP/AVP 96 101',
          'a=rtpmap:96 opus/48000/2',
          'a=rtpmap:101 telephone-event/8000',
          'a=fmtp:96 useinbandfec=1',
          'a=fmtp:101 0-16',
          'a=ptime:20',
          'a=sendrecv',
        ],
      },
    ],
    [
      'Asterisk, which prefers A-law',
      ASTERISK,
      {
        media: {
          codec: { name: 'PCMA', payloadType: 8, receivePayloadType: 8, parameters: {} },
          ptime: 20,
          maxptime: 150,
        },
        lines: [
          'm=audio 40000 RTP/AVP 8 101',
          'a=rtpmap:8 PCMA/8000',
          'a=rtpmap:101 telephone-event/8000',
          'a=fmtp:101 0-16',
          'a=ptime:20',
          'a=sendrecv',
        ],
      },
    ],
    [
      'Cisco, with video, BFCP and far-end camera control',
      CISCO,
      {
        media: {
          address: '198.51.100.23',
          codec: {
            name: 'opus',
            payloadType: 114,
            receivePayloadType: 114,
            parameters: {
              maxplaybackrate: 16_000,
              maxaveragebitrate: 64_000,
              stereo: 0,
              'sprop-stereo': 0,
              usedtx: 0,
            },
          },
        },
        lines: [
          'm=audio 40000 RTP/AVP 114 101',
          'a=rtpmap:114 opus/48000/2',
          'a=rtpmap:101 telephone-event/8000',
          'a=fmtp:114 useinbandfec=1',
          'a=fmtp:101 0-16',
          'a=ptime:20',
          'a=sendrecv',
          'm=video 0 RTP/AVP 126',
          'm=application 0 UDP/BFCP *',
          'm=application 0 RTP/AVP 125',
        ],
      },
    ],
    [
      'Grandstream, which prefers G.729',
      GRANDSTREAM,
      {
        media: { codec: { name: 'PCMU', payloadType: 0, receivePayloadType: 0, parameters: {} } },
        lines: [
          'm=audio 40000 RTP/AVP 0 101',
          'a=rtpmap:0 PCMU/8000',
          'a=rtpmap:101 telephone-event/8000',
          'a=fmtp:101 0-16',
          'a=ptime:20',
          'a=sendrecv',
        ],
      },
    ],
    [
      'FreeSWITCH, muxed',
      FREESWITCH,
      {
        media: {
          port: 28_106,
          rtcpPort: 28_106,
          rtcpMux: true,
          codec: {
            name: 'opus',
            payloadType: 102,
            receivePayloadType: 102,
            parameters: { useinbandfec: 1, maxaveragebitrate: 30_000, maxplaybackrate: 48_000 },
          },
          digits: { payloadType: 103, receivePayloadType: 103, clockRate: 48_000 },
        },
        lines: [
          'm=audio 40000 RTP/AVP 102 103',
          'a=rtpmap:102 opus/48000/2',
          'a=rtpmap:103 telephone-event/48000',
          'a=fmtp:102 useinbandfec=1',
          'a=fmtp:103 0-16',
          'a=ptime:20',
          'a=sendrecv',
          'a=rtcp-mux',
        ],
      },
    ],
    [
      'Zoiper over IPv6, with static payload types only',
      ZOIPER,
      {
        media: {
          address: '2001:db8::7',
          codec: { name: 'PCMA', payloadType: 8, receivePayloadType: 8, parameters: {} },
          digits: { payloadType: 98, receivePayloadType: 98, clockRate: 8000 },
        },
        lines: [
          'm=audio 40000 RTP/AVP 8 98',
          'a=rtpmap:8 PCMA/8000',
          'a=rtpmap:98 telephone-event/8000',
          'a=fmtp:98 0-16',
          'a=ptime:20',
          'a=sendrecv',
        ],
      },
    ],
    [
      'a gateway that offers fax first',
      FAX_BESIDE_AUDIO,
      {
        media: { port: 6002, rtcpPort: 6003, digits: undefined },
        lines: [
          'm=image 0 udptl t38',
          'm=audio 40000 RTP/AVP 8',
          'a=rtpmap:8 PCMA/8000',
          'a=ptime:20',
          'a=sendrecv',
        ],
      },
    ],
    [
      'a phone that offers encryption and, as a second line, none',
      ENCRYPTED_OR_PLAIN,
      {
        media: {
          port: 11_780,
          codec: { name: 'PCMA', payloadType: 8, receivePayloadType: 8, parameters: {} },
        },
        lines: [
          'm=audio 0 RTP/SAVP 9 8 0 101',
          'm=audio 40000 RTP/AVP 8 101',
          'a=rtpmap:8 PCMA/8000',
          'a=rtpmap:101 telephone-event/8000',
          'a=fmtp:101 0-16',
          'a=ptime:20',
          'a=sendrecv',
        ],
      },
    ],
  ])('%s', (_, offer, expected) => {
    const result = answerOffer(offer, LOCAL, ALL);
    if (result.outcome !== 'answer') throw new Error(result.reason);
    expect(result.media).toMatchObject(expected.media);
    expect(result.sdp).toBe(`${HEAD}${expected.lines.join('\r\n')}\r\n`);
  });
});

describe('refused', () => {
  test.each([
    ['Chrome', CHROME, 'Audio over UDP/TLS/RTP/SAVPF is not supported, only over RTP/AVP'],
    ['a fax', FAX, 'No audio is offered'],
    ['encryption only', ENCRYPTED_ONLY, 'Audio over RTP/SAVP is not supported, only over RTP/AVP'],
  ])('%s', (_, offer, reason) => {
    expect(answerOffer(offer, LOCAL, ALL)).toEqual({ outcome: 'refused', status: 488, reason });
  });

  test('codecs that we lack, by name', () => {
    const offer = GRANDSTREAM.replace('18 0 8 2 101', '18 2 101');
    expect(answerOffer(offer, LOCAL, ALL)).toMatchObject({
      status: 488,
      reason:
        'No audio codec in common: there is G729/8000, G726-32/8000, telephone-event/8000, supported are opus, PCMA, PCMU',
    });
  });
});
