import { describe, expect, test } from 'vitest';
import { roomOf } from '../../../gateways/sip/caller.ts';
import { PatchroomError } from '../../../src/base/errors.ts';
import { mustBeRoomName } from '../../../src/room/directory.ts';

/* Calls from the phone network: which room a carrier's request URI reaches (RFC 3261, section 19.1.6; RFC 3966; RFC 4694). */

/** The room that a call to a URI gets into, or why it does not. */
function reached(uri: string): string {
  const room = roomOf(uri);
  if (room === undefined) return 'names no room';
  try {
    mustBeRoomName(room);
    return room;
  } catch (error) {
    return (error as PatchroomError).message;
  }
}

const NUMBER = '+49305550100';

describe('the room that is named like a number is reached', () => {
  test.each([
    'sip:+49305550100@example.org',
    'sip:+49305550100@203.0.113.10:5060;user=phone',
    'sip:+49305550100@[2001:db8::10]:5060;user=phone',
    'sips:+49305550100@example.org:5061;transport=tls;user=phone',
    'SIP:+49305550100@EXAMPLE.ORG;USER=PHONE',
    'sip:+49305550100@example.org;user=phone?Subject=x',
    'sip:+49305550100:secret@example.org;user=phone',
    'tel:+49305550100',
    'TEL:+49305550100',
  ])('by %s', (uri) => {
    expect(reached(uri)).toBe(NUMBER);
  });

  test.each([
    'sip:+49305550100;npdi@example.org;user=phone',
    'sip:+49305550100;npdi=yes;rn=+49301999@example.org;user=phone',
    'sip:+49305550100;rn=+49-30-1999;npdi;cic=+1-6789@example.org;user=phone',
    'sip:+49305550100;isub=12;ext=7@example.org;user=phone',
    'sip:+49305550100;tgrp=trunk-1;trunk-context=example.com@example.org;user=phone',
    'sip:+49305550100;verstat=TN-Validation-Passed@example.org;user=phone',
    'sip:+49305550100;cpc=ordinary;oli=00@example.org',
    'tel:+49305550100;npdi;rn=+49301999',
    'tel:+49305550100;ext=7;isub=12',
  ])('by one with parameters of the number: %s', (uri) => {
    expect(reached(uri)).toBe(NUMBER);
  });

  test.each([
    'sip:+49-30-555-0100@example.org;user=phone',
    'sip:+49(30)5550100@example.org;user=phone',
    'sip:+49.30.555.0100@example.org;user=phone',
    'sip:+49-30-555-0100;npdi;rn=+49-30-1999@example.org;user=phone',
    'sip:+49-30-555-0100@example.org',
    'tel:+49-30-555-0100',
    'tel:+49(30)555.0100;npdi',
  ])('by one with visual separators: %s', (uri) => {
    expect(reached(uri)).toBe(NUMBER);
  });

  test.each([
    'sip:%2B49305550100@example.org;user=phone',
    'sip:%2b49305550100@example.org',
    'sip:%2B49305550100;npdi@example.org;user=phone',
    'sip:+49%2D30%2D5550100@example.org;user=phone',
    'sip:+49%2030%205550100@example.org;user=phone',
    'sip:%2B%34%39305550100@example.org;user=phone',
    'tel:%2B49305550100',
    'tel:+49%2D30-5550100',
  ])('by one with escaped characters: %s', (uri) => {
    expect(reached(uri)).toBe(NUMBER);
  });

  test.each([
    ['sip:030-555-0100@example.org;user=phone', '0305550100'],
    ['sip:(030)5550100@example.org;user=phone', '0305550100'],
    ['sip:(030)555.0100;phone-context=+49@example.org;user=phone', '0305550100'],
    ['sip:0049.30.5550100@example.org;user=phone', '0049305550100'],
    ['sip:70%2D42@example.org;user=phone', '7042'],
    ['tel:%37042;phone-context=example.com', '7042'],
  ])('without a plus where the number has none: %s: %s', (uri, room) => {
    expect(reached(uri)).toBe(room);
  });
});

test("a plus before a name's first digit is part of it, however long the number is", () => {
  for (const name of ['+1', '+49305550100', `+${'9'.repeat(127)}`]) {
    expect(() => mustBeRoomName(name)).not.toThrow();
  }
  // A plus alone is no number, nor is one before something else than digits.
  for (const name of ['+', '++49', '+-', '+.', '+@a', `+${'9'.repeat(128)}`]) {
    expect(() => mustBeRoomName(name)).toThrow(PatchroomError);
  }
});
