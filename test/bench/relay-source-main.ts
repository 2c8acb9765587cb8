// The publisher's process: started by relay-source.ts.

import { toMachineTime } from '../../src/base/machine-time.ts';
import { parseFlvVideo } from '../../src/media/containers/flv/flv.ts';
import { type FlvTag, isKeyFrame, isSequenceHeader, loop, makeClip } from '../peers/flv-clip.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import { answerRequests } from './relay-end.ts';
import { type RelayFrame, tailOf } from './relay-frame.ts';
import { makeMarkedClip } from './relay-mark.ts';
import type { SourceRequest } from './relay-source.ts';

const TAKEN = 'NetStream.Publish.Start';
/** A minute; older ones are forgotten. */
const MOST_FRAMES = 2_000;

let frames: RelayFrame[] = [];

async function publish({ port, key, clip, marked }: Extract<SourceRequest, { type: 'publish' }>) {
  const tags = await (marked ? makeMarkedClip(clip) : makeClip(clip));
  const publisher = await RtmpPublisher.connect({ port });
  publisher.socket.setNoDelay(true); // as librtmp does, and with it OBS
  const status = await publisher.publish(key);
  if (status !== TAKEN) throw new Error(`${key}: ${status}`);
  let firstShownMs: number | undefined;
  let atMs = 0;
  // Called just before a tag is written; afterwards it may have been read already.
  const mapTimestamp = (timestampMs: number) => {
    atMs = toMachineTime(performance.now());
    return timestampMs;
  };
  const onTag = (tag: FlvTag) => {
    if (tag.type !== 'video' || isSequenceHeader(tag)) return;
    const { timestampMs, body } = tag;
    const ownMs = timestampMs + (parseFlvVideo(body)?.compositionMs ?? 0);
    firstShownMs ??= ownMs;
    const shownMs = ownMs - firstShownMs;
    const isKey = isKeyFrame(tag);
    frames.push({ key, kind: 'video', isKey, timestampMs, shownMs, tail: tailOf(body), atMs });
    if (frames.length > MOST_FRAMES) frames.shift();
  };
  void publisher.playFlv(loop(tags), { paced: true, mapTimestamp, onTag });
}

function take(): readonly RelayFrame[] {
  const taken = frames;
  frames = [];
  return taken;
}

answerRequests<SourceRequest>((request) => (request.type === 'publish' ? publish(request) : take()));
