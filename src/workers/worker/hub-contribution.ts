import type { AudioCodecName } from '../../../transcode/audio/mix-format.ts';
import type { Mixer } from '../../../transcode/audio/mixer.ts';
import type { MediaLink } from '../../media/media-link.ts';
import { readAudioLevel } from '../../media/rtp/audio-level.ts';
import { isRtcp, parseRtp } from '../../media/rtp/rtp.ts';

export interface HubTrack {
  /** Its sid; also names it in the mix. */
  readonly track: string;
  readonly ssrc: number;
  readonly codec: AudioCodecName;
  /** Id of the header extension that tells its packets' loudness. */
  readonly levelExtension: number | undefined;
}

/** Feeds a track of the hub into a mix. @returns ends it */
export function contributeFromHub(link: MediaLink, mixer: Mixer, source: HubTrack): () => void {
  const contributor = mixer.addContributor(source.track, source.codec, 'hub');
  const { levelExtension } = source;
  const stopReceiving = link.receive(source.ssrc, (packet) => {
    if (isRtcp(packet)) return;
    const rtp = parseRtp(packet);
    if (!rtp || rtp.payload.length === 0) return;
    const level = levelExtension === undefined ? undefined : readAudioLevel(packet, levelExtension);
    contributor.receive(rtp.sequenceNumber, rtp.payload, level);
  });
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    forgetLink();
    stopReceiving();
    mixer.removeContributor(source.track);
  };
  const forgetLink = link.onClose(end);
  return end;
}
