import { describe, expect, test } from 'vitest';
import { CallSession } from '../../../gateways/sip/call-session.ts';
import { BARESIP, LINPHONE } from './sdp-offers.ts';

/*
 * Within a call phones leave out what a payload type stands for, since that cannot change (RFC 3264, section 8.3.2); above
 * all when they hold it, where a format says nothing at all.
 */

function session(): CallSession {
  return new CallSession('192.0.2.1', { rtpPort: 40_000, rtcpPort: 40_001 }, ['opus', 'PCMU', 'PCMA']);
}

/** A session in which the phone has offered that. */
function after(offer: string): CallSession {
  const one = session();
  expect(one.answer(offer)).toMatchObject({ outcome: 'answer' });
  return one;
}

function offering(address: string, ...lines: string[]): string {
  return ['v=0', 'o=- 1 2 IN IP4 198.51.100.1', 's=-', `c=IN IP4 ${address}`, 't=0 0', ...lines, ''].join(
    '\r\n',
  );
}

describe('a phone that does not explain its payload types again', () => {
  test.each<[string, string, string, string]>([
    ['holds the call by 0.0.0.0', '0.0.0.0', 'a=sendrecv', 'sendonly'],
    ['holds the call by 0.0.0.0 and inactive', '0.0.0.0', 'a=inactive', 'inactive'],
    ['holds the call by sendonly', '198.51.100.21', 'a=sendonly', 'sendonly'],
    ['holds the call by inactive', '198.51.100.21', 'a=inactive', 'inactive'],
    ['takes the call back', '198.51.100.21', 'a=sendrecv', 'sendrecv'],
  ])('%s', (_, address, attribute, direction) => {
    const answered = after(BARESIP).answer(offering(address, 'm=audio 21756 RTP/AVP 96 101', attribute));
    expect(answered).toMatchObject({
      outcome: 'answer',
      media: {
        direction,
        codec: { name: 'opus', payloadType: 96, receivePayloadType: 96 },
        digits: { payloadType: 101, clockRate: 8000 },
      },
    });
    expect(answered).toHaveProperty(
      'sdp',
      expect.stringMatching(/m=audio 40000 RTP\/AVP 96 101\r\na=rtpmap:96 opus\/48000\/2/),
    );
  });

  test('means what it said first, and not what we would mean', () => {
    const hold = offering('0.0.0.0', 'm=audio 7078 RTP/AVPF 96 100');
    expect(after(LINPHONE).answer(hold)).toMatchObject({
      media: { codec: { name: 'opus', payloadType: 96 }, digits: { payloadType: 100, clockRate: 8000 } },
    });
  });

  test('in its answer to our offer, may hold with it afterwards', () => {
    const one = session();
    one.offer();
    const lines = ['m=audio 5000 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2'];
    expect(one.take(offering('198.51.100.1', ...lines))).toMatchObject({ outcome: 'accepted' });
    expect(one.answer(offering('0.0.0.0', 'm=audio 5000 RTP/AVP 97'))).toMatchObject({
      outcome: 'answer',
      media: { direction: 'sendonly', codec: { name: 'opus', payloadType: 97 } },
    });
  });

  test('and took a payload type of our offer as it was, may hold with it afterwards', () => {
    const one = session();
    one.offer();
    expect(one.take(offering('198.51.100.1', 'm=audio 5000 RTP/AVP 100'))).toMatchObject({
      outcome: 'accepted',
    });
    expect(one.answer(offering('0.0.0.0', 'm=audio 5000 RTP/AVP 100'))).toMatchObject({
      outcome: 'answer',
      media: { direction: 'sendonly', codec: { name: 'opus', payloadType: 100 } },
    });
  });
});

test.each([
  ['0.0.0.0', 'a=sendrecv'],
  ['0.0.0.0', 'a=inactive'],
  ['198.51.100.21', 'a=inactive'],
  ['198.51.100.21', 'a=sendonly'],
])(
  'a phone that holds its call (%s, %s) with a format that it never explained has held it',
  (address, attribute) => {
    const one = after(BARESIP);
    const answered = one.answer(offering(address, 'm=audio 21756 RTP/AVP 98', attribute));
    // The codec stays: nobody hears it until the phone takes the call back, with a format that it has.
    expect(answered).toMatchObject({
      outcome: 'answer',
      media: { direction: attribute === 'a=inactive' ? 'inactive' : 'sendonly', codec: { name: 'opus' } },
    });
    expect(answered).toHaveProperty('sdp', expect.stringMatching(/m=audio 40000 RTP\/AVP \d+/));
  },
);
