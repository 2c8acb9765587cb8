import { expect, test } from 'vitest';
import { CallSession } from '../../../gateways/sip/call-session.ts';
import { ASTERISK, BARESIP } from './sdp-offers.ts';

const held = (offer: string) => offer.replace('a=sendrecv', 'a=sendonly');
/** The phone's own description has changed, but nothing of what ours depends on. */
const moved = (offer: string) =>
  offer.replace('m=audio 21756', 'm=audio 21800').replace('o=- 1530187520 1', 'o=- 1530187520 2');
const OUR_OFFER = Symbol('offer');

/** Versions of our descriptions, and how often they differ from the ones before. */
function versionsAfter(steps: readonly (string | typeof OUR_OFFER)[]): number[] {
  const one = new CallSession('192.0.2.1', { rtpPort: 40_000, rtcpPort: 40_001 }, ['opus', 'PCMU', 'PCMA']);
  return steps.map((step) => {
    if (step === OUR_OFFER) return versionOf(one.offer());
    const answered = one.answer(step);
    return answered.outcome === 'answer' ? versionOf(answered.sdp) : Number.NaN;
  });
}

function versionOf(sdp: string): number {
  return Number(/^o=\S+ \S+ (\S+) IN/m.exec(sdp)![1]);
}

test.each<[string, (string | typeof OUR_OFFER)[], number[]]>([
  ['the same offer again, to refresh the session', [BARESIP, BARESIP, BARESIP], [1, 1, 1]],
  ['an offer from another port', [BARESIP, moved(BARESIP)], [1, 1]],
  ['hold, again, and back', [BARESIP, held(BARESIP), held(BARESIP), BARESIP], [1, 2, 2, 3]],
  ['an offer of ours, asked for twice', [OUR_OFFER, OUR_OFFER], [1, 1]],
  [
    'one that is refused in between',
    [BARESIP, BARESIP.replace('RTP/AVP', 'RTP/SAVP'), BARESIP],
    [1, Number.NaN, 1],
  ],
  ['other codecs, and the same again', [BARESIP, ASTERISK, ASTERISK, BARESIP], [1, 2, 2, 3]],
])(
  "our description's version grows with it only when it changes (RFC 3264, section 8): %s",
  (_, steps, expected) => {
    expect(versionsAfter(steps)).toEqual(expected);
  },
);
