import { describe, expect, test } from 'vitest';
import { CallSession } from '../../../gateways/sip/call-session.ts';
import * as OFFERS from './sdp-offers.ts';

/*
 * A phone that asks for an offer within the call (re-INVITE without SDP) gets one that goes on from what was said before
 * (RFC 3264, sections 8 and 8.3.2): the same lines in the same order, and no payload type with another meaning.
 */

const PORTS = { rtpPort: 40_000, rtcpPort: 40_001 };

function session(codecs: ('opus' | 'PCMU' | 'PCMA')[] = ['opus', 'PCMU', 'PCMA']): CallSession {
  return new CallSession('192.0.2.1', PORTS, codecs);
}

interface Line {
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** What payload types stand for, as `opus/48000/2`. */
  readonly meanings: ReadonlyMap<string, string>;
  readonly attributes: readonly string[];
}

const STATIC: Readonly<Record<string, string>> = {
  0: 'pcmu/8000',
  3: 'gsm/8000',
  8: 'pcma/8000',
  9: 'g722/8000',
};

function linesOf(sdp: string): Line[] {
  return sdp
    .split(/^(?=m=)/m)
    .slice(1)
    .map((text) => {
      const [media = '', ...attributes] = text.split(/\r?\n/);
      const [type = '', port, protocol = '', ...formats] = media.slice(2).split(' ');
      const meanings = new Map(
        formats.flatMap((format) => {
          const map = attributes.find((line) => line.startsWith(`a=rtpmap:${format} `));
          const meaning = map?.split(' ')[1] ?? STATIC[format];
          return meaning ? [[format, meaning.toLowerCase().replace(/\/1$/, '')] as const] : [];
        }),
      );
      return { type, port: Number(port), protocol, formats, meanings, attributes };
    });
}

/** What we offer in a call after that offer of the phone's. */
function offerAfter(offer: string, one = session()): Line[] {
  expect(one.answer(offer)).toMatchObject({ outcome: 'answer' });
  return linesOf(one.offer());
}

const inUse = (lines: Line[]) => lines.find(({ type, port }) => type === 'audio' && port !== 0)!;

/** A call's first offer with these media lines. */
function offering(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 198.51.100.1', 's=-', 'c=IN IP4 198.51.100.1', 't=0 0', ...lines, ''].join(
    '\r\n',
  );
}

const VIDEO = 'm=video 5002 RTP/AVP 96\r\na=rtpmap:96 H264/90000';
const AUDIO = 'm=audio 5000 RTP/AVP 0 8';
const FAX = 'm=image 5004 udptl t38';
const ENCRYPTED = 'm=audio 5006 RTP/SAVP 0';

describe('our offer within a call has the lines that were there, in their order', () => {
  test.each<[string, string]>([
    ['audio and video', offering(AUDIO, VIDEO)],
    ['video and audio', offering(VIDEO, AUDIO)],
    ['audio that is encrypted, or plain', offering(ENCRYPTED, AUDIO)],
    ['audio twice', offering(AUDIO, 'm=audio 5008 RTP/AVP 0')],
    ['fax, audio, and video that is switched off', offering(FAX, AUDIO, VIDEO.replace('5002', '0'))],
    ['something unknown', offering('m=x-hologram 5010 RTP/AVP 97', AUDIO)],
    ['all that a meeting room has', OFFERS.CISCO],
    ['what Linphone has', OFFERS.LINPHONE],
  ])('%s', (_, offer) => {
    const one = session();
    const answered = one.answer(offer);
    if (answered.outcome === 'refused') throw new Error(answered.reason);
    const [answer, ours] = [linesOf(answered.sdp), linesOf(one.offer())];
    const shape = ({ type, protocol, port }: Line) => `${type} ${protocol} ${port}`;
    expect(ours.map(shape)).toEqual(answer.map(shape));
  });

  test('and also those that came by later offers, but not those of one that was refused', () => {
    const one = session(['PCMU']);
    expect(one.answer(offering(AUDIO))).toMatchObject({ outcome: 'answer' });
    expect(one.answer(offering(AUDIO, VIDEO))).toMatchObject({ outcome: 'answer' });
    const refused = offering(AUDIO.replace('0 8', '18'), VIDEO, FAX);
    expect(one.answer(refused)).toMatchObject({ outcome: 'refused' });
    expect(linesOf(one.offer()).map(({ type, port }) => [type, port])).toEqual([
      ['audio', 40_000],
      ['video', 0],
    ]);
  });

  test('and its answer is read at the place where the audio is', () => {
    const one = session();
    expect(one.answer(offering(VIDEO, AUDIO))).toMatchObject({ outcome: 'answer' });
    one.offer();
    const answer = offering('m=video 0 RTP/AVP 96', 'm=audio 6000 RTP/AVP 8');
    expect(one.take(answer)).toMatchObject({
      outcome: 'accepted',
      media: { port: 6000, codec: { name: 'PCMA' } },
    });
  });
});

describe('our offer within a call gives codecs the payload types that they have', () => {
  test.each<[string, string, string[]]>([
    ['baresip', OFFERS.BARESIP, ['96 opus/48000/2', '101 telephone-event/8000']],
    [
      'Linphone',
      OFFERS.LINPHONE,
      ['96 opus/48000/2', '101 telephone-event/48000', '100 telephone-event/8000'],
    ],
    ['Cisco', OFFERS.CISCO, ['114 opus/48000/2', '101 telephone-event/8000']],
    [
      'FreeSWITCH',
      OFFERS.FREESWITCH,
      ['102 opus/48000/2', '103 telephone-event/48000', '101 telephone-event/8000'],
    ],
    [
      'one whose events have the number of our Opus',
      offering('m=audio 5000 RTP/AVP 0 100', 'a=rtpmap:100 telephone-event/8000'),
      ['100 telephone-event/8000'],
    ],
    [
      'one whose Opus has the number of our events',
      offering(
        'm=audio 5000 RTP/AVP 101 102',
        'a=rtpmap:101 opus/48000/2',
        'a=rtpmap:102 telephone-event/8000',
      ),
      ['101 opus/48000/2', '102 telephone-event/8000'],
    ],
  ])('from the offer of %s', (_, offer, expected) => {
    const { meanings } = inUse(offerAfter(offer));
    expect([...meanings].map(([type, meaning]) => `${type} ${meaning}`)).toEqual(
      expect.arrayContaining(expected),
    );
  });

  /** Formats that are taken by codecs which we do not have. */
  const taken = (count: number) => {
    const types = Array.from({ length: count }, (_, index) => 96 + index);
    return offering(
      `m=audio 5000 RTP/AVP 0 ${types.join(' ')}`,
      ...types.map((type) => `a=rtpmap:${type} x-own-${type}/8000`),
    );
  };

  test.each<[string, string]>([
    ['Linphone', OFFERS.LINPHONE],
    ['baresip', OFFERS.BARESIP],
    ['Cisco', OFFERS.CISCO],
    ['FreeSWITCH', OFFERS.FREESWITCH],
    ['Zoiper', OFFERS.ZOIPER],
    ['speex at 100', offering('m=audio 5000 RTP/AVP 0 100', 'a=rtpmap:100 speex/8000')],
    [
      'codecs at 101 and 102',
      offering('m=audio 5000 RTP/AVP 0 101 102', 'a=rtpmap:101 iLBC/8000', 'a=rtpmap:102 AMR-WB/16000'),
    ],
    ['nearly all numbers taken', taken(28)],
    ['all dynamic numbers taken', taken(32)],
  ])('and none that stands for something else: %s', (_, offer) => {
    const theirs = linesOf(offer)
      .filter(({ type }) => type === 'audio')
      .flatMap(({ meanings }) => [...meanings]);
    const { meanings } = inUse(offerAfter(offer));
    for (const [type, meaning] of theirs) {
      if (meanings.has(type)) expect([type, meanings.get(type)]).toEqual([type, meaning]);
      // What the phone has a number for gets no second one.
      if ([...meanings.values()].includes(meaning))
        expect([type, meanings.get(type)]).toEqual([type, meaning]);
    }
    expect(new Set(meanings.keys()).size).toBe(inUse(offerAfter(offer)).formats.length);
  });

  test('also from a re-INVITE, though that of the first offer is over', () => {
    const one = session();
    expect(one.answer(offering('m=audio 5000 RTP/AVP 0 100', 'a=rtpmap:100 speex/8000'))).toMatchObject({
      outcome: 'answer',
    });
    expect(one.answer(offering('m=audio 5000 RTP/AVP 0 111', 'a=rtpmap:111 opus/48000/2'))).toMatchObject({
      outcome: 'answer',
    });
    const { meanings } = inUse(linesOf(one.offer()));
    expect(meanings.get('111')).toBe('opus/48000/2');
    expect(meanings.get('100')).toBeUndefined();
  });

  test('and so does the one after it, whatever was answered', () => {
    const one = session();
    const first = offerAfter(OFFERS.BARESIP, one);
    const answer = offering(
      'm=audio 6000 RTP/AVP 96 101',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:101 telephone-event/8000',
    );
    expect(one.take(answer)).toMatchObject({
      outcome: 'accepted',
      media: {
        codec: { name: 'opus', payloadType: 96, receivePayloadType: 96 },
        digits: { payloadType: 101, receivePayloadType: 101 },
      },
    });
    expect(linesOf(one.offer())).toEqual(first);
  });
});

describe('our offer within a call goes on', () => {
  test('with RTP and RTCP at one port, which the phone may undo', () => {
    const one = session();
    const ours = inUse(offerAfter(OFFERS.FREESWITCH, one));
    expect(ours.attributes).toContain('a=rtcp-mux');
    expect(one.take(offering('m=audio 6000 RTP/AVP 0', 'a=rtcp-mux'))).toMatchObject({
      media: { rtcpMux: true, rtcpPort: 6000 },
    });
    expect(one.take(offering('m=audio 6000 RTP/AVP 0'))).toMatchObject({
      media: { rtcpMux: false, rtcpPort: 6001 },
    });
  });

  test('with the protocol that was agreed on', () => {
    expect(inUse(offerAfter(OFFERS.LINPHONE)).protocol).toBe('RTP/AVPF');
  });
});
