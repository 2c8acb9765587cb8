import { describe, expect, test } from 'vitest';
import type { MediaLink } from '../../../src/media/media-link.ts';
import { readAudioLevel } from '../../../src/media/rtp/audio-level.ts';
import { parseRtp } from '../../../src/media/rtp/rtp.ts';
import { listen, phoneCall } from '../support/phone-call.ts';
import { flat, tonePayloads } from '../support/sounds.ts';

function passing() {
  const sent: Buffer[] = [];
  let close = () => {};
  const link: MediaLink = {
    send: (packet) => sent.push(Buffer.from(packet)),
    receive: () => () => {},
    onFeedback: () => () => {},
    onClose: (listener) => {
      close = listener;
      return () => {
        if (close === listener) close = () => {};
      };
    },
  };
  const numbers = () => sent.map((packet) => packet.readUInt16BE(2));
  return { link, sent, numbers, close: () => close() };
}

describe('passing through', () => {
  test('sends every packet of sound to the hub as it came, with its level', async () => {
    const { media, remote, send } = await phoneCall();
    const { link, sent } = passing();
    media.start(remote, 30_000);
    media.pass(link, 0xbeef, 0);
    await send(flat(5000), { timestamp: 1000, marker: true });
    await send(flat(0), { timestamp: 1160 });
    const packets = sent.map((packet) => parseRtp(packet)!);
    expect(packets).toMatchObject([
      { ssrc: 0xbeef, timestamp: 1000, marker: true, payload: flat(5000) },
      { ssrc: 0xbeef, timestamp: 1160, marker: false, payload: flat(0) },
    ]);
    expect(sent.map((packet) => readAudioLevel(packet, 6))).toEqual([-16, -127]);
  });

  test('tells of Opus that nobody decodes whether it is voice', async () => {
    const { media, remote, send, mixer } = await phoneCall();
    const { link, sent } = passing();
    media.start({ ...remote, codec: 'opus', rate: 48_000 }, 30_000);
    media.pass(link, 0xbeef, 100);
    for (const payload of [Buffer.of(8, 0x80, 0, 0), Buffer.of(8, 0, 0, 0), Buffer.of(8)])
      await send(payload);
    expect(sent.map((packet) => readAudioLevel(packet, 6))).toEqual([-30, -127, -127]);
    // Somebody hears it: then the level is that of its sound.
    listen(mixer);
    for (const payload of tonePayloads('opus', 48_000, 440, 5)) {
      await send(payload);
      mixer.tick();
    }
    expect(readAudioLevel(sent.at(-1)!, 6)).toBeCloseTo(-15, -1);
  });

  test('leaves out keys, comfort noise and what is muted or held, without a gap', async () => {
    const { media, remote, send, digit, events } = await phoneCall();
    const { link, numbers } = passing();
    media.start(remote, 30_000);
    media.pass(link, 0xbeef, 0);
    await send(flat(5000));
    await digit(5, false, 7000);
    await digit(5, true, 7000);
    await send(flat(5000));
    await send(Buffer.of(60), { payloadType: 13 });
    await send(flat(5000));
    await send(Buffer.alloc(0));
    media.mute(true);
    await send(flat(5000));
    media.mute(false);
    await send(flat(5000));
    media.start({ ...remote, sends: false }, 30_000);
    await send(flat(5000));
    media.start(remote, 30_000);
    await send(flat(5000));
    const [first] = numbers();
    expect(numbers()).toEqual([0, 1, 2, 3, 4].map((ahead) => (first! + ahead) & 0xffff));
    expect(events).toEqual(['5']);
  });

  test.each(['unpass', 'link', 'close'] as const)('ends with %s', async (how) => {
    const { media, remote, send } = await phoneCall();
    const { link, sent, close } = passing();
    media.start(remote, 30_000);
    media.pass(link, 0xbeef, 0);
    if (how === 'unpass') media.unpass();
    else if (how === 'link') close();
    else await media.close();
    if (how !== 'close') await send(flat(5000));
    expect(sent).toEqual([]);
  });

  test('goes on by a new link when a former one closes', async () => {
    const { media, remote, send } = await phoneCall();
    const [first, second] = [passing(), passing()];
    media.start(remote, 30_000);
    media.pass(first.link, 1, 0);
    media.pass(second.link, 2, 0);
    first.close();
    await send(flat(5000));
    expect([first.sent.length, second.sent.length]).toEqual([0, 1]);
  });
});
