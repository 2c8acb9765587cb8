import type { RtmpMessage } from './messages.ts';
import { MESSAGE } from './messages.ts';
import { RtmpError } from './rtmp-error.ts';

/** Type, length, timestamp, stream: as a tag of FLV. */
const HEADER_BYTES = 11;
/** Behind each: its length with the header. */
const BACK_POINTER_BYTES = 4;

const PARTS: ReadonlySet<number> = new Set([
  MESSAGE.audio,
  MESSAGE.video,
  MESSAGE.dataAmf0,
  MESSAGE.dataAmf3,
]);

/**
 * Takes an aggregate apart (RTMP 1.0, section 7.1.6): its stream's id goes for all parts, its timestamp
 * is that of the first, and the others keep their distance to it.
 * @param onMessage - called for each part; its payload is a buffer of its own, or a view of the aggregate's where it is most of that
 * @throws RtmpError when a part is cut off, or is neither audio nor video nor data
 */
export function splitAggregate(
  { payload, timestamp, streamId }: RtmpMessage,
  onMessage: (message: RtmpMessage) => void,
): void {
  let offset: number | undefined;
  for (let at = 0; at < payload.length; ) {
    if (payload.length - at < HEADER_BYTES) throw cutOff();
    const type = payload[at]!;
    if (!PARTS.has(type))
      throw new RtmpError('aggregate', `An aggregate message contains a message of type ${type}.`);
    const bytes = payload.readUIntBE(at + 1, 3);
    // The upper eight bits of the time are behind the lower 24, as in FLV.
    const time = (payload.readUIntBE(at + 4, 3) | (payload[at + 7]! << 24)) >>> 0;
    offset ??= timestamp - time;
    const start = at + HEADER_BYTES;
    if (payload.length - start < bytes) throw cutOff();
    at = start + bytes + BACK_POINTER_BYTES;
    const part = payload.subarray(start, start + bytes);
    onMessage({
      type,
      timestamp: (time + offset) >>> 0,
      streamId,
      // A view of a small part would keep the whole aggregate for as long as somebody keeps the part.
      payload: bytes < payload.length / 2 ? Buffer.from(part) : part,
    });
  }
}

function cutOff(): RtmpError {
  return new RtmpError('aggregate', 'An aggregate message ends in the middle of one of its parts.');
}
