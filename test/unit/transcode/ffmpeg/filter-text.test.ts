import { describe, expect, test } from 'vitest';
import { drawableText, escapeFilterText } from '../../../../transcode/ffmpeg/filter-text.ts';
import { seededRandom } from '../../../signals/random.ts';

describe('what can be drawn of', () => {
  test.each([
    ['standup', 'standup'],
    ['', ''],
    [' \t\r\n ', ''],
    ['  a \n line ', 'a line'],
    ['a\0b\x1b[31m\x7f\x9fd', 'a b [31m d'],
    ['a\u2028b\u2029c\u00a0d\u3000e', 'a b c d e'],
    ['\ud800 lone \udc00', 'lone'],
    ['会議室 😀 é', '会議室 😀 é'],
    ['x'.repeat(10), 'x'.repeat(10)],
    ['x'.repeat(11), `${'x'.repeat(9)}…`],
    ['12345678 0123', '12345678…'],
    ['😀'.repeat(11), `${'😀'.repeat(9)}…`],
  ])('%j in 10 characters: %j', (text, expected) => {
    expect(drawableText(text, 10)).toBe(expected);
  });
});

/** What FFmpeg reads up to one of these characters (av_get_token). */
function readToken(text: string, terminators: string): { token: string; rest: string } {
  let token = '';
  let at = 0;
  for (; at < text.length && !terminators.includes(text[at]!); at++) {
    if (text[at] === '\\' && at + 1 < text.length) token += text[++at];
    else if (text[at] === "'") {
      const end = text.indexOf("'", at + 1);
      token += text.slice(at + 1, end < 0 ? undefined : end);
      at = end < 0 ? text.length : end;
    } else token += text[at];
  }
  return { token, rest: text.slice(at) };
}

describe('an escaped text', () => {
  test.each([
    ['plain – text', 'plain – text'],
    ['a:b', 'a\\\\:b'],
    ["it's", "it\\\\\\'s"],
    ['\\', '\\\\\\\\'],
    ['a,b;c[d]', 'a\\,b\\;c\\[d\\]'],
    ['100% {x}=y', '100% {x}=y'],
  ])('%s: %s', (text, expected) => {
    expect(escapeFilterText(text)).toBe(expected);
  });

  test('is read as what it was, and nothing of it is left over', () => {
    const random = seededRandom(11);
    const pick = () => '\\\\\':,;[]%={}ab é😀"`$()'[Math.floor(random() * 23)]!;
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: Math.floor(random() * 12) }, pick).join('');
      const graph = readToken(`${escapeFilterText(text)},next`, '[],;');
      expect([text, graph.rest]).toEqual([text, ',next']);
      const option = readToken(`${graph.token}:next`, ':');
      expect(option).toEqual({ token: text, rest: ':next' });
    }
  });
});
