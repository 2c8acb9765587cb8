import { describe, expect, test } from 'vitest';
import type { PhoneCodec } from '../../../gateways/sip/sdp/media.ts';
import { acceptAnswer, answerOffer, makeOffer } from '../../../gateways/sip/sdp/negotiation.ts';

/* The INVITE came without an offer: ours is in the 200, the phone's answer in the ACK. */

const LOCAL = { address: '192.0.2.1', rtpPort: 40_000, rtcpPort: 40_001, sessionId: 7, version: 1 };
const CODECS: readonly PhoneCodec[] = ['opus', 'PCMU', 'PCMA'];
const OFFER = makeOffer(LOCAL, { codecs: CODECS });

function answerWith(...lines: string[]): string {
  const session = ['v=0', 'o=- 1 1 IN IP4 198.51.100.1', 's=-', 'c=IN IP4 198.51.100.1', 't=0 0'];
  return [...session, ...lines, ''].join('\r\n');
}

function accepted(answer: string, offer = OFFER) {
  const result = acceptAnswer(offer, answer);
  if (result.outcome !== 'accepted') throw new Error(`${result.status} ${result.reason}`);
  return result.media;
}

describe('our offer', () => {
  test('has all codecs in our order, with telephone events at their clock rates', () => {
    expect(OFFER.split('\r\n')).toEqual([
      'v=0',
      'o=patchroom 7 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 40000 RTP/AVP 100 0 8 101 102',
      'a=rtpmap:100 opus/48000/2',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtpmap:102 telephone-event/48000',
      'a=fmtp:100 useinbandfec=1',
      'a=fmtp:101 0-16',
      'a=fmtp:102 0-16',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
  });

  test('has no events at a clock rate without a codec', () => {
    expect(makeOffer(LOCAL, { codecs: ['PCMA'] })).toContain('m=audio 40000 RTP/AVP 8 101\r\n');
  });

  test('says the RTCP port when it is not the next one', () => {
    expect(makeOffer({ ...LOCAL, rtcpPort: 41_000 }, { codecs: CODECS })).toContain('\r\na=rtcp:41000\r\n');
  });

  test.each(CODECS)('is one that we would answer: %s', (codec) => {
    const answer = answerOffer(OFFER, { ...LOCAL, address: '198.51.100.1' }, { codecs: [codec] });
    if (answer.outcome !== 'answer') throw new Error(answer.reason);
    expect(accepted(answer.sdp)).toMatchObject({ address: '198.51.100.1', codec: { name: codec } });
  });
});

describe("the phone's answer", () => {
  test('is read like an offer', () => {
    const answer = answerWith(
      'm=audio 5000 RTP/AVP 8 101',
      'a=rtpmap:101 telephone-event/8000',
      'a=sendonly',
    );
    expect(accepted(answer)).toEqual({
      address: '198.51.100.1',
      port: 5000,
      rtcpPort: 5001,
      rtcpMux: false,
      codec: { name: 'PCMA', payloadType: 8, receivePayloadType: 8, parameters: {} },
      digits: { payloadType: 101, receivePayloadType: 101, clockRate: 8000 },
      direction: 'sendonly',
      ptime: undefined,
      maxptime: undefined,
    });
  });

  test('may renumber payload types: we send with its own, it sends with ours', () => {
    const answer = answerWith(
      'm=audio 5000 RTP/AVP 96 97',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:97 telephone-event/48000',
    );
    expect(accepted(answer)).toMatchObject({
      codec: { name: 'opus', payloadType: 96, receivePayloadType: 100 },
      digits: { payloadType: 97, receivePayloadType: 102, clockRate: 48_000 },
    });
  });

  test('may leave our payload types unexplained', () => {
    expect(accepted(answerWith('m=audio 5000 RTP/AVP 100 102'))).toMatchObject({
      codec: { name: 'opus', payloadType: 100 },
      digits: { payloadType: 102, clockRate: 48_000 },
    });
  });

  test('with several codecs means the first', () => {
    expect(accepted(answerWith('m=audio 5000 RTP/AVP 8 0 100')).codec.name).toBe('PCMA');
  });

  test('cannot have what was not offered', () => {
    const offer = makeOffer(LOCAL, { codecs: ['PCMA'] });
    const lines = ['m=audio 5000 RTP/AVP 0 8 97', 'a=rtpmap:97 telephone-event/48000', 'a=rtcp-mux'];
    expect(accepted(answerWith(...lines), offer)).toMatchObject({
      codec: { name: 'PCMA' },
      digits: undefined,
      rtcpMux: false,
    });
  });

  test('is muxed when both say so', () => {
    const answer = answerWith('m=audio 5000 RTP/AVP 0', 'a=rtcp-mux');
    expect(accepted(answer, `${OFFER}a=rtcp-mux\r\n`)).toMatchObject({ rtcpMux: true, rtcpPort: 5000 });
  });

  test.each([
    [488, 'no codec of ours', 'm=audio 5000 RTP/AVP 18'],
    [488, 'audio switched off', 'm=audio 0 RTP/AVP 0'],
    [488, 'another protocol', 'm=audio 5000 RTP/SAVP 0'],
    [400, 'no line', 'a=sendrecv'],
    [400, 'another kind of line', 'm=video 5000 RTP/AVP 0'],
    [400, 'a malformed line', 'm=audio'],
  ])('%i: %s', (status, _, line) => {
    expect(acceptAnswer(OFFER, answerWith(line))).toMatchObject({ outcome: 'refused', status });
  });

  test('without an address is malformed', () => {
    const answer = answerWith('m=audio 5000 RTP/AVP 0').replace('c=IN IP4 198.51.100.1\r\n', '');
    expect(acceptAnswer(OFFER, answer)).toMatchObject({ outcome: 'refused', status: 400 });
  });

  test.each(['', answerWith('m=video 1 RTP/AVP 96')])(
    'an offer that is not ours is a mistake here: %j',
    (offer) => {
      expect(() => acceptAnswer(offer, answerWith('m=audio 5000 RTP/AVP 0'))).toThrow();
    },
  );
});
