import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMessage } from '../../../../gateways/sip/engine/parser.ts';
import { Bench, UDP } from './workbench.ts';

/* The messages of RFC 4475, as npm's sip 0.0.6 carries them; the sections are that RFC's. */

const FOLDER = join(dirname(createRequire(import.meta.url).resolve('sip/package.json')), 'test/messages');

/** What the parser says: accepted, or the reason for refusing it. */
type Verdict = 'accepted' | string;
/**
 * What becomes of it, for an application that takes INVITE and OPTIONS: it gets it, the sender gets that
 * status, or there is nobody to answer.
 */
type Outcome = 'application' | number | 'nothing';

const MESSAGES: Record<string, [Verdict, Outcome]> = {
  // Folding everywhere, spaces before colons, an escaped quote, an empty header. It says that it is in a
  // dialog, which there is not.
  wsinv: ['accepted', 481],
  // The method is a token, the header's name is one, and the display name holds a NUL behind a backslash.
  intmeth: ['accepted', 405],
  // Escapes in the user part and in a parameter's name.
  esc01: ['accepted', 'application'],
  // %00 is a legal escape.
  escnull: ['accepted', 405],
  // Percent signs in a method are no escapes: this is not REGISTER.
  esc02: ['accepted', 405],
  // No space between the display name and the bracket.
  lwsdisp: ['accepted', 'application'],
  // A header of 600 bytes is within the limits.
  longreq: ['accepted', 'application'],
  // A datagram with something behind the body: REGISTER is read, the rest is left out.
  dblreq: ['accepted', 405],
  // Semicolons before the "@" are the user's.
  semiuri: ['accepted', 'application'],
  // Transports that nobody knows are no reason to refuse a Via.
  transports: ['accepted', 'application'],
  // A body of many parts is the application's business; MESSAGE it does not take.
  mpart01: ['accepted', 405],
  // A reason in another alphabet; there is no request that it answers.
  unreason: ['accepted', 'nothing'],
  // An empty reason.
  noreason: ['accepted', 'nothing'],

  // 3.1.2: invalid messages.
  badinv01: ['Malformed Via header', 400],
  clerr: ['Body shorter than Content-Length', 400],
  ncl: ['Malformed Content-Length header', 400],
  // CSeq beyond 31 bits.
  scalar02: ['Malformed CSeq header', 400],
  // The same in a response: dropped.
  scalarlg: ['Malformed CSeq header', 'nothing'],
  quotbal: ['Malformed To header', 400],
  ltgtruri: ['Malformed Request-URI', 400],
  lwsruri: ['Malformed Request-URI', 400],
  lwsstart: ['Malformed Request-URI', 400],
  // Spaces at the end of the start line. Could be tolerated; a request line has exactly two spaces.
  trws: ['Malformed Request-URI', 400],
  // Headers in a Request-URI: being liberal is permitted, they are not looked at.
  escruri: ['accepted', 'application'],
  // The time zone in Date is wrong; Date is the application's.
  baddate: ['accepted', 'application'],
  // Contact of a REGISTER is the application's too.
  regbadct: ['accepted', 405],
  // Spaces inside the brackets.
  badaspec: ['Malformed To header', 400],
  // As it is in the package, the empty line that ends the headers is a file of its own (see below).
  baddn: ['Headers do not end', 'nothing'],
  baddn_sep: ['Headers do not end', 'nothing'],
  badvers: ['Version Not Supported', 505],
  mismatch01: ['CSeq does not match the method', 400],
  mismatch02: ['CSeq does not match the method', 400],
  bigcode: ['Malformed status line', 'nothing'],

  // 3.2: transaction layer. Nothing but the cookie in the branch: as from RFC 2543 peers, it is not unique.
  badbranch: ['accepted', 'application'],

  // 3.3: application layer. Neither Call-ID nor From nor To: nothing to make an answer of.
  insuf: ['No from header', 'nothing'],
  unkscm: ['accepted', 416],
  novelsc: ['accepted', 416],
  // Schemes in From and To do not concern us.
  unksm2: ['accepted', 405],
  bext01: ['accepted', 420],
  // A body that nobody knows: 415 is the application's.
  invut: ['accepted', 'application'],
  // An authorization scheme that nobody knows.
  regaut01: ['accepted', 405],
  multi01: ['More than one cseq header', 400],
  mcl01: ['More than one content-length header', 400],
  // Two Vias: a response that went astray.
  bcast: ['accepted', 'nothing'],
  // Whoever is the last to get it does not forward it.
  zeromf: ['accepted', 'application'],
  cparam01: ['accepted', 405],
  cparam02: ['accepted', 405],
  regescrt: ['accepted', 405],
  // Accept excludes SDP: the application's.
  sdp01: ['accepted', 'application'],

  // 3.4: RFC 2543. No tag in From, no branch, no Content-Length: all that is read. Without a Contact there
  // is no way to send a BYE.
  inv2543: ['accepted', 400],

  // Not of RFC 4475, but in the package: a header without a colon, and no Via, CSeq or version.
  badcseq: ['Malformed CSeq header', 400],
  test: ['Malformed header', 'nothing'],
};

function outcomeOf(bytes: Buffer): Outcome {
  const bench = new Bench();
  bench.core.receive(bytes, UDP);
  const [sent] = bench.sent();
  if (bench.methods().length > 0) return 'application';
  return typeof sent === 'number' ? sent : 'nothing';
}

function verdictOf(bytes: Buffer): Verdict {
  const result = parseMessage(bytes, false);
  return result.outcome === 'message' ? 'accepted' : result.reason;
}

describe('RFC 4475', () => {
  test.each(Object.entries(MESSAGES))('%s: %j', async (name, [verdict, outcome]) => {
    const bytes = await readFile(join(FOLDER, `${name}.dat`));
    expect(verdictOf(bytes)).toBe(verdict);
    expect(outcomeOf(bytes)).toBe(outcome);
  });

  test('no message is left out', async () => {
    const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.dat'));
    expect(files.map((name) => name.slice(0, -4)).toSorted()).toEqual(Object.keys(MESSAGES).toSorted());
  });

  test('baddn, whole: a comma in a display name without quotes', async () => {
    const bytes = Buffer.concat(
      await Promise.all(['baddn.dat', 'baddn_sep.dat'].map((name) => readFile(join(FOLDER, name)))),
    );
    expect(verdictOf(bytes)).toBe('Malformed From header');
    expect(outcomeOf(bytes)).toBe(400);
  });
});

test('nothing that comes of a message by changing or losing bytes makes the engine throw', async () => {
  const files = await Promise.all(Object.keys(MESSAGES).map((name) => readFile(join(FOLDER, `${name}.dat`))));
  const bench = new Bench();
  // Any sequence will do, as long as it is the same one each time.
  let state = 1;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(files[random(files.length)]!);
    for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256);
    const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    bench.core.receive(cut, UDP);
    bench.clock.advance(10);
    bench.udp.sent.length = 0;
    bench.application.requests.length = 0;
  }
  expect(bench.core.counters.received).toBe(20_000);
  expect(bench.core.counters.malformed).toBeGreaterThan(5_000);
});
