import type { RelayFrame } from './relay-frame.ts';

/** Less than half of the time from one picture to the next, at 30 a second. */
export const TOLERANCE_MS = 15;

type Pair = readonly [sent: RelayFrame, came: RelayFrame];

/**
 * Which picture is which where only times tell: both ends keep their distances, but for rounding and for the few
 * milliseconds by which each may be moved against the one before. Pure.
 * @param known - a pair to begin with
 * @returns what came of each that was sent, where it did
 */
export function pairByTime(
  sent: readonly RelayFrame[],
  came: readonly RelayFrame[],
  known: Pair,
): Map<RelayFrame, RelayFrame> {
  const pairs = new Map([known]);
  const [ours, theirs] = [sent, came].map((frames) => [...frames].sort((a, b) => a.shownMs - b.shownMs));
  for (const direction of [1, -1]) {
    let shiftMs = known[1].shownMs - known[0].shownMs;
    let at = theirs!.indexOf(known[1]);
    for (let index = ours!.indexOf(known[0]) + direction; ours![index]; index += direction) {
      const picture = ours![index]!;
      const off = (place: number) =>
        (theirs![place]?.shownMs ?? Number.POSITIVE_INFINITY) - picture.shownMs - shiftMs;
      while (Math.abs(off(at + direction)) <= Math.abs(off(at))) at += direction;
      if (Math.abs(off(at)) > TOLERANCE_MS) continue;
      pairs.set(picture, theirs![at]!);
      shiftMs += off(at);
    }
  }
  return pairs;
}
