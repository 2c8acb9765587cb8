import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { header } from '../../../gateways/sip/engine/message.ts';
import { udpPeer } from '../support/udp.ts';
import { gatewayForOneCall } from '../support/whole-call.ts';
import { ourTag, Phone } from './wire/phone.ts';

/* A body that was compressed is none that we read: its sender is told what we would (RFC 3261, sections 8.2.3 and 21.4.13). */

const TYPE = 'Content-Type: application/sdp';

async function calling() {
  const gateway = await gatewayForOneCall();
  const [phone, rtp] = [await Phone.open(gateway.sipPort), await udpPeer()];
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  return { ...gateway, phone, sdp: [...lines, `m=audio ${rtp.port} RTP/AVP 0`, ''].join('\r\n') };
}

describe('an offer whose encoding we do not have gets 415, and the one that we have', () => {
  test.each([
    'Content-Encoding: gzip',
    'Content-Encoding: deflate',
    'e: GZIP',
    'Content-Encoding: identity, x-own',
  ])('%s', async (line) => {
    const { phone, sdp, room } = await calling();
    phone.ask({ branch: 'z9hG4bK1', body: sdp, extra: [TYPE, line] });
    const refusal = await phone.next();
    expect(refusal).toMatchObject({ status: 415 });
    expect(header(refusal, 'accept-encoding')).toBe('identity');
    expect(room.participants).toEqual([]);
  });

  test('and so does one within a call, which goes on; one that says it has none is answered', async () => {
    const { phone, sdp, room } = await calling();
    phone.ask({ branch: 'z9hG4bK1', body: sdp, extra: [TYPE, 'Content-Encoding: identity'] });
    const toTag = ourTag(await phone.next());
    const published = once(room, 'trackPublished');
    phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag });
    await published;
    const hold = sdp.replace('RTP/AVP 0', 'RTP/AVP 0\r\na=sendonly');
    phone.ask({ branch: 'z9hG4bK3', cseq: 2, toTag, body: hold, extra: [TYPE, 'Content-Encoding: gzip'] });
    const refusal = await phone.next();
    expect(refusal).toMatchObject({ status: 415 });
    expect(header(refusal, 'accept-encoding')).toBe('identity');
    expect(room.participants).toMatchObject([{ attributes: { 'sip.callStatus': 'active' } }]);
  });
});
