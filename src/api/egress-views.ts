import {
  EgressInfo,
  EgressSourceType,
  EgressStatus,
  ParticipantEgressRequest,
  RoomCompositeEgressRequest,
  StreamInfo,
  StreamInfo_Status,
  StreamInfoList,
  StreamOutput,
  StreamProtocol,
} from '@livekit/protocol';
import type { Output, OutputDestination, OutputStatus } from '../outputs/output.ts';

/* An output in LiveKit's messages. Addresses stand there without their keys; times are nanoseconds since 1970. */

const STATUSES: Record<OutputStatus, EgressStatus> = {
  starting: EgressStatus.EGRESS_STARTING,
  active: EgressStatus.EGRESS_ACTIVE,
  ending: EgressStatus.EGRESS_ENDING,
  complete: EgressStatus.EGRESS_COMPLETE,
  failed: EgressStatus.EGRESS_FAILED,
  aborted: EgressStatus.EGRESS_ABORTED,
};

const STREAM_STATUSES: Record<OutputDestination['status'], StreamInfo_Status> = {
  active: StreamInfo_Status.ACTIVE,
  finished: StreamInfo_Status.FINISHED,
  failed: StreamInfo_Status.FAILED,
};

export function egressInfo(output: Output): EgressInfo {
  const streams = output.destinations.map(streamInfo);
  return new EgressInfo({
    egressId: output.id,
    roomId: output.roomSid,
    roomName: output.roomName,
    // LiveKit's own composes rooms in a web page; the field tells its users which kind of request it was.
    sourceType: output.source.type === 'room' ? EgressSourceType.WEB : EgressSourceType.SDK,
    status: STATUSES[output.status],
    startedAt: nanoseconds(output.startedAt),
    updatedAt: nanoseconds(output.updatedAt),
    endedAt: nanoseconds(output.endedAt),
    request: request(output),
    streamResults: streams,
    // Deprecated, and still what older clients read.
    result: { case: 'stream', value: new StreamInfoList({ info: streams }) },
    error: output.error,
    details: details(output),
  });
}

/** `EGRESS_ACTIVE` and so on, as people read it. */
export function statusName(status: OutputStatus): string {
  return EgressStatus[STATUSES[status]];
}

function streamInfo(destination: OutputDestination): StreamInfo {
  const { startedAt, endedAt, report } = destination;
  return new StreamInfo({
    url: destination.shownAddress,
    startedAt: nanoseconds(startedAt),
    endedAt: nanoseconds(endedAt),
    // As in LiveKit: known when it is over.
    duration: endedAt === undefined ? 0n : nanoseconds(Math.max(0, endedAt - startedAt)),
    status: STREAM_STATUSES[destination.status],
    error: destination.error,
    retries: report.retries,
    lastRetryAt: nanoseconds(report.lastRetryAt),
  });
}

function request({ source, roomName, destinations }: Output): EgressInfo['request'] {
  const urls = destinations.map(({ shownAddress }) => shownAddress);
  const streamOutputs = [new StreamOutput({ protocol: StreamProtocol.RTMP, urls })];
  if (source.type === 'participant') {
    const { identity } = source;
    return {
      case: 'participant',
      value: new ParticipantEgressRequest({ roomName, identity, streamOutputs }),
    };
  }
  return {
    case: 'roomComposite',
    value: new RoomCompositeEgressRequest({ roomName, layout: 'single-speaker', streamOutputs }),
  };
}

/** How each destination is doing, which LiveKit has no field for. */
function details({ destinations }: Output): string {
  return destinations
    .filter(({ status }) => status === 'active')
    .map(({ shownAddress, report: { state, reason } }) =>
      reason ? `${shownAddress} is ${state}: ${reason}` : `${shownAddress} is ${state}`,
    )
    .join('; ');
}

/** @param ms - undefined: never, which is 0 */
function nanoseconds(ms: number | undefined): bigint {
  return BigInt(Math.round(ms ?? 0)) * 1_000_000n;
}
