import { randomInt } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { SourceUnit, VideoFormat } from '../../media/access-unit.ts';
import type { MediaLink } from '../../media/media-link.ts';
import { pictureLossIndication } from '../../media/rtp/rtcp-feedback.ts';
import { isRtcp } from '../../media/rtp/rtp.ts';
import { VideoReceiver } from '../../media/rtp/video-receiver.ts';
import { SourceClock } from '../../media/source-clock.ts';

/**
 * Browsers send no key frame unasked, and without one lately no encoder could begin anew: they are asked after so long,
 * and again as long as none comes.
 */
const MAX_KEY_FRAME_GAP_MS = 10_000;
const ASK_AGAIN_MS = 1_000;

/** A participant's pictures as they come from the hub. */
export interface HubFrames {
  readonly ssrc: number;
  readonly codec: 'H264' | 'VP8';
}

/** Takes pictures from the hub for a program. @returns ends it */
export function receiveFromHub(
  link: MediaLink,
  { ssrc, codec }: HubFrames,
  clock: Clock,
  onUnit: (unit: SourceUnit) => void,
): () => void {
  const format: VideoFormat = { kind: 'video', codec, parameterSets: [] };
  const times = new SourceClock();
  const ownSsrc = randomInt(1, 2 ** 32);
  const askForKeyFrame = () => link.send(pictureLossIndication(ownSsrc, ssrc));
  let askAt = 0;
  const receiver = new VideoReceiver(codec, {
    picture: ({ data, key, timestampMs }) => {
      const now = clock.now();
      times.heard(timestampMs, now);
      if (key) askAt = now + MAX_KEY_FRAME_GAP_MS;
      else if (now >= askAt) {
        askAt = now + ASK_AGAIN_MS;
        askForKeyFrame();
      }
      const timeUs = timestampMs * 1000;
      onUnit({
        format,
        data,
        dtsUs: timeUs,
        ptsUs: timeUs,
        key,
        disposable: false,
        discontinuity: false,
        dueAt: now - times.latenessOf(timestampMs, now),
        keyFrameGapMs: 0,
        audioLateMs: 0,
      });
    },
    needsKeyFrame: askForKeyFrame,
  });
  return link.receive(ssrc, (packet) => {
    if (!isRtcp(packet)) receiver.receive(packet, clock.now());
  });
}
