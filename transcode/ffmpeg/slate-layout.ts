/* How a text is set on a slate: in which size, and in which lines. Fonts aren't read: widths are estimated, rather too wide. */

export interface CardLayout {
  /** Of the font: the height of a line without the space to the next, in samples. */
  readonly fontSize: number;
  /** From one baseline to the next, in samples. */
  readonly lineHeight: number;
  readonly lines: readonly string[];
}

const LARGEST = 1 / 9;
const SMALLEST_SIZE = 8;
const SHRINK = 0.88;
const LINE_HEIGHT = 1.35;
/** The text takes so much of the slate's width and height at the most. */
const WIDE_SHARE = 0.84;
const HIGH_SHARE = 0.6;
const MAX_LINES = 4;
/** Words are broken before letters get smaller than this share of the slate's height. */
const READABLE = 1 / 20;

const ALPHABETS = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}\p{P}\p{Z}]/u;
const BROAD = /^[mwMW@%&—…\p{Ideographic}\u3000-\u30ff\uff00-\uff60]/u;
const letters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Sets a text in the largest size in which it takes few lines; words are broken only when they don't fit otherwise.
 *
 * @param text - one line, its words parted by single spaces
 * @param width - of the slate, in samples, as is its height
 * @returns what does not fit in the smallest size either is left out
 */
export function layOut(text: string, width: number, height: number): CardLayout {
  const largest = height * LARGEST;
  for (const breaks of [false, true]) {
    const smallest = breaks ? SMALLEST_SIZE : Math.max(SMALLEST_SIZE, height * READABLE);
    for (let size = largest; size >= smallest; size *= SHRINK) {
      const lines = wrapEvenly(text, (width * WIDE_SHARE) / size, breaks);
      const fits = lines && lines.length <= maxLines(height, size);
      if (fits) return { fontSize: Math.round(size), lineHeight: Math.round(size * LINE_HEIGHT), lines };
    }
  }
  const lines = wrap(text, (width * WIDE_SHARE) / SMALLEST_SIZE, true)!;
  return {
    fontSize: SMALLEST_SIZE,
    lineHeight: Math.round(SMALLEST_SIZE * LINE_HEIGHT),
    lines: lines.slice(0, maxLines(height, SMALLEST_SIZE)),
  };
}

function maxLines(height: number, size: number): number {
  return Math.max(1, Math.min(MAX_LINES, Math.floor((height * HIGH_SHARE) / (size * LINE_HEIGHT))));
}

/** No more lines than needed, and these about equally long. */
function wrapEvenly(text: string, maxEms: number, breaks: boolean): string[] | undefined {
  let best = wrap(text, maxEms, breaks);
  for (let ems = maxEms - 1; best && ems > maxEms / 2; ems--) {
    const narrower = wrap(text, ems, false);
    if (narrower?.length !== best.length) break;
    best = narrower;
  }
  return best;
}

/** @returns undefined when a word does not fit into a line, and words are not to be broken */
function wrap(text: string, maxEms: number, breaks: boolean): string[] | undefined {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (emsOf(longer) <= maxEms) {
      line = longer;
      continue;
    }
    if (emsOf(word) > maxEms && !breaks) return undefined;
    if (line !== '') lines.push(line);
    const pieces = breakWord(word, maxEms);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1)!;
  }
  return [...lines, line];
}

function breakWord(word: string, maxEms: number): string[] {
  const pieces = [''];
  for (const { segment } of letters.segment(word)) {
    const piece = pieces.at(-1)! + segment;
    if (piece !== segment && emsOf(piece) > maxEms) pieces.push(segment);
    else pieces[pieces.length - 1] = piece;
  }
  return pieces;
}

/** How wide it is at the most in usual fonts without serifs, in units of their size. */
function emsOf(text: string): number {
  let ems = 0;
  for (const character of text) {
    if (/^\p{M}/u.test(character)) continue; // stands above or below another
    if (BROAD.test(character) || !ALPHABETS.test(character)) ems += 1;
    else if (character === ' ') ems += 0.35;
    else ems += /^\p{Lu}/u.test(character) ? 0.8 : 0.65;
  }
  return ems;
}
