import { describe, expect, test } from 'vitest';
import { turn } from '../support/fake-process.ts';
import { phoneCall, until } from '../support/phone-call.ts';
import { flat } from '../support/sounds.ts';

/* What phones send to keep the way through their NAT open while they have nothing to say (RFC 6263): they are still there. */

describe('a phone that says nothing but keeps its way open is still there', () => {
  test.each<[string, Buffer]>([
    ['with empty datagrams', Buffer.alloc(0)],
    ['with line ends', Buffer.from('\r\n\r\n')],
    ['with zeros', Buffer.alloc(4)],
    ['with STUN indications', Buffer.from('001100002112a442000102030405060708090a0b', 'hex')],
    ['with RTP of a type that nobody knows', Buffer.from(`80147fff00000000${'00001234'}`, 'hex')],
  ])('%s', async (_, keepAlive) => {
    const { media, remote, clock, events, send, sendRaw } = await phoneCall();
    media.start(remote, 5_000);
    await send(flat(0));
    for (let round = 0; round < 4; round++) {
      clock.advance(3_000);
      media.watch();
      await sendRaw(keepAlive);
    }
    media.watch();
    expect(events).not.toContain('silent');
  });

  test('but what strangers send says nothing about it', async () => {
    const { media, remote, clock, events, send, phone, ports, rtcp } = await phoneCall();
    media.start(remote, 5_000);
    await send(flat(0));
    clock.advance(3_000);
    await phone.send(Buffer.alloc(0), ports.rtpPort);
    await until(() => media.statistics.packetsUnknown === 1);
    clock.advance(3_000);
    media.watch();
    expect(events).not.toContain('silent');
    for (let round = 0; round < 3; round++) {
      clock.advance(1_000);
      await rtcp.send(Buffer.alloc(0), ports.rtpPort);
      for (let turns = 0; turns < 20; turns++) await turn();
    }
    media.watch();
    expect(events).toContain('silent');
  });
});
