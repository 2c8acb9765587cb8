import { once } from 'node:events';
import { expect, test } from 'vitest';
import { header } from '../../../gateways/sip/engine/message.ts';
import { udpPeer } from '../support/udp.ts';
import { gatewayForOneCall } from '../support/whole-call.ts';
import { ourTag, Phone } from './wire/phone.ts';

/* Gateways of the phone network, emergency calls and recorders send the description beside other parts (RFC 5621). */

const PARTS = {
  isup: 'Content-Type: application/ISUP;version=itu-t92+\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01\x11\x48\x00\x0a',
  location:
    'Content-Type: application/pidf+xml\r\nContent-ID: <loc@example.org>\r\n\r\n<presence><x>--not-a-boundary</x></presence>',
  text: 'Content-Type: text/plain\r\n\r\nv=0 is how a description begins',
};

type Body = [type: string, body: (sdp: string) => string];

const mixed = (parts: string[], boundary: string, before = '', after = '') =>
  `${before}${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--${after}`;
const described = (sdp: string) => `Content-Type: application/sdp\r\n\r\n${sdp}`;

const BODIES: [name: string, ...Body][] = [
  ['alone', 'multipart/mixed;boundary=b1', (sdp) => mixed([described(sdp)], 'b1', '', '\r\n')],
  ['before ISUP', 'multipart/mixed;boundary=b1', (sdp) => mixed([described(sdp), PARTS.isup], 'b1')],
  ['after ISUP', 'multipart/mixed; boundary="b 1"', (sdp) => mixed([PARTS.isup, described(sdp)], 'b 1')],
  [
    'after text that looks like one',
    'multipart/mixed;boundary=b1',
    (sdp) => mixed([PARTS.text, described(sdp)], 'b1', 'v=0\r\nThis is the preamble.\r\n', '\r\nv=0\r\n'),
  ],
  [
    'with headers of its own',
    'multipart/mixed;boundary=----=_Part_1.2',
    (sdp) =>
      mixed(
        [
          PARTS.location,
          `content-disposition: session;handling=required\r\nContent-Length: ${sdp.length}\r\ncontent-type: Application/SDP ; charset=utf-8\r\nContent-ID: <a>\r\n\r\n${sdp}`,
        ],
        '----=_Part_1.2',
      ),
  ],
  [
    'in a related one',
    'Multipart/Related;type="application/sdp";Boundary=b1',
    (sdp) => mixed([described(sdp), PARTS.location], 'b1'),
  ],
  [
    'as an alternative',
    'multipart/alternative;boundary=b1',
    (sdp) => mixed([PARTS.text, described(sdp)], 'b1'),
  ],
  [
    'within another',
    'multipart/mixed;boundary=outer',
    (sdp) =>
      mixed(
        [
          `Content-Type: multipart/alternative;boundary=inner\r\n\r\n${mixed([PARTS.text, described(sdp)], 'inner')}`,
          PARTS.isup,
        ],
        'outer',
      ),
  ],
];

async function calling() {
  const gateway = await gatewayForOneCall();
  const [phone, rtp] = [await Phone.open(gateway.sipPort), await udpPeer()];
  const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  const sdp = (...lines: string[]) =>
    [...session, `m=audio ${rtp.port} RTP/AVP 0`, ...lines, ''].join('\r\n');
  return { ...gateway, phone, sdp };
}

test.each(BODIES)('an offer in parts, %s, is answered', async (_, type, body) => {
  const { phone, sdp } = await calling();
  phone.ask({ branch: 'z9hG4bK1', body: body(sdp()), extra: [`Content-Type: ${type}`] });
  const answer = await phone.next();
  expect(answer).toMatchObject({ status: 200 });
  expect(header(answer, 'content-type')).toBe('application/sdp');
  expect(answer.body.toString()).toContain('a=sendrecv');
});

test('an offer in parts within a call holds it', async () => {
  const { phone, sdp, room } = await calling();
  phone.ask({ branch: 'z9hG4bK1', body: sdp(), extra: ['Content-Type: application/sdp'] });
  const toTag = ourTag(await phone.next());
  const published = once(room, 'trackPublished');
  phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag });
  await published;
  const body = mixed([described(sdp('a=sendonly')), PARTS.isup], 'b1');
  phone.ask({
    branch: 'z9hG4bK3',
    cseq: 2,
    toTag,
    body,
    extra: ['Content-Type: multipart/mixed;boundary=b1'],
  });
  const answer = await phone.next();
  expect(answer).toMatchObject({ status: 200 });
  expect(answer.body.toString()).toContain('a=recvonly');
});

test('an answer in parts, in the ACK, is taken', async () => {
  const { phone, sdp, room } = await calling();
  phone.ask({ branch: 'z9hG4bK1' });
  const toTag = ourTag(await phone.next());
  const body = mixed([PARTS.isup, described(sdp())], 'b1');
  phone.ask({
    method: 'ACK',
    branch: 'z9hG4bK2',
    toTag,
    body,
    extra: ['Content-Type: multipart/mixed;boundary=b1'],
  });
  const outcome = await Promise.race([
    once(room, 'trackPublished').then(() => 'taken'),
    phone.next().then((message) => (message.kind === 'request' ? message.method : message.status)),
  ]);
  expect(outcome).toBe('taken');
});
