import type { MediaLink } from '../../../src/gateway.ts';
import { AUDIO_CODECS } from '../../../src/media/codec.ts';
import { RtpSender } from '../../../src/media/rtp-session/rtp-sender.ts';
import type { Mixer } from '../../../transcode/audio/mixer.ts';

const RATE = 48_000;
const STEP = 960;

/**
 * One Opus mix of all phones of a room, sent to its hub: what browsers get of a room with many phones.
 * @param onEnd - called when it has ended, as told or because the link closed
 * @returns ends it
 */
export function sendPhoneMix(
  mixer: Mixer,
  link: MediaLink,
  { ssrc, payloadType }: { readonly ssrc: number; readonly payloadType: number },
  onEnd: () => void,
): () => void {
  const send = (packet: Buffer, bytes: number) => link.send(packet.subarray(0, bytes));
  const sender = new RtpSender(payloadType, STEP, send, ssrc);
  const listener = mixer.addListener(
    { codec: AUDIO_CODECS.opus.name, rate: RATE, gatewaysOnly: true },
    sender,
  );
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    forgetLink();
    mixer.removeListener(listener);
    onEnd();
  };
  const forgetLink = link.onClose(end);
  return end;
}
