import { describe, expect, test } from 'vitest';
import type { TrackNotice } from '../../../src/ingest/messages.ts';
import { gone } from '../support/fake-encoder-plane.ts';
import { turn } from '../support/fake-process.ts';
import { encoder } from '../support/publishing-encoder.ts';

describe('it is sent to the hub', () => {
  test.each(['video', 'audio'] as const)('(%s) while somebody there wants it', async (kind) => {
    const { room, plane, track } = encoder();
    track({ kind });
    expect(plane.producers.size).toBe(0);
    const hold = await room.tracks[0]!.hold();
    const [ssrc] = plane.producers;
    const stream = { session: 'first', kind, ssrc };
    expect(plane.requests).toEqual([
      { type: 'send', ...stream, link: `link for ${kind}`, payloadType: kind === 'video' ? 103 : 100 },
    ]);
    hold.release();
    await turn();
    expect(plane.producers.size).toBe(0);
    expect(plane.requests.at(-1)).toEqual({ type: 'unsend', ...stream });
  });

  test.each<[string, Partial<TrackNotice>, object]>([
    ['H.264, as it came', {}, { codec: 'H264', payloadType: 103 }],
    ['H.264, made of H.265', { codec: 'H265', outcome: 'transcode' }, { codec: 'H264', payloadType: 103 }],
    ['Opus, made of AAC', { kind: 'audio' }, { codec: 'opus', payloadType: 100 }],
    [
      'Opus, as it came',
      { kind: 'audio', codec: 'opus', outcome: 'pass-through' },
      { codec: 'opus', payloadType: 100 },
    ],
    [
      'G.711, as it came',
      { kind: 'audio', codec: 'PCMU', outcome: 'pass-through' },
      { codec: 'PCMU', payloadType: 0 },
    ],
    [
      'G.711 of the other law, as it came',
      { kind: 'audio', codec: 'PCMA', outcome: 'pass-through' },
      { codec: 'PCMA', payloadType: 8 },
    ],
  ])('as %s', async (_, change, expected) => {
    const { room, plane, track } = encoder();
    track(change);
    await room.tracks[0]!.hold();
    expect(plane.produced).toEqual([expected]);
    expect(plane.all('send')).toMatchObject([{ payloadType: plane.produced[0]!.payloadType }]);
  });

  test('anew as another codec, once it has become one', async () => {
    const { room, plane, track } = encoder();
    track({ kind: 'audio' });
    const hold = await room.tracks[0]!.hold();
    track({ kind: 'audio', codec: 'PCMA', outcome: 'pass-through' });
    hold.release();
    await room.tracks[0]!.hold();
    await turn();
    expect(plane.produced.map(({ codec }) => codec)).toEqual(['opus', 'PCMA']);
    const [first, second] = plane.all('send').map(({ ssrc }) => ssrc);
    expect(plane.all('unsend').map(({ ssrc }) => ssrc)).toEqual([first]);
    expect([...plane.producers]).toEqual([second]);
  });

  test('not when its worker does not take it, and nothing is left behind', async () => {
    const { room, plane, track } = encoder();
    track();
    plane.failures.send = [gone()];
    await expect(room.tracks[0]!.hold()).rejects.toThrow('The media worker is gone.');
    expect(plane.producers.size).toBe(0);
    await expect(room.tracks[0]!.hold()).resolves.toBeDefined();
  });

  test('not while it is not connected', async () => {
    const { room, encoder: one, track } = encoder();
    track();
    one.detach();
    room.loseMedia('killed');
    await expect(room.tracks[0]!.hold()).rejects.toThrow('The encoder is not connected.');
  });
});

describe('its video goes to a program', () => {
  const TARGET = { port: 4_000, token: 'secret' };

  test('from the session that is connected, until that is ended', async () => {
    const { room, plane, track } = encoder();
    track();
    track({ kind: 'audio' });
    const [video, audio] = room.tracks;
    expect(audio!.sendFrames).toBeUndefined();
    const end = await video!.sendFrames!(TARGET);
    const [request] = plane.all('send-frames');
    expect(request).toMatchObject({ session: 'first', ...TARGET });
    end();
    expect(plane.all('unsend-frames')).toEqual([
      { type: 'unsend-frames', session: 'first', outlet: request!.outlet },
    ]);
  });

  test('to several at once, each of which ends by itself', async () => {
    const { room, plane, track } = encoder();
    track();
    const ends = [await room.tracks[0]!.sendFrames!(TARGET), await room.tracks[0]!.sendFrames!(TARGET)];
    const outlets = plane.all('send-frames').map(({ outlet }) => outlet);
    expect(new Set(outlets).size).toBe(2);
    ends[1]!();
    expect(plane.all('unsend-frames').map(({ outlet }) => outlet)).toEqual([outlets[1]]);
  });

  test('not while it is not connected, nor when its worker does not take it', async () => {
    const { room, plane, encoder: one, track } = encoder();
    track();
    plane.failures['send-frames'] = [gone()];
    await expect(room.tracks[0]!.sendFrames!(TARGET)).rejects.toThrow('The media worker is gone.');
    one.detach();
    await expect(room.tracks[0]!.sendFrames!(TARGET)).rejects.toThrow('The encoder is not connected.');
  });
});
