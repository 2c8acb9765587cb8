/** Texts from strangers on their way into FFmpeg's filters. */

/** Unicode: controls, and separators of lines and paragraphs; what is not well-formed; any other space. */
const UNDRAWABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]+/gu;

/**
 * What of a text can be drawn in a line: control characters, line breaks and runs of spaces become one space.
 *
 * @param maxCharacters - code points; what is longer is cut, which an ellipsis shows
 */
export function drawableText(text: string, maxCharacters: number): string {
  const characters = [...text.replace(UNDRAWABLE, ' ').trim()];
  if (characters.length <= maxCharacters) return characters.join('');
  return `${characters
    .slice(0, maxCharacters - 1)
    .join('')
    .trimEnd()}…`;
}

/**
 * Escapes a text so that it is the value of a filter's option, whatever it says. It is read twice ("Notes on
 * filtergraph escaping" in the manual of FFmpeg's filters): as part of a filter graph, where quotes, commas, semicolons
 * and brackets have a meaning, and then as an option, where quotes and colons have; the backslash does both times.
 * A filter that expands its text (as drawtext does without expansion=none) would need one more.
 */
export function escapeFilterText(text: string): string {
  const option = text.replace(/[\\':]/g, '\\$&');
  return option.replace(/[\\',;[\]]/g, '\\$&');
}
