import { describe, expect, test } from 'vitest';
import { PassThrough } from '../../../gateways/sip/media/pass-through.ts';
import type { MediaLink } from '../../../src/media/media-link.ts';
import { readAudioLevel } from '../../../src/media/rtp/audio-level.ts';
import { parseRtp, type RtpPacket } from '../../../src/media/rtp/rtp.ts';

function passThrough(ssrc = 0x11223344, payloadType = 100) {
  const sent: Buffer[] = [];
  /** The packets as the kernel may read them a moment later. */
  const views: Buffer[] = [];
  const link: MediaLink = {
    send: (packet) => {
      sent.push(Buffer.from(packet));
      views.push(packet);
    },
    receive: () => () => {},
    onFeedback: () => () => {},
    onClose: () => () => {},
  };
  return { sent, views, pass: new PassThrough(link, ssrc, payloadType) };
}

function rtp(sequenceNumber: number, change: Partial<RtpPacket> = {}): RtpPacket {
  return {
    payloadType: 0,
    marker: false,
    sequenceNumber,
    timestamp: 0xdeadbeef,
    ssrc: 7,
    payload: Buffer.from('voice'),
    ...change,
  };
}

test('a packet goes on with a header of its own, its level, and its payload untouched', () => {
  const { sent, pass } = passThrough();
  pass.forward(rtp(0x1234, { marker: true }), -30, true);
  pass.forward(rtp(0x1235), -127, false);
  expect(sent.map((packet) => packet.toString('hex'))).toEqual([
    `90e41234deadbeef11223344bede0001609e0000${Buffer.from('voice').toString('hex')}`,
    `90641235deadbeef11223344bede0001607f0000${Buffer.from('voice').toString('hex')}`,
  ]);
  expect(parseRtp(sent[0]!)?.payload.toString()).toBe('voice');
  expect(readAudioLevel(sent[0]!, 6)).toBe(-30);
});

describe('packets that are left out', () => {
  const numbers = (sent: Buffer[]) => sent.map((packet) => packet.readUInt16BE(2));

  test('leave no gap', () => {
    const { sent, pass } = passThrough();
    for (let number = 100; number < 110; number++) {
      if (number % 3 === 0) pass.leaveOut();
      else pass.forward(rtp(number), -30, true);
    }
    expect(numbers(sent)).toEqual([100, 101, 102, 103, 104, 105, 106]);
  });

  test('leave none where numbers start over, nor do so many that their count does', () => {
    const { sent, pass } = passThrough();
    pass.forward(rtp(65_534), -30, true);
    pass.leaveOut(); // 65535
    pass.forward(rtp(0), -30, true);
    pass.leaveOut(); // 1
    pass.forward(rtp(2), -30, true);
    expect(numbers(sent)).toEqual([65_534, 65_535, 0]);
    for (let count = 0; count < 65_536; count++) pass.leaveOut();
    pass.forward(rtp(3), -30, true);
    expect(numbers(sent).at(-1)).toBe(1);
  });

  test('do not hide what was lost on the way, nor change the order', () => {
    const { sent, pass } = passThrough();
    for (const number of [10, 12, 11, 15]) pass.forward(rtp(number), -30, true);
    expect(numbers(sent)).toEqual([10, 12, 11, 15]);
  });
});

test('eight packets in turn: one that the kernel takes a moment later is still what it was', () => {
  const { sent, views, pass } = passThrough();
  for (let number = 0; number < 8; number++) pass.forward(rtp(number), -30, true);
  expect(views).toEqual(sent);
});

test.each([
  [0, true],
  [1480, true],
  [1481, false],
  [65_000, false],
])('a payload of %i bytes passes: %s', (bytes, expected) => {
  const { sent, pass } = passThrough();
  pass.forward(rtp(1, { payload: Buffer.alloc(bytes, 5) }), -30, true);
  expect(sent).toHaveLength(expected ? 1 : 0);
  if (expected) expect(parseRtp(sent[0]!)?.payload).toEqual(Buffer.alloc(bytes, 5));
});
