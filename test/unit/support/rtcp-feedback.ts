/* Feedback as bytes (RFC 4585, section 6), made apart from what reads it. */

const SENDER_SSRC = 0x0a0b0c0d;

function feedback(type: number, format: number, ssrc: number, items: Buffer): Buffer {
  const packet = Buffer.alloc(12);
  packet[0] = 0x80 | format;
  packet[1] = type;
  packet.writeUInt16BE(2 + items.length / 4, 2);
  packet.writeUInt32BE(SENDER_SSRC, 4);
  packet.writeUInt32BE(ssrc, 8);
  return Buffer.concat([packet, items]);
}

/** @param items - a sequence number, and a bit for each of the 16 after it */
export function nack(
  ssrc: number,
  ...items: readonly (readonly [first: number, following: number])[]
): Buffer {
  const bytes = Buffer.alloc(items.length * 4);
  for (const [index, [first, following]] of items.entries()) {
    bytes.writeUInt16BE(first, index * 4);
    bytes.writeUInt16BE(following, index * 4 + 2);
  }
  return feedback(205, 1, ssrc, bytes);
}

export function pli(ssrc: number): Buffer {
  return feedback(206, 1, ssrc, Buffer.alloc(0));
}

/** RFC 5104, section 4.3.1.1: the stream is in the item, and the header says 0. */
export function fir(ssrc: number, count = 1): Buffer {
  const item = Buffer.alloc(8);
  item.writeUInt32BE(ssrc);
  item[4] = count;
  return feedback(206, 4, 0, item);
}

/** An estimate of the bandwidth (draft-alvestrand-rmcat-remb-03): feedback about no stream in particular. */
export function remb(ssrc: number): Buffer {
  const items = Buffer.alloc(12);
  items.write('REMB', 0, 'latin1');
  items[4] = 1;
  items.writeUInt32BE(ssrc, 8);
  return feedback(206, 15, 0, items);
}
