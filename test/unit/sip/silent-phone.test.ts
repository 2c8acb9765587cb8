import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { header, type SipMessage } from '../../../gateways/sip/engine/message.ts';
import { turn } from '../support/fake-process.ts';
import { udpPeer } from '../support/udp.ts';
import { gatewayForOneCall } from '../support/whole-call.ts';
import { ourTag, Phone } from './wire/phone.ts';

/*
 * A phone that suppresses silence sends nothing while its person listens. It is asked whether it is still there before it is
 * taken to be gone: with a request in its dialog, which whoever does not have the call any more answers 481.
 */

/** Requests that a phone can be asked with whether its call stands (RFC 3261, section 11; RFC 4028). */
const ASKING = ['OPTIONS', 'UPDATE', 'INVITE'];

/** A phone in a room that says nothing and reports nothing from the start. */
async function silentCall() {
  const gateway = await gatewayForOneCall();
  const { clock, room } = gateway;
  const [phone, rtp] = [await Phone.open(gateway.sipPort), await udpPeer()];
  const known = new Set<string>();
  let cseq = 1;
  /** The next request that it gets, each once. */
  const nextRequest = async (): Promise<SipMessage & { kind: 'request' }> => {
    for (;;) {
      const message = await phone.next();
      const id = `${message.kind} ${header(message, 'cseq')}`;
      if (message.kind !== 'request' || known.has(id)) continue;
      known.add(id);
      return message;
    }
  };
  const sdp = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  const body = [...sdp, `m=audio ${rtp.port} RTP/AVP 0`, ''].join('\r\n');
  phone.ask({ branch: 'z9hG4bK1', body, extra: ['Content-Type: application/sdp'] });
  const toTag = ourTag(await phone.next());
  const [participant] = room.participants;
  const published = once(room, 'trackPublished');
  phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag });
  await published;
  /** Returns when all that it sent before has been dealt with. */
  const settle = async () => {
    cseq++;
    phone.ask({ method: 'INFO', branch: `z9hG4bKinfo${cseq}`, toTag, cseq, body: 'x' });
    for (;;) {
      const message = await phone.next();
      if (message.kind === 'response' && header(message, 'cseq') === `${cseq} INFO`) break;
    }
    await turn();
  };
  /** Time passes, until the phone has been silent for too long. */
  const staySilent = () => clock.advance(31_000);
  return { ...gateway, phone, rtp, toTag, participant: participant!, nextRequest, settle, staySilent };
}

describe('a phone that has sent nothing for as long as it may', () => {
  test('is asked whether it is there, and stays when it says so, time and again', async () => {
    const { phone, participant, nextRequest, settle, staySilent } = await silentCall();
    for (let round = 0; round < 3; round++) {
      staySilent();
      const request = await nextRequest();
      expect(ASKING).toContain(request.method);
      phone.answer(200, request);
      await settle();
      expect(participant.leftBecause).toBeUndefined();
    }
  });

  test.each([401, 405, 488, 500, 501, 603])(
    'is there if it answers %i: it knows the call, whatever it thinks of the question',
    async (status) => {
      const { phone, participant, nextRequest, settle, staySilent } = await silentCall();
      staySilent();
      const request = await nextRequest();
      expect(ASKING).toContain(request.method);
      phone.answer(status, request);
      await settle();
      expect(participant.leftBecause).toBeUndefined();
    },
  );

  test.each([481, 408])('has left when it answers %i', async (status) => {
    const { phone, participant, nextRequest, staySilent } = await silentCall();
    staySilent();
    const request = await nextRequest();
    expect(ASKING).toContain(request.method);
    expect(participant.leftBecause).toBeUndefined();
    const left = once(participant, 'left');
    phone.answer(status, request);
    expect(await left).toEqual(['connection-lost']);
  });

  test('has left when it does not answer at all, and is told so in case that it comes back', async () => {
    const { clock, participant, nextRequest, staySilent } = await silentCall();
    staySilent();
    expect(ASKING).toContain((await nextRequest()).method);
    expect(participant.leftBecause).toBeUndefined();
    const left = once(participant, 'left');
    clock.advance(33_000);
    expect(await left).toEqual(['connection-lost']);
    const bye = await nextRequest();
    expect(bye.method).toBe('BYE');
    expect(header(bye, 'reason')).toContain('No media was received');
  });

  test('is noticed when it vanishes after it has said that it is there', async () => {
    const { clock, phone, participant, nextRequest, settle, staySilent } = await silentCall();
    staySilent();
    const first = await nextRequest();
    expect(ASKING).toContain(first.method);
    phone.answer(200, first);
    await settle();
    staySilent();
    expect(ASKING).toContain((await nextRequest()).method);
    const left = once(participant, 'left');
    clock.advance(33_000);
    expect(await left).toEqual(['connection-lost']);
  });

  test('may hang up instead of answering', async () => {
    const { phone, participant, nextRequest, staySilent, toTag } = await silentCall();
    staySilent();
    expect(ASKING).toContain((await nextRequest()).method);
    const left = once(participant, 'left');
    phone.ask({ method: 'BYE', branch: 'z9hG4bKbye', toTag, cseq: 2 });
    expect(await left).toEqual(['left']);
  });
});
