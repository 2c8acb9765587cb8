import { ParticipantPermission, TrackSource } from '@livekit/protocol';
import { describe, expect, test } from 'vitest';
import { participantInfo, roomInfo, toPermissions } from '../../../src/api/livekit-views.ts';
import { canPublish, EVERYDAY_PERMISSIONS } from '../../../src/room/permissions.ts';
import { TRACK_PURPOSES } from '../../../src/room/vocabulary.ts';
import { camera, openRoom, person, voice } from '../support/rooms.ts';

describe('what LiveKit shows', () => {
  test('of a room: those who are not hidden, and its times in seconds', () => {
    const { room } = openRoom({ maxParticipants: 5, emptyTimeoutMs: 60_000, departureTimeoutMs: 5_000 });
    room.join(person('ann')).publish(voice());
    room.join(person('bob'));
    room.join(person('ghost', { hidden: true }));
    expect(roomInfo(room).toJson()).toMatchObject({
      sid: room.sid,
      name: 'lounge',
      emptyTimeout: 60,
      departureTimeout: 5,
      maxParticipants: 5,
      numParticipants: 2,
      numPublishers: 1,
      creationTime: '1700000000',
      creationTimeMs: '1700000000000',
    });
  });

  test('of a participant: its kind, tracks and permissions', () => {
    const { room } = openRoom();
    const ann = room.join({ ...person('ann', { publishPurposes: ['camera'] }), kind: 'phone' });
    const track = ann.publish({ ...camera(), muted: true, layers: 3, width: 640, height: 360 });
    expect(participantInfo(ann).toJson()).toMatchObject({
      sid: ann.sid,
      identity: 'ann',
      state: 'ACTIVE',
      kind: 'SIP',
      isPublisher: true,
      permission: { canPublish: true, canSubscribe: true, canPublishSources: ['CAMERA'] },
      tracks: [{ sid: track.sid, type: 'VIDEO', source: 'CAMERA', muted: true, simulcast: true, width: 640 }],
    });
    expect(participantInfo(ann).tracks[0]!.mimeType).toBe('video/VP8');
  });
});

describe('permissions that LiveKit sets', () => {
  test.each<[string, ConstructorParameters<typeof ParticipantPermission>[0], object]>([
    ['none', {}, { publish: false, subscribe: false }],
    ['publishing', { canPublish: true }, { subscribe: false }],
    ['subscribing', { canSubscribe: true }, { publish: false }],
    ['own metadata', { canUpdateMetadata: true }, { publish: false, subscribe: false, updateOwn: true }],
    ['hidden', { hidden: true }, { publish: false, subscribe: false, hidden: true }],
    [
      'the screen',
      { canPublish: true, canSubscribe: true, canPublishSources: [TrackSource.SCREEN_SHARE] },
      { publishPurposes: ['screen'] },
    ],
  ])('%s', (_, info, expected) => {
    const permissions = toPermissions(new ParticipantPermission(info), EVERYDAY_PERMISSIONS);
    expect(permissions).toEqual({ ...EVERYDAY_PERMISSIONS, ...expected });
  });

  test('leave the right to administrate as it was', () => {
    const before = { ...EVERYDAY_PERMISSIONS, admin: true };
    expect(toPermissions(new ParticipantPermission(), before).admin).toBe(true);
  });

  test('for sources that we do not know permit none that we know, as in tokens', () => {
    const info = new ParticipantPermission({ canPublish: true, canPublishSources: [TrackSource.UNKNOWN] });
    const permissions = toPermissions(info, EVERYDAY_PERMISSIONS);
    expect(TRACK_PURPOSES.filter((purpose) => canPublish(permissions, purpose))).toEqual([]);
  });
});
