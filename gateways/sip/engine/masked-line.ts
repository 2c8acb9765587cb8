const MAX_CHARACTERS = 200;

/**
 * A line of a message as it may be logged: short, printable, and without what says who it is: quoted names, the user part
 * of URIs, and numbers of four digits and more.
 */
export function maskedLine(line: string): string {
  return line
    .slice(0, MAX_CHARACTERS)
    .replace(/[^\x20-\x7e]+/g, '?')
    .replace(/"[^"]*"?/g, '"***"')
    .replace(/((?:sips?|tel):)[^@>;\s]*/gi, '$1***')
    .replace(/\+?\d[\d().-]{3,}(?![.\d])/g, (digits) =>
      /^\d{1,3}(?:\.\d{1,3}){3}$/.test(digits) ? digits : '***',
    );
}
