import { expect, test } from 'vitest';
import type { MediaLink } from '../../../../src/gateway.ts';
import type { SourceUnit } from '../../../../src/media/access-unit.ts';
import { receiveFromHub } from '../../../../src/workers/worker/hub-frames.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { vp8Frame, vp8Packets } from '../../support/vp8-packets.ts';

const SSRC = 0x0102_0304;
const PERIOD_MS = 40;

function receiving() {
  const clock = new FakeClock();
  const sent: Buffer[] = [];
  const units: SourceUnit[] = [];
  const receivers = new Map<number, (packet: Buffer) => void>();
  const link: MediaLink = {
    send: (packet) => sent.push(packet),
    receive: (ssrc, onPacket) => {
      receivers.set(ssrc, onPacket);
      return () => receivers.delete(ssrc);
    },
    onFeedback: () => () => {},
    onClose: () => () => {},
  };
  const end = receiveFromHub(link, { ssrc: SSRC, codec: 'VP8' }, clock, (unit) => units.push(unit));
  let sequenceNumber = 0;
  let index = 0;
  /** @param letters - K and i, in real time */
  const send = (letters: string) => {
    for (const letter of letters) {
      const options = { sequenceNumber, timestamp: index++ * PERIOD_MS * 90 };
      const packets = vp8Packets(vp8Frame(letter === 'K', 100), options);
      sequenceNumber += packets.length;
      for (const packet of packets) receivers.get(SSRC)?.(packet);
      clock.advance(PERIOD_MS);
    }
  };
  return { clock, sent, units, send, end };
}

test('units come with the times of their source, and when they were due', () => {
  const { clock, units, send } = receiving();
  clock.advance(3_000);
  send('Kii');
  clock.advance(60); // what comes now is late
  send('i');
  expect(units.map(({ key, ptsUs, dtsUs, dueAt }) => [key, ptsUs, dtsUs, dueAt])).toEqual([
    [true, 0, 0, 3_000],
    [false, 40_000, 40_000, 3_040],
    [false, 80_000, 80_000, 3_080],
    [false, 120_000, 120_000, 3_120],
  ]);
});

test('units have one format, of which the hub says no more than the codec', () => {
  const { units, send } = receiving();
  send('KiK');
  expect(new Set(units.map(({ format }) => format))).toEqual(
    new Set([{ kind: 'video', codec: 'VP8', parameterSets: [] }]),
  );
});

test('a key frame is asked for after 10 s without one, and each second until it comes', () => {
  const { sent, send } = receiving();
  send('K');
  send('i'.repeat(249));
  expect(sent).toEqual([]);
  send('i');
  expect(sent.map((packet) => [packet[1], packet.readUInt32BE(8)])).toEqual([[206, SSRC]]);
  send('i'.repeat(50));
  expect(sent).toHaveLength(3);
  send(`K${'i'.repeat(249)}`);
  expect(sent).toHaveLength(3);
  send('i');
  expect(sent).toHaveLength(4);
});

test('ended, nothing comes any more', () => {
  const { units, send, end } = receiving();
  send('K');
  end();
  send('K');
  expect(units).toHaveLength(1);
});
