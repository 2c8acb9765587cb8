const MAX_PARTS = 32;
const MAX_DEPTH = 4;

interface Part {
  readonly type: string;
  readonly text: string;
}

/**
 * The session description among the parts of a body (RFC 5621): of `multipart/*`, also one within another, the first part
 * that is one. Pure.
 *
 * @param body - with its Content-Type as it came
 * @returns with the bare type in lower case; a body without any description as it is
 */
export function descriptionIn(body: Part): Part {
  return find(body, MAX_DEPTH) ?? { type: bareType(body.type), text: body.text };
}

function find({ type, text }: Part, depth: number): Part | undefined {
  const bare = bareType(type);
  if (bare === 'application/sdp') return { type: bare, text };
  if (!bare.startsWith('multipart/') || depth === 0) return undefined;
  const boundary = /;[ \t]*boundary[ \t]*=[ \t]*(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (!boundary) return undefined;
  for (const part of partsOf(text, (boundary[1] ?? boundary[2])!)) {
    const found = find(part, depth - 1);
    if (found) return found;
  }
  return undefined;
}

/** Parts lie between lines that begin with the boundary (RFC 2046, section 5.1.1). */
function partsOf(text: string, boundary: string): Part[] {
  const delimiter = `\r\n--${boundary}`;
  const pieces = `\r\n${text}`.split(delimiter, MAX_PARTS + 2);
  return pieces.slice(1).flatMap((piece) => {
    // Behind the delimiter: two dashes at the end of all, white space, a line's end.
    const start = /^[ \t]*\r\n/.exec(piece);
    return start ? [readPart(piece.slice(start[0].length))] : [];
  });
}

function readPart(piece: string): Part {
  const end = piece.startsWith('\r\n') ? 0 : piece.indexOf('\r\n\r\n');
  if (end < 0) return { type: '', text: '' };
  const headers = piece.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const type = /^(?:content-type|c)[ \t]*:[ \t]*(.*)$/im.exec(headers)?.[1] ?? 'text/plain';
  return { type, text: piece.slice(end === 0 ? 2 : end + 4) };
}

function bareType(type: string): string {
  return type.split(';', 1)[0]!.trim().toLowerCase();
}
