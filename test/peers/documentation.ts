import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What is run, or read as a configuration. */
const LANGUAGES = ['sh', 'js', 'yaml', 'ini'] as const;
/** Pictures, files that another test compiles, and what commands print. */
const NOT_RUN = ['mermaid', 'ts', ''];
/** Commands within sentences. */
const INLINE = /^(?:\.\/patchroom [a-z]|ffprobe )/;

type Language = (typeof LANGUAGES)[number];

/** What a page tells its reader to type, or to write into a file. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: Language;
  readonly text: string;
  /** The block without a language that follows with nothing in between: what the commands print. */
  readonly prints?: string;
}

/** What cannot be run in a test. */
export interface Exception {
  readonly page: string;
  /** Of the command, a line; of other languages, somewhere in the whole block that is left out. */
  readonly part: string;
  readonly reason: string;
}

/**
 * @param page - from the project's root
 * @returns its blocks in their order, commands within sentences among them
 * @throws when a block is in no language that is known here: it would be run by nobody
 */
export function blocksOf(page: string): Block[] {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8');
  const pattern = /^```([^\n`]*)\n(.*?)^```$(?:\n\n?```\n(.*?)^```$)?|(?<!`)`([^`\n]+)`(?!`)/gms;
  return [...text.matchAll(pattern)].flatMap((match): Block[] => {
    const [, fence, content = '', prints, inline] = match;
    const line = text.slice(0, match.index).split('\n').length;
    if (inline !== undefined) {
      return INLINE.test(inline) ? [{ page, line, language: 'sh', text: `${inline}\n` }] : [];
    }
    const language = LANGUAGES.find((one) => one === fence);
    if (language) return [{ page, line, language, text: content, ...(prints ? { prints } : {}) }];
    if (NOT_RUN.includes(fence!)) return [];
    throw new Error(`${page}, line ${line}: say ${LANGUAGES.join(', ')} in the place of ${fence}.`);
  });
}

/** @returns what is left to run of it; empty for nothing */
export function withoutExceptions(block: Block, exceptions: readonly Exception[]): string {
  const parts = exceptions.filter(({ page }) => page === block.page).map(({ part }) => part);
  const isExcepted = (text: string) => parts.some((part) => text.includes(part));
  if (block.language !== 'sh') return isExcepted(block.text) ? '' : block.text;
  return block.text
    .split('\n')
    .filter((line) => !isExcepted(line))
    .join('\n')
    .trim();
}

/** What is printed, without figures, ids and the width of columns. */
export function formOf(printed: string): string[] {
  return printed
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/\bEG_\w+/g, 'EG')
        .replace(/\d+(?:\.\d+)*/g, '0')
        .replace(/ +/g, ' '),
    );
}
