import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { roomReport, serverReport } from '../../src/api/room-report.ts';
import { Phone } from '../peers/phone.ts';
import { Product } from '../peers/product.ts';
import { SipMutator } from '../peers/sip-mutator.ts';
import { seededRandom } from '../signals/random.ts';

/** What strangers send to the SIP port of a product that runs as a user starts it: it costs nobody else anything. */

const MESSAGES = 3_000;
/** Under the limit of messages a second that holds for one address. */
const AT_ONCE = 20;
/** Limits hold by address: what strangers use up of theirs must not be the phones'. */
const STRANGER = '127.0.0.2';

const product = new Product(process.execPath, ['src/main.ts'], { env: { PATCHROOM_HUB_WORKERS: '1' } });
afterAll(async () => {
  Phone.closeAll();
  product.child.kill('SIGINT');
  await product.ended();
});
const [, sip] = await product.says(/phone +sip:demo@127\.0\.0\.1:(\d+)/);
const [, url] = await product.says(/health +(http:\S+)\/healthz/);
const port = Number(sip);

async function report() {
  return serverReport.parse(await (await fetch(`${url}/api/server`)).json());
}

/** Resolves once the engine has read so many messages. */
async function hasRead(messages: number): Promise<void> {
  await expect
    .poll(async () => (await report()).gateways.sip!.received, { timeout: 30_000 })
    .toBeGreaterThanOrEqual(messages);
}

test(`${MESSAGES} damaged messages end neither the product nor the engine nor a call`, async () => {
  const ann = await Phone.call(port, { room: 'calm', name: 'Ann', toneHz: 440 });
  const bob = await Phone.call(port, { room: 'calm', name: 'Bob', toneHz: 1000 });
  const socket = dgram.createSocket('udp4');
  socket.bind(0, STRANGER);
  await once(socket, 'listening');
  const mutator = new SipMutator(seededRandom(20_261_120), socket.address());
  socket.on('message', (message) => mutator.learn(message));
  const before = (await report()).gateways.sip!.received!;
  for (let sent = 0; sent < MESSAGES; sent += AT_ONCE) {
    for (let count = 0; count < AT_ONCE; count++) socket.send(mutator.next(), port, '127.0.0.1');
    await hasRead(before + sent + AT_ONCE);
  }
  socket.close();
  await Promise.all([ann.hears(1000), bob.hears(440)]);
  const cat = await Phone.call(port, { room: 'calm', name: 'Cat', toneHz: 1800 });
  await ann.hears(1800);
  const { sip: engine } = (await report()).gateways;
  expect(engine).toMatchObject({ engineDeaths: 0 });
  expect(engine!.malformed).toBeGreaterThan(MESSAGES / 10);
  await Promise.all([ann, bob, cat].map((phone) => phone.hangUp()));
  expect(product.output).not.toMatch(/a bug in Patchroom| {4}at /);
});

test('damaged RTP and RTCP, in codecs with and without memory, end neither the worker nor the call of another', async () => {
  const ann = await Phone.call(port, { room: 'noise', name: 'Ann', toneHz: 440 });
  const bob = await Phone.call(port, { room: 'noise', name: 'Bob', toneHz: 1000 });
  const random = seededRandom(7);
  for (const codec of ['opus', 'PCMU'] as const) {
    const eve = await Phone.call(port, { room: 'noise', name: 'Eve', codec });
    eve.mute('nothing');
    const [, rtpPort] = /m=audio (\d+)/.exec(eve.remoteSdp)!;
    const [, payloadType = '0'] = /m=audio \d+ \S+ (\d+)/.exec(eve.remoteSdp)!;
    const socket = dgram.createSocket('udp4');
    // The first source after two seconds of silence counts: until then the worker only drops.
    const counted = async () => {
      const room = roomReport.parse(await (await fetch(`${url}/api/rooms/noise`)).json());
      const received = room.participants.find(({ name }) => name === 'Eve')?.tracks[0]?.received;
      return [received?.packetsForeign ?? 0, received?.packets ?? 0];
    };
    const [, packets = 0] = await counted();
    await expect
      .poll(
        async () => {
          for (let count = 0; count < 50; count++) {
            const packet = Buffer.from(Array.from({ length: 12 + random() * 200 }, () => random() * 256));
            packet[0] = random() < 0.9 ? 0x80 | (packet[0]! & 0x3f) : packet[0]!;
            packet[1] = random() < 0.8 ? Number(payloadType) | (packet[1]! & 0x80) : packet[1]!;
            packet.writeUInt16BE(count, 2);
            socket.send(packet, Number(rtpPort), '127.0.0.1');
            const report = Buffer.from(packet);
            report[1] = 200 + random() * 7;
            socket.send(report, Number(rtpPort) + 1, '127.0.0.1');
          }
          return (await counted())[1]! - packets;
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(500);
    socket.close();
    await eve.hangUp();
  }
  await Promise.all([ann.hears(1000), bob.hears(440)]);
  expect((await report()).workerDeaths).toEqual({ hub: 0, media: 0 });
  await Promise.all([ann.hangUp(), bob.hangUp()]);
});

test('headers that parsers stumble over cost the rooms no time', async () => {
  const ann = await Phone.call(port, { room: 'calm', name: 'Ann' });
  const spaces = ' '.repeat(7_000);
  for (const headers of [
    [`Contact: <sip:a@h>, <${spaces}x`],
    [`P-Asserted-Identity: x${spaces}<`, `Refer-To: <${spaces}x`],
    [`Subject: ${spaces}`, `Supported: a${spaces},`],
  ]) {
    await Phone.call(port, { room: 'slow', headers }).then(
      (phone) => phone.hangUp(),
      (error: unknown) => expect(error).toMatchObject({ status: 400 }),
    );
  }
  expect(await ann.hangUp()).toBe(200);
});

test('nobody is sent sound before his ACK shows that he is who asked for it', async () => {
  const victim = dgram.createSocket('udp4');
  victim.bind(0, '127.0.0.1');
  await once(victim, 'listening');
  let packets = 0;
  victim.on('message', () => packets++);
  const ann = await Phone.call(port, { room: 'noise', name: 'Ann' });
  const spoofer = dgram.createSocket('udp4');
  spoofer.bind(0, '127.0.0.1');
  await once(spoofer, 'listening');
  const answers: string[] = [];
  spoofer.on('message', (answer) => answers.push(String(answer)));
  const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${victim.address().port} RTP/AVP 0\r\n`;
  const own = spoofer.address().port;
  const lines = [
    'INVITE sip:noise@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bKspoof;rport`,
    'From: <sip:x@127.0.0.1>;tag=1',
    'To: <sip:noise@127.0.0.1>',
    'Call-ID: spoof',
    'CSeq: 1 INVITE',
    `Contact: <sip:x@127.0.0.1:${own}>`,
    'Max-Forwards: 70',
    'Content-Type: application/sdp',
    `Content-Length: ${sdp.length}`,
    '',
    sdp,
  ];
  spoofer.send(lines.join('\r\n'), port, '127.0.0.1');
  await expect.poll(() => answers.some((answer) => answer.startsWith('SIP/2.0 200'))).toBe(true);
  await ann.receives(60); // more than a second goes by
  expect(packets).toBe(0);
  for (const socket of [victim, spoofer]) socket.close();
  await ann.hangUp();
});

test('a TCP connection that talks nonsense, or too much, is closed; others go on', async () => {
  const calm = net.connect(port, '127.0.0.1');
  const nonsense = net.connect(port, '127.0.0.1');
  const endless = net.connect(port, '127.0.0.1');
  for (const socket of [nonsense, endless]) socket.on('error', () => {});
  await Promise.all([calm, nonsense, endless].map((socket) => once(socket, 'connect')));
  const closed = [once(nonsense, 'close'), once(endless, 'close')];
  nonsense.resume().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  endless.resume().write(`INVITE sip:demo@x SIP/2.0\r\nX: ${'y'.repeat(200_000)}`);
  await Promise.all(closed);
  const answer = once(calm, 'data');
  calm.write('\r\n\r\n');
  expect(String((await answer)[0])).toBe('\r\n');
  calm.destroy();
});
