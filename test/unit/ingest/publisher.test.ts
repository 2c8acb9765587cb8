import { describe, expect, test } from 'vitest';
import type { TrackNotice } from '../../../src/ingest/messages.ts';
import { EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { turn } from '../support/fake-process.ts';
import { encoder, RECONNECT_MS } from '../support/publishing-encoder.ts';
import { person } from '../support/rooms.ts';

describe('what it sends', () => {
  test.each<[string, Partial<TrackNotice>, object]>([
    [
      'H.264 as it is',
      { width: 1_280, height: 720 },
      {
        kind: 'video',
        purpose: 'camera',
        codec: {
          name: 'H264',
          clockRate: 90_000,
          parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
        },
        route: undefined,
        width: 1_280,
        height: 720,
      },
    ],
    [
      'H.265, re-encoded',
      { codec: 'H265', outcome: 'transcode', reason: 'not all browsers show it' },
      {
        codec: { name: 'H265', clockRate: 90_000 },
        route: { codec: { name: 'H264' }, reason: 'not all browsers show it', steps: [] },
      },
    ],
    [
      'AAC, re-encoded',
      { kind: 'audio' },
      {
        kind: 'audio',
        purpose: 'voice',
        codec: { name: 'AAC', clockRate: 48_000, channels: 2 },
        route: {
          codec: { name: 'opus', clockRate: 48_000, channels: 2 },
          reason: 'browsers and phones do not take AAC',
        },
      },
    ],
    [
      'G.711 as it is',
      { kind: 'audio', codec: 'PCMA', outcome: 'pass-through' },
      { kind: 'audio', codec: { name: 'PCMA', clockRate: 8_000, channels: 1 }, route: undefined },
    ],
    [
      'Opus as it is',
      { kind: 'audio', codec: 'opus', outcome: 'pass-through' },
      { kind: 'audio', codec: { name: 'opus', clockRate: 48_000, channels: 2 }, route: undefined },
    ],
  ])('becomes a track: %s', (_, change, expected) => {
    const { room, track } = encoder();
    track(change);
    expect(room.tracks).toEqual([expect.objectContaining({ muted: false })]);
    expect(room.tracks[0]).toMatchObject(expected);
  });

  test('is told once: nobody has to fetch it twice', () => {
    const { track, heard, attribute } = encoder();
    track({ kind: 'audio' });
    expect(heard.filter((one) => one !== 'camera updated')).toEqual(['camera published voice']);
    expect(attribute('audio')).toBe('browsers and phones do not take AAC');
  });

  test('becomes none when it is refused, with the reason for people', () => {
    const { room, track, attribute } = encoder();
    track({ codec: 'VP6', outcome: 'refused', reason: 'set the video encoder to H.264' });
    expect([room.tracks, attribute('video')]).toEqual([[], 'set the video encoder to H.264']);
  });

  test('is replanned when something else is done to it on the same way', () => {
    const { track, heard, attribute } = encoder();
    track();
    heard.splice(0);
    track({ outcome: 'transcode', reason: 'B-frames' });
    track();
    expect(heard.filter((one) => one !== 'camera updated')).toEqual([
      'replanned camera: B-frames',
      'replanned camera: undefined',
    ]);
    expect(attribute('video')).toBeUndefined();
  });

  test('becomes another track when its codec is another', () => {
    const { room, track, heard } = encoder();
    track();
    heard.splice(0);
    track({ codec: 'H265', outcome: 'transcode', reason: 'H.265' });
    expect(heard.filter((one) => one !== 'camera updated')).toEqual([
      'camera unpublished camera',
      'camera published camera',
    ]);
    expect(room.tracks.map(({ codec }) => codec.name)).toEqual(['H265']);
  });

  test('is taken away when it is refused later, and comes back', () => {
    const { room, track } = encoder();
    track();
    track({ outcome: 'refused', reason: 'The encoder of the server failed.' });
    expect(room.tracks).toEqual([]);
    track();
    expect(room.tracks).toHaveLength(1);
  });

  test('is not published without permission, and is with it', () => {
    const { room, track, participant } = encoder();
    participant.update({ permissions: { ...EVERYDAY_PERMISSIONS, publishPurposes: ['voice'] } });
    track();
    track({ kind: 'audio' });
    expect(room.tracks.map(({ kind }) => kind)).toEqual(['audio']);
    participant.update({ permissions: EVERYDAY_PERMISSIONS });
    expect(room.tracks.map(({ kind }) => kind)).toEqual(['audio', 'video']);
  });

  test('is published again when the hub died', () => {
    const { room, track } = encoder();
    track();
    track({ kind: 'audio' });
    room.loseMedia('killed');
    expect(room.tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
  });

  test('is gone when it left, whatever comes then', () => {
    const { room, track, participant, clock } = encoder();
    track();
    participant.leave('left');
    track({ kind: 'audio' });
    room.loseMedia('killed');
    expect([room.tracks, clock.pending]).toEqual([[], 0]);
  });
});

describe('muting', () => {
  test('reaches the session, and only for its own tracks', () => {
    const { room, plane, track } = encoder();
    track();
    const ann = room.join(person('ann'));
    const voice = ann.publish({
      kind: 'audio',
      purpose: 'voice',
      codec: { name: 'opus', clockRate: 48_000 },
      producerId: 'p',
    });
    room.setMuted(voice, true);
    room.setMuted(room.tracks[0]!, true);
    room.setMuted(room.tracks[0]!, false);
    expect(plane.requests).toEqual([
      { type: 'mute', session: 'first', kind: 'video', muted: true },
      { type: 'mute', session: 'first', kind: 'video', muted: false },
    ]);
  });

  test('stays when the encoder comes back', () => {
    const { room, plane, encoder: one, track, attach } = encoder();
    track();
    room.setMuted(room.tracks[0]!, true);
    one.detach();
    plane.requests.splice(0);
    attach('second');
    expect(plane.requests).toEqual([{ type: 'mute', session: 'second', kind: 'video', muted: true }]);
    track();
    expect(room.tracks[0]!.muted).toBe(true);
  });

  test('stays when the hub died', () => {
    const { room, track } = encoder();
    track();
    room.setMuted(room.tracks[0]!, true);
    room.loseMedia('killed');
    expect(room.tracks.map(({ muted }) => muted)).toEqual([true]);
  });
});

describe('an encoder that comes back', () => {
  test('feeds the tracks that it had; those that it does not send again go after 5 s', async () => {
    const { room, plane, clock, encoder: one, track, attach, heard } = encoder();
    track();
    track({ kind: 'audio' });
    const before = room.tracks.map(({ sid }) => sid);
    one.detach();
    clock.advance(RECONNECT_MS - 1);
    heard.splice(0);
    attach('second');
    track();
    expect(heard).toContain('rerouted camera');
    await room.tracks[0]!.hold();
    expect(plane.all('send').map(({ session }) => session)).toEqual(['second']);
    clock.advance(4_999);
    expect(room.tracks.map(({ sid }) => sid)).toEqual(before);
    clock.advance(1);
    expect(room.tracks.map(({ kind }) => kind)).toEqual(['video']);
    room.loseMedia('killed');
    expect(room.tracks.map(({ kind }) => kind)).toEqual(['video']);
  });

  test('and goes again has all the time to come back once more', () => {
    const { room, clock, encoder: one, track, attach } = encoder();
    track();
    one.detach();
    clock.advance(RECONNECT_MS - 1);
    attach('second');
    clock.advance(3_000);
    one.detach();
    clock.advance(RECONNECT_MS - 1);
    expect([room.participants.length, room.tracks.length]).toEqual([1, 1]);
    clock.advance(1);
    expect([room.participants.length, room.tracks.length]).toEqual([0, 0]);
  });

  test('the first time has to renew nothing', () => {
    const { room, clock, track } = encoder();
    clock.advance(4_000);
    track();
    clock.advance(60_000);
    expect(room.tracks).toHaveLength(1);
  });

  test('shows how it stands', () => {
    const { participant, encoder: one, attach, attribute } = encoder();
    const states = [[participant.quality, attribute('status')]];
    one.detach();
    states.push([participant.quality, attribute('status')]);
    attach('second');
    states.push([participant.quality, attribute('status')]);
    expect(states).toEqual([
      ['excellent', 'live'],
      ['lost', 'waiting'],
      ['excellent', 'live'],
    ]);
  });
});

describe('how it goes', () => {
  const audio = { format: 'AAC-LC 48 kHz stereo', bitrateBps: 160_000, packetsSent: 5, dropped: 0 };

  test('is shown every 2 s, and told to the room only when it changed', async () => {
    const { plane, clock, heard, attribute } = encoder();
    plane.statistics = { audio, repairs: { jumps: 0, steps: 0 } };
    for (let round = 0; round < 3; round++) {
      clock.advance(2_000);
      await turn();
    }
    expect(plane.all('statistics')).toHaveLength(3);
    expect(attribute('sound')).toBe('AAC-LC 48 kHz stereo, 160 kbit/s');
    expect(heard).toEqual(['camera updated']);
  });

  test('is not asked for while it is away', async () => {
    const { plane, clock, encoder: one, attach } = encoder();
    one.detach();
    clock.advance(6_000);
    expect(plane.all('statistics')).toEqual([]);
    attach('second');
    clock.advance(2_000);
    expect(plane.all('statistics')).toEqual([{ type: 'statistics', session: 'second' }]);
  });

  test('is in the statistics of its tracks', async () => {
    const { room, plane, track } = encoder();
    track({ kind: 'audio' });
    plane.statistics = { audio, repairs: { jumps: 2, steps: 0 } };
    expect(await room.tracks[0]!.statistics!()).toMatchObject({
      packets: 5,
      source: { format: 'AAC-LC 48 kHz stereo', timestampJumps: 2 },
    });
  });

  test('is not known of what does not come', async () => {
    const { room, plane, track, encoder: one } = encoder();
    track();
    plane.statistics = { audio, repairs: { jumps: 0, steps: 0 } };
    await expect(room.tracks[0]!.statistics!()).rejects.toThrow('The encoder sends no video at present.');
    one.detach();
    await expect(room.tracks[0]!.statistics!()).rejects.toThrow('The encoder is not connected.');
  });
});
