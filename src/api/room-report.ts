import { z } from 'zod';
import type { Plan, Route } from '../media/plan.ts';
import type { Participant, Room } from '../room/room.ts';
import type { Track, TrackStatistics } from '../room/track.ts';
import { CONNECTION_QUALITIES, PARTICIPANT_KINDS, TRACK_PURPOSES } from '../room/vocabulary.ts';
import type { MediaPlane } from '../workers/media-plane.ts';

/** What our own API tells of a room: the parts that LiveKit's messages have no place for. */

const codec = z.strictObject({
  name: z.string(),
  clockRate: z.int().describe('RTP clock rate in Hz'),
  channels: z.int().optional(),
  parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});

const track = z.strictObject({
  sid: z.string(),
  kind: z.enum(['audio', 'video']),
  purpose: z.enum(TRACK_PURPOSES),
  codec,
  route: z
    .strictObject({
      codec,
      reason: z.string(),
      steps: z.array(z.strictObject({ action: z.string(), detail: z.string() })),
    })
    .optional()
    .describe('What is done to it before it reaches the hub; absent when it goes there as it is'),
  muted: z.boolean(),
  layers: z.int().describe('Qualities sent at once; 1 without simulcast'),
  width: z.int().optional(),
  height: z.int().optional(),
  received: z
    .strictObject({
      packets: z.int(),
      packetsLost: z.int(),
      bitrateBps: z.number(),
      jitterMs: z.number().describe('Interarrival jitter (RFC 3550, 6.4.1)'),
      packetsUnknown: z.int().optional().describe('Not of what was agreed on; dropped'),
      sent: z
        .strictObject({
          packets: z.int(),
          packetsLost: z.int().optional().describe('As its receiver reports'),
          roundTripMs: z.number().optional(),
        })
        .optional()
        .describe('What a phone was sent, and what it says of it'),
      source: z
        .strictObject({
          format: z.string().describe('As it comes, such as "H.264 High"'),
          width: z.int().optional(),
          height: z.int().optional(),
          frameRate: z.number().optional().describe('Pictures a second'),
          keyFrameIntervalMs: z.number().optional(),
          bFrames: z.boolean().optional(),
          dropped: z.int().describe('Not passed on: malformed, too large, or too late'),
          timestampJumps: z.int().describe('Timestamps that went on from somewhere else'),
          timestampSteps: z.int().describe('Timestamps before their predecessors'),
          delayMs: z.number().optional().describe('By how much sound waits for the pictures'),
          job: z
            .strictObject({ pid: z.int(), latencyMs: z.number().optional(), deaths: z.int() })
            .optional()
            .describe('The child process that decodes or re-encodes it'),
        })
        .optional()
        .describe('What an encoder sends'),
      packetsForeign: z.int().optional().describe('From somebody else than the sender; dropped'),
      jitterBuffer: z
        .strictObject({
          depth: z.int().describe('Packets that wait now'),
          late: z.int(),
          lost: z.int(),
          discarded: z.int(),
          stretched: z.int().describe('How often the delay was made longer'),
        })
        .optional()
        .describe('Of the mixer, where the track is mixed'),
    })
    .optional()
    .describe('What arrived at the hub; absent where it cannot be told'),
});

const subscription = z.strictObject({
  track: z.string().describe('sid of the track'),
  publisher: z.string().describe('Identity of its publisher'),
  outcome: z.enum(['pass-through', 'transcode', 'refused']),
  reason: z.string(),
  steps: z.array(z.strictObject({ action: z.string(), detail: z.string() })),
  paused: z.boolean(),
});

const participant = z.strictObject({
  sid: z.string(),
  identity: z.string(),
  name: z.string(),
  kind: z.enum(PARTICIPANT_KINDS),
  gateway: z.string(),
  joinedAt: z.iso.datetime(),
  quality: z.enum(CONNECTION_QUALITIES),
  hidden: z.boolean(),
  tracks: z.array(track),
  subscriptions: z.array(subscription),
});

const worker = z.strictObject({
  kind: z.enum(['hub', 'media']),
  pid: z.int(),
  rooms: z.int(),
  cpuMs: z.number().describe('CPU time used since it started'),
  memoryBytes: z.number(),
  loopLagMs: z.number().optional().describe('Longest delay of its event loop since this was last read'),
  mixing: z
    .strictObject({
      mixers: z.int().describe('Rooms that it mixes'),
      decoders: z.int().describe('Decoders that run'),
      ticksSkipped: z.int().describe('Frames of 20 ms that were given up after a stall'),
      tickLagMs: z.number().describe('The latest that a frame was made since this was last read'),
    })
    .optional(),
  programs: z
    .array(
      z.strictObject({
        program: z.string(),
        picture: z.enum(['undecided', 'copied', 'encoded']).describe('How its pictures are made'),
        frames: z.int().describe('Pictures that went out'),
        bytes: z.number().describe('Of these pictures'),
        encoderDelayMs: z.number(),
        pids: z.array(z.int()).describe('Of its encoders: picture, where there is one, and sound'),
        deaths: z.int().describe('Of its encoders, so far'),
        silences: z.int().describe('Frames of silence that stand for sound that was missing'),
      }),
    )
    .optional()
    .describe('What it makes to go out of rooms'),
});

export const roomReport = z
  .strictObject({
    sid: z.string(),
    name: z.string(),
    metadata: z.string(),
    createdAt: z.iso.datetime(),
    limits: z.strictObject({ maxParticipants: z.int(), maxTracksPerParticipant: z.int() }),
    counters: z.strictObject({
      participantsJoined: z.int(),
      tracksPublished: z.int(),
      mediaLosses: z.int().describe('How often the process that carried the room died'),
    }),
    workers: z.array(worker).describe('The processes that carry this room'),
    participants: z.array(participant),
  })
  .meta({ title: 'Room' });
export type RoomReport = z.infer<typeof roomReport>;

export const serverReport = z
  .strictObject({
    version: z.string(),
    demo: z.boolean(),
    rooms: z.array(z.strictObject({ name: z.string(), participants: z.int() })),
    workers: z.array(worker),
    gateways: z
      .record(z.string(), z.record(z.string(), z.number()))
      .describe('Figures of each gateway, by its name'),
    workerDeaths: z.strictObject({ hub: z.int(), media: z.int() }),
  })
  .meta({ title: 'Server' });
export type ServerReport = z.infer<typeof serverReport>;

export async function reportRoom(room: Room, plane: MediaPlane): Promise<RoomReport> {
  const { hubWorkerPid, mediaWorkerPid } = plane.placement(room);
  const workers = await plane.statistics();
  return {
    sid: room.sid,
    name: room.name,
    metadata: room.metadata,
    createdAt: new Date(room.createdAt).toISOString(),
    limits: {
      maxParticipants: room.options.maxParticipants,
      maxTracksPerParticipant: room.options.maxTracksPerParticipant,
    },
    counters: { ...room.counters },
    workers: workers.filter(({ pid }) => pid === hubWorkerPid || pid === mediaWorkerPid),
    participants: await Promise.all(room.participants.map(reportParticipant)),
  };
}

async function reportParticipant(one: Participant): Promise<RoomReport['participants'][number]> {
  return {
    sid: one.sid,
    identity: one.identity,
    name: one.name,
    kind: one.kind,
    gateway: one.gateway,
    joinedAt: new Date(one.joinedAt).toISOString(),
    quality: one.quality,
    hidden: one.permissions.hidden,
    tracks: await Promise.all([...one.tracks.values()].map(reportTrack)),
    subscriptions: [...one.subscriptions.values()].map(({ track, plan, paused }) => ({
      track: track.sid,
      publisher: track.participant.identity,
      ...reportPlan(plan),
      paused,
    })),
  };
}

async function reportTrack(one: Track): Promise<RoomReport['participants'][number]['tracks'][number]> {
  // A track that ends while it is asked has no figures.
  const received: TrackStatistics | undefined = await one.statistics?.().catch(() => undefined);
  return {
    sid: one.sid,
    kind: one.kind,
    purpose: one.purpose,
    codec: { ...one.codec, ...(one.codec.parameters ? { parameters: { ...one.codec.parameters } } : {}) },
    ...(one.route ? { route: reportRoute(one.route) } : {}),
    muted: one.muted,
    layers: one.layers,
    ...(one.width ? { width: one.width } : {}),
    ...(one.height ? { height: one.height } : {}),
    ...(received ? { received } : {}),
  };
}

function reportRoute({ codec, reason, steps }: Route) {
  const { name, clockRate, channels } = codec;
  return {
    codec: { name, clockRate, ...(channels ? { channels } : {}) },
    reason,
    steps: steps.map((step) => ({ ...step })),
  };
}

function reportPlan(plan: Plan) {
  const steps = plan.outcome === 'transcode' ? plan.steps : [];
  return { outcome: plan.outcome, reason: plan.reason, steps: steps.map((step) => ({ ...step })) };
}
