import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { type SipRequest, serialize } from '../../../../gateways/sip/engine/message.ts';
import { plainRequest } from '../../../../gateways/sip/wire/plain-request.ts';

/** drachtio-srf's own parser. */
const SipMessage = createRequire(import.meta.url)('drachtio-srf/lib/sip-parser/message.js') as new (
  text: string,
) => { getParsedHeader(name: string): unknown };

function request(...headers: [name: string, value: string][]): SipRequest {
  return {
    kind: 'request',
    method: 'INVITE',
    uri: 'sip:demo@example.org',
    headers: headers.map(([name, value]) => ({ name, value })),
    body: Buffer.alloc(0),
  };
}

test.each([
  ['Contact', '"Ann"  <sip:a@b;transport=tcp>;expires=60', '<sip:a@b;transport=tcp>'],
  ['m', 'sip:a@b;x=y', '<sip:a@b>'],
  ['Contact', '<sip:a@b>, <sip:c@d>', '<sip:a@b>'],
  ['From', 'Ann  \t Archer <sip:a@b>;tag=1;x=y', '"Ann Archer" <sip:a@b>;tag=1'],
  ['f', 'sip:a@b;tag=1', '<sip:a@b>;tag=1'],
  ['To', '"a \\"b\\" \\\\" <sip:a@b>', '"a \\"b\\" \\\\" <sip:a@b>'],
  ['From', `"${'n'.repeat(5000)}" <sip:a@b>;tag=1`, `"${'n'.repeat(256)}" <sip:a@b>;tag=1`],
  ['From', 'no address at all', ''],
  ['Subject', ' as   it  came ', ' as   it  came '],
  ['Record-Route', '<sip:p;lr> ,  <sip:q;lr>', '<sip:p;lr> ,  <sip:q;lr>'],
])('%s: %s comes as %s', (name, value, expected) => {
  expect(plainRequest(request([name, value])).headers).toEqual([{ name, value: expected }]);
});

test("what drachtio-srf's parser would take minutes for is read at once", () => {
  const spaces = ' '.repeat(7_000);
  const hostile = request(
    ['Via', 'SIP/2.0/UDP h;branch=z9hG4bK1'],
    ['From', `x <sip:a@b>${spaces};tag=1`],
    ['To', `"${spaces}" ${spaces}<sip:a@b>`],
    ['Call-ID', '1'],
    ['CSeq', '1 INVITE'],
    ['Contact', `<sip:a@h>, <${spaces}x`],
  );
  const message = new SipMessage(serialize(plainRequest(hostile)).toString());
  // Cubic time would be hours, and fail by the time that a test may take.
  expect(message.getParsedHeader('from')).toMatchObject({ uri: 'sip:a@b' });
  expect(message.getParsedHeader('to')).toMatchObject({ uri: 'sip:a@b' });
  expect(message.getParsedHeader('contact')).toMatchObject([{ uri: 'sip:a@h' }]);
});
