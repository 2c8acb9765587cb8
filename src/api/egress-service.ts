import {
  EgressInfo,
  ListEgressRequest,
  ListEgressResponse,
  ParticipantEgressRequest,
  RoomCompositeEgressRequest,
  StartEgressRequest,
  StopEgressRequest,
  TrackCompositeEgressRequest,
  TrackEgressRequest,
  UpdateLayoutRequest,
  UpdateStreamRequest,
  WebEgressRequest,
} from '@livekit/protocol';
import { DEFAULT_ENCODING } from '../../transcode/ffmpeg/program-arguments.ts';
import { PatchroomError } from '../base/errors.ts';
import type { ProgramSettings } from '../outputs/director.ts';
import type { Output } from '../outputs/output.ts';
import type { Outputs } from '../outputs/outputs.ts';
import type { RoomDirectory } from '../room/directory.ts';
import { mayRecord, mustHaveGrant, mustRecord, type RoomGrant } from '../room/grants.ts';
import { participantAddresses, roomAddresses } from './egress-requests.ts';
import { egressInfo, statusName } from './egress-views.ts';
import { rpc, type Service } from './twirp.ts';

type Method = Service[string];

/** Of the configuration that says nothing of it. */
const EVERYDAY: ProgramSettings = { encoding: DEFAULT_ENCODING, audioBitrateBps: 128_000 };

/**
 * LiveKit's Egress on our outputs: rooms and participants to RTMP servers. What is not here answers `unimplemented`.
 * @param made - how programs are encoded: requests for another encoding are refused
 */
export function egressService(
  rooms: Pick<RoomDirectory, 'mustGet'>,
  outputs: Pick<Outputs, 'start' | 'get' | 'all' | 'update' | 'stop'>,
  made: ProgramSettings = EVERYDAY,
): Service {
  /** Says nothing of what there is to those who may not see it. */
  function mustFind(id: string, grant: RoomGrant): Output {
    mustHaveGrant(grant, 'roomRecord');
    const output = outputs.get(id);
    if (!output) throw new PatchroomError('not-found', 'There is no egress of that egress_id.');
    mustRecord(grant, output.roomName);
    return output;
  }

  const service: Service = {
    StartRoomCompositeEgress: rpc(RoomCompositeEgressRequest, EgressInfo, async (request, grant) => {
      mustRecord(grant, request.roomName);
      const addresses = roomAddresses(request, made);
      return egressInfo(await outputs.start(rooms.mustGet(request.roomName), { type: 'room' }, addresses));
    }),

    StartParticipantEgress: rpc(ParticipantEgressRequest, EgressInfo, async (request, grant) => {
      const { roomName, identity } = request;
      mustRecord(grant, roomName);
      const addresses = participantAddresses(request, made);
      const room = rooms.mustGet(roomName);
      if (!room.participant(identity)) {
        throw new PatchroomError('participant-not-found', `${identity} is not in the room ${roomName}.`);
      }
      return egressInfo(await outputs.start(room, { type: 'participant', identity }, addresses));
    }),

    UpdateStream: rpc(UpdateStreamRequest, EgressInfo, async (request, grant) => {
      const { id, status } = mustFind(request.egressId, grant);
      mustRun(status, 'updated');
      const { addOutputUrls: add, removeOutputUrls: remove } = request;
      if (add.length + remove.length === 0) {
        throw new PatchroomError(
          'invalid-request',
          'Nothing is asked for: add_output_urls, remove_output_urls.',
        );
      }
      return egressInfo(await outputs.update(id, { add, remove }));
    }),

    ListEgress: rpc(ListEgressRequest, ListEgressResponse, (request, grant) => {
      mustHaveGrant(grant, 'roomRecord');
      const { egressId, roomName, active, pageToken } = request;
      if (pageToken?.token) {
        throw new PatchroomError('unimplemented', 'The list is in one page: leave page_token away.');
      }
      const found = egressId ? [mustFind(egressId, grant)] : outputs.all;
      const items = found.filter(
        (output) =>
          mayRecord(grant, output.roomName) &&
          (!roomName || output.roomName === roomName) &&
          (!active || !isOver(output)),
      );
      return new ListEgressResponse({ items: items.map(egressInfo) });
    }),

    StopEgress: rpc(StopEgressRequest, EgressInfo, async ({ egressId }, grant) => {
      const { id, status } = mustFind(egressId, grant);
      mustRun(status, 'stopped');
      return egressInfo(await outputs.stop(id));
    }),

    UpdateLayout: rpc(
      UpdateLayoutRequest,
      EgressInfo,
      absent(
        "A program shows one participant's picture: PUT /api/rooms/<room>/program says whose (UpdateLayout).",
      ),
    ),
    StartWebEgress: rpc(WebEgressRequest, EgressInfo, absent('Web pages are not sent out (StartWebEgress).')),
    StartTrackCompositeEgress: rpc(
      TrackCompositeEgressRequest,
      EgressInfo,
      absent('Tracks are not sent out one by one: use StartParticipantEgress.'),
    ),
    StartTrackEgress: rpc(
      TrackEgressRequest,
      EgressInfo,
      absent('Tracks are not sent out one by one: use StartParticipantEgress.'),
    ),
    StartEgress: rpc(
      StartEgressRequest,
      EgressInfo,
      absent('Use StartRoomCompositeEgress or StartParticipantEgress instead of StartEgress.'),
    ),
  };
  return Object.fromEntries(Object.entries(service).map(([name, method]) => [name, discreet(method)]));
}

function isOver({ status }: Output): boolean {
  return status === 'complete' || status === 'failed' || status === 'aborted';
}

/** @throws PatchroomError 'failed-precondition', as LiveKit's clients know it */
function mustRun(status: Output['status'], to: 'stopped' | 'updated'): void {
  if (status === 'starting' || status === 'active') return;
  throw new PatchroomError(
    'failed-precondition',
    `An egress with status ${statusName(status)} cannot be ${to}.`,
  );
}

function absent(sentence: string): (request: unknown, grant: RoomGrant) => never {
  return (_request, grant) => {
    mustHaveGrant(grant, 'roomRecord');
    throw new PatchroomError('unimplemented', sentence);
  };
}

/** What does not parse is quoted in the parser's message, and may be an address with its key: only the place is told. */
function discreet(method: Method): Method {
  return {
    async call(body, encoding, grant) {
      try {
        return await method.call(body, encoding, grant);
      } catch (error) {
        const place =
          error instanceof PatchroomError && /^(The body is no [\w.]+): (.*)/s.exec(error.message);
        if (!place) throw error;
        const [, sentence, words] = place;
        const field = /^cannot decode \w+ [\w.]+/.exec(words!)?.[0];
        throw new PatchroomError('invalid-request', field ? `${sentence}: ${field}` : `${sentence}.`);
      }
    },
  };
}
