import type { Push } from './push.ts';

/** 25 pictures a second, of which each 25th is a key frame. */
export const PERIOD_MS = 40;
export const GROUP = 25;

export interface StreamOptions {
  readonly seconds?: number;
  readonly from?: number;
  /** Of the first picture. */
  readonly startMs?: number;
}

/** Sends pictures in real time. @param send - one picture, in however many messages; its number is the index of those sent so far */
export function stream(
  { clock }: Pick<Push, 'clock'>,
  send: (key: boolean, number: number, ms: number) => void,
  { seconds = 3, from = 0, startMs = 0 }: StreamOptions = {},
): void {
  const end = from + (seconds * 1000) / PERIOD_MS;
  for (let number = from; number < end; number++) {
    send(number % GROUP === 0, number, startMs + number * PERIOD_MS);
    clock.advance(PERIOD_MS);
  }
}

const SLICES = [1, 5];

export function isSlice(nal: Buffer): boolean {
  return SLICES.includes(nal[0]! & 0x1f);
}

/** Which picture a slice is of; see flv-bodies. */
export function numberOf(nal: Buffer): number {
  return nal.at(-2)! - 1;
}

/** Of each picture the numbers in its slices. */
export function sliceNumbers(pictures: readonly { readonly nals: readonly Buffer[] }[]): number[][] {
  return pictures.map(({ nals }) => nals.filter(isSlice).map(numberOf));
}

/** From the one with the first number to that before the last, as they should come. @param slices - of each */
export function wholePictures(first: number, end: number, slices = 1): number[][] {
  return Array.from({ length: end - first }, (_, index) => new Array(slices).fill(first + index));
}
