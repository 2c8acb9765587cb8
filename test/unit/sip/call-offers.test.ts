import { describe, expect, test } from 'vitest';
import type { Body } from '../../../gateways/sip/signalling.ts';
import { PatchroomError } from '../../../src/gateway.ts';
import { turn } from '../support/fake-process.ts';
import { ANSWER, type Incoming, incoming, SDP, standing } from '../support/incoming-call.ts';
import { ASTERISK, BARESIP } from './sdp-offers.ts';

describe('an offer of ours', () => {
  const late = () => incoming({ offer: undefined });

  test('is answered in the ACK, and media starts with it', async () => {
    const one = late();
    await one.arrive();
    await turn();
    expect(one.accepted).toContain('m=audio 40000 RTP/AVP 100 0 8 101 102');
    expect(one.media.asked).toEqual(['open']);
    one.dialog.acknowledged({ type: SDP, text: ANSWER });
    await turn();
    expect(one.media.requests.at(-1)).toMatchObject({ type: 'start', remote: { codec: 'PCMU', port: 5000 } });
    expect(one.participant!.tracks.size).toBe(1);
    one.dialog.ended('phone');
    await one.expectNothing();
  });

  test.each<[string, Body | undefined, RegExp]>([
    ['no answer', undefined, /^BYE .*text="The ACK has no answer to our offer"$/],
    ['what is no SDP', { type: 'text/plain', text: ANSWER }, /^BYE .*text="The ACK has no answer/],
    [
      'no codec that was offered',
      { type: SDP, text: ANSWER.replace('AVP 0', 'AVP 18') },
      /^BYE .*No audio codec/,
    ],
    [
      'words that would break the header',
      { type: SDP, text: ANSWER.replace('RTP/AVP', 'RTP/"x"\\') },
      /^BYE Q\.850;cause=16;text="[^"\\]*RTP\/'x''[^"\\]*"$/,
    ],
  ])('and an ACK with %s end the call', async (_, answer, bye) => {
    const one = late();
    await one.arrive();
    await turn();
    one.dialog.acknowledged(answer);
    expect(one.said[1]).toMatch(bye);
    await one.expectNothing();
  });
});

describe('a re-INVITE', () => {
  function reinvite(one: Incoming, offer: Body | undefined): string[] {
    const answers: string[] = [];
    one.dialog.reinvited({
      source: { protocol: 'udp', address: '192.0.2.10', port: 5060 },
      offer,
      accept: (sdp) => answers.push(sdp),
      refuse: (status, text) => answers.push(`${status} ${text}`),
    });
    return answers;
  }

  test('moves the media, and may put the call on hold', async () => {
    const one = await standing();
    const text = ASTERISK.replace('14202', '14300').replace('sendrecv', 'sendonly');
    const [answer] = reinvite(one, { type: SDP, text });
    await turn();
    expect(answer).toContain('a=recvonly');
    expect(one.media.requests.findLast(({ type }) => type === 'start')).toMatchObject({
      remote: { port: 14_300, sends: false, receives: false },
    });
    expect(one.participant!.attributes['sip.callStatus']).toBe('hold');
  });

  test('without an offer gets ours, and its ACK brings the answer', async () => {
    const one = await standing();
    const [offer] = reinvite(one, undefined);
    expect(offer).toContain('m=audio 40000 RTP/AVP 100 0 8');
    one.dialog.acknowledged({ type: SDP, text: ANSWER });
    await turn();
    expect([...one.participant!.tracks.values()]).toMatchObject([{ codec: { name: 'PCMU' } }]);
    expect(one.media.requests.findLast(({ type }) => type === 'start')).toMatchObject({
      remote: { port: 5000 },
    });
  });

  test.each<[string, Body, RegExp]>([
    ['another description than SDP', { type: 'text/plain', text: 'x' }, /^415 /],
    ['nonsense', { type: SDP, text: 'x' }, /^400 /],
    ['no codec in common', { type: SDP, text: ANSWER.replace('AVP 0', 'AVP 18') }, /^488 /],
  ])('with %s is refused, and the call goes on as it was', async (_, offer, refusal) => {
    const one = await standing();
    const before = one.media.requests.length;
    expect(reinvite(one, offer)).toEqual([expect.stringMatching(refusal)]);
    await turn();
    expect([one.media.requests.length, one.participant?.tracks.size]).toEqual([before, 1]);
    reinvite(one, { type: SDP, text: BARESIP });
    await turn();
    expect([...one.participant!.tracks.values()]).toMatchObject([{ codec: { name: 'opus' } }]);
  });

  test.each(['over', 'about to end'])('of a call that is %s is refused', async (state) => {
    const one = state === 'over' ? await standing() : incoming();
    if (state !== 'over') {
      await one.arrive();
      await turn();
    }
    one.call.end();
    expect(reinvite(one, { type: SDP, text: ASTERISK })).toEqual(['481 The call is over']);
    one.dialog.acknowledged(undefined);
    await one.expectNothing();
  });

  test('that the media half cannot follow ends the call', async () => {
    const one = await standing();
    one.media.failures.start = [new PatchroomError('timeout')];
    reinvite(one, { type: SDP, text: BARESIP });
    await turn();
    expect(one.said[1]).toBe('BYE Q.850;cause=41;text="The media process failed"');
    await one.expectNothing();
  });
});
