import { describe, expect, test } from 'vitest';
import { callerOf } from '../../../gateways/sip/caller.ts';
import { header, type SipRequest } from '../../../gateways/sip/engine/message.ts';
import { parseMessage } from '../../../gateways/sip/engine/parser.ts';
import { plainRequest } from '../../../gateways/sip/wire/plain-request.ts';

/*
 * The engine keeps headers as their bytes, one character each; names in them are UTF-8. Bytes of a character that look like
 * white space by themselves (0xA0 in "Р", "à", "頁") are none.
 */

/** A request of a caller with that From header, as it comes from the network. */
function requestFrom(from: string): SipRequest {
  const lines = [
    'INVITE sip:demo@example.org SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1',
    `From: ${from}`,
    `To: ${from.replace(';tag=1', '')}`,
    'Call-ID: 1',
    'CSeq: 1 INVITE',
    'Contact: <sip:a@192.0.2.10>',
  ];
  const result = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), false);
  if (result.outcome === 'refused' || result.message.kind !== 'request') throw new Error('It was refused.');
  return result.message;
}

/** A header as the application gets it. */
function told(from: string, name = 'from'): string {
  return Buffer.from(header(plainRequest(requestFrom(from)), name)!, 'latin1').toString();
}

describe('a name is shown as it was sent', () => {
  test.each([
    'Роман Рябов',
    'Voilà Étoilé',
    'à',
    'Àà Áé',
    'Πέτρος Παππάς',
    'Ťažký Šošovka',
    'נועה כהן',
    '高橋 頁',
    'Ирина 📠 Р',
    'Ġorġ',
  ])('%s', (name) => {
    const inQuotes = `"${name}" <sip:caller@example.org>;tag=1`;
    const bare = `${name} <sip:caller@example.org>;tag=1`;
    for (const from of [inQuotes, bare]) {
      expect(told(from)).toBe(`"${name}" <sip:caller@example.org>;tag=1`);
      expect(told(from, 'to')).toBe(`"${name}" <sip:caller@example.org>`);
      expect(callerOf(told(from)).name).toBe(name);
    }
  });

  test('whatever letter is in it', () => {
    const broken: string[] = [];
    for (let code = 0xa1; code < 0xd7ff; code++) {
      const letter = String.fromCodePoint(code);
      if (!/[\p{L}\p{N}]/u.test(letter)) continue;
      const name = `x${letter}${letter}x`;
      if (callerOf(told(`"${name}" <sip:caller@example.org>;tag=1`)).name !== name) broken.push(letter);
    }
    expect(broken.slice(0, 20)).toEqual([]);
  });

  test('with its white space of any kind as one space', () => {
    const from = '"Роман \t  Рябов à" <sip:caller@example.org>;tag=1';
    expect(told(from)).toBe('"Роман Рябов à" <sip:caller@example.org>;tag=1');
  });
});

describe('a name that is too long is cut between its characters', () => {
  test.each([
    ['会', 0],
    ['会', 2],
    ['Р', 1],
    ['📠', 1],
    ['📠', 2],
    ['📠', 3],
  ])('%s after %i letters', (character, letters) => {
    const name = 'x'.repeat(letters) + character.repeat(500);
    const said = told(`"${name}" <sip:caller@example.org>;tag=1`);
    expect(said).not.toContain('\ufffd');
    expect(/^"x*(.*)" </u.exec(said)![1]).toMatch(new RegExp(`^(?:${character})+$`, 'u'));
    expect(callerOf(said).name).not.toContain('\ufffd');
  });
});
