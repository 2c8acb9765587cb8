/** Control characters: what others named themselves must not steer the reader's terminal. */
const CONTROL = /[\p{Cc}\p{Cf}]/gu;

/** Columns of text, as wide as they need to be. @param rows - each with as many cells as there are titles */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows].map((cells) => cells.map((cell) => cell.replaceAll(CONTROL, '?') || '-'));
  const widths = titles.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
