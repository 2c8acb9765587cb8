import { describe, expect, test } from 'vitest';
import { CallSession } from '../../../gateways/sip/call-session.ts';
import { ASTERISK, BARESIP } from './sdp-offers.ts';

const PORTS = { rtpPort: 40_000, rtcpPort: 40_001 };

function session(codecs: ('opus' | 'PCMU' | 'PCMA')[] = ['opus', 'PCMU', 'PCMA']) {
  return new CallSession('192.0.2.1', PORTS, codecs);
}

/** What a description says of itself: its session's id and its version. */
function origin(sdp: string): { id: string; version: number } {
  const [, , id, version] = /^o=(\S+) (\S+) (\S+) IN/m.exec(sdp)!;
  return { id: id!, version: Number(version) };
}

function answered(one: CallSession, offer: string): string {
  const answer = one.answer(offer);
  if (answer.outcome === 'refused') throw new Error(answer.reason);
  return answer.sdp;
}

test('offers are answered with what both sides have, and where we are', () => {
  const answer = session(['PCMA']).answer(BARESIP);
  expect(answer).toMatchObject({
    outcome: 'answer',
    media: { address: '198.51.100.21', port: 21_756, rtcpPort: 21_757, codec: { name: 'PCMA' } },
  });
  expect(answered(session(), ASTERISK)).toMatch(/^c=IN IP4 192\.0\.2\.1\r\n(.*\r\n)*m=audio 40000 /m);
});

describe('the version', () => {
  test('grows by one with each description that the phone gets, in one session', () => {
    const one = session();
    const origins = [
      answered(one, ASTERISK),
      one.offer(),
      answered(one, BARESIP),
      answered(one, BARESIP),
      one.offer(),
    ].map(origin);
    expect(origins.map(({ version }) => version)).toEqual([1, 2, 3, 3, 4]);
    expect(new Set(origins.map(({ id }) => id)).size).toBe(1);
    expect(origin(session().offer()).id).not.toBe(origins[0]!.id);
  });

  test('does not grow for an offer that is refused: nobody gets to see it', () => {
    const one = session(['PCMU']);
    expect(origin(answered(one, BARESIP)).version).toBe(1);
    expect(one.answer(BARESIP.replace('RTP/AVP', 'RTP/SAVP'))).toMatchObject({
      outcome: 'refused',
      status: 488,
    });
    expect(one.answer('v=1')).toMatchObject({ outcome: 'refused', status: 400 });
    expect(origin(answered(one, BARESIP)).version).toBe(1);
  });
});

test('an answer is taken for the last offer of ours', () => {
  const one = session(['PCMU', 'PCMA']);
  one.offer();
  expect(
    one.take(BARESIP.replace('m=audio 21756 RTP/AVP 96 0 8 101', 'm=audio 21756 RTP/AVP 8')),
  ).toMatchObject({ outcome: 'accepted', media: { codec: { name: 'PCMA' } } });
  expect(one.take(BARESIP.replace('m=audio 21756', 'm=audio 0'))).toMatchObject({
    outcome: 'refused',
    status: 488,
  });
  expect(one.take('nonsense')).toMatchObject({ outcome: 'refused', status: 400 });
});
