import { describe, expect, test } from 'vitest';
import { Core } from '../../../../gateways/sip/engine/core.ts';
import { header } from '../../../../gateways/sip/engine/message.ts';
import { parseMessage } from '../../../../gateways/sip/engine/parser.ts';
import type { Logger } from '../../../../src/gateway.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  Bench,
  FakeApplication,
  FakeTransport,
  parsed,
  type RequestParts,
  requestBytes,
  UDP,
} from './workbench.ts';

/* Phones write what the grammar does not have and everybody understands. It costs nothing to take it. */

const BLANK = '\r\n';

describe('blank lines before a message in a datagram are passed over, as they are in a stream', () => {
  test.each([1, 2, 3, 10])('%i of them before a request', (count) => {
    const bench = new Bench();
    bench.core.receive(Buffer.concat([Buffer.from(BLANK.repeat(count)), requestBytes({ body: 'v=0' })]), UDP);
    expect(bench.application.requests).toMatchObject([
      { message: { method: 'INVITE', body: Buffer.from('v=0') } },
    ]);
    bench.respond(486);
    expect(bench.sent()).toEqual([486]);
  });

  test('before a response to a request of ours', () => {
    const bench = new Bench();
    const { dialog } = bench.call();
    bench.core.requestWithin(dialog, 'BYE', [], Buffer.alloc(0));
    const [bye] = bench.sentMessages();
    const copied = bye!.headers.filter(({ name }) => /^(via|from|to|call-id|cseq)$/i.test(name));
    const lines = copied.map(({ name, value }) => `${name}: ${value}`);
    const text = `${BLANK}SIP/2.0 200 OK\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
    bench.core.receive(Buffer.from(text), UDP);
    expect(bench.application.responses).toMatchObject([{ message: { status: 200 } }]);
  });

  test('before what cannot be read, which is then answered as it would be without them', () => {
    const bench = new Bench();
    const wrong = requestBytes({ extra: ['Max-Forwards: 1'] });
    bench.core.receive(Buffer.concat([Buffer.from(BLANK), wrong]), UDP);
    expect(bench.sent()).toEqual([400]);
  });
});

/** A request with one header line changed. */
function changed(name: string, value: string): Buffer {
  const text = requestBytes().toString();
  const line = new RegExp(`^${name}: .*$`, 'm');
  return Buffer.from(
    line.test(text)
      ? text.replace(line, `${name}: ${value}`)
      : text.replace('\r\nCSeq', `\r\n${name}: ${value}\r\nCSeq`),
  );
}

describe('semicolons without a parameter after them are passed over', () => {
  test.each([
    ['Via', 'SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1;rport;'],
    ['Via', 'SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1;;rport'],
    ['Via', 'SIP/2.0/UDP 192.0.2.10:5060;;branch=z9hG4bK1;rport; ;'],
    ['Via', 'SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK1 ; '],
    ['Via', 'SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK1;, SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK2;'],
    ['From', '<sip:phone@example.org>;tag=phone;'],
    ['From', '"Ann; Archer" <sip:phone@example.org>;;tag=phone'],
    ['From', 'sip:phone@example.org;tag=phone;;'],
    ['To', '<sip:room@example.org>;'],
    ['To', 'sip:room@example.org; ;'],
    ['Contact', '<sip:phone@192.0.2.10:5060>;'],
    ['Contact', '<sip:phone@192.0.2.10:5060>;;expires=60;'],
    ['Record-Route', '<sip:192.0.2.50;lr>;'],
    ['Record-Route', '<sip:192.0.2.50;lr;>;;x=y, <sip:192.0.2.51;lr>;'],
  ])('%s: %s', (name, value) => {
    const bench = new Bench();
    const bytes = changed(name, value);
    bench.core.receive(bytes, { ...UDP, port: 5070 });
    expect(bench.methods()).toEqual(['INVITE']);
  });

  test('and a call that was made so goes on and ends like any other', () => {
    const bench = new Bench();
    const via = 'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1;rport;';
    const flow = { ...UDP, port: 40_000 };
    const parts: RequestParts = { via, contact: '<sip:phone@10.0.0.7:5060>;' };
    const from = (bytes: Buffer) => Buffer.from(bytes.toString().replace(/^From: .*$/m, '$&;'));
    bench.core.receive(from(requestBytes(parts)), flow);
    const { tag } = bench.respond(200);
    const [sent] = bench.udp.sent.splice(0);
    expect(sent!.to).toMatchObject({ address: '192.0.2.10', port: 40_000 });
    const answer = parsed(sent!.bytes, true);
    expect(header(answer, 'via')).toBe(
      'SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1;rport=40000;received=192.0.2.10',
    );
    const ack = { ...parts, method: 'ACK', toTag: `${tag};`, via: via.replace('K1', 'Kack') };
    bench.core.receive(from(requestBytes(ack)), flow);
    bench.clock.advance(1_000);
    expect(bench.sent()).toEqual([]);
    const bye = { ...parts, method: 'BYE', cseq: 2, toTag: `${tag};`, via: via.replace('K1', 'Kbye') };
    bench.core.receive(from(requestBytes(bye)), flow);
    bench.respond(200);
    expect(bench.sent()).toEqual([200]);
    expect(bench.core.dialogCount).toBe(0);
  });
});

/** A core whose log is kept, level by level. */
function logged(): { core: Core; lines: { level: string; text: string }[] } {
  const lines: { level: string; text: string }[] = [];
  const at =
    (level: string) =>
    (...said: unknown[]) =>
      void lines.push({ level, text: JSON.stringify(said) });
  const log = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  const core = new Core(
    { clock: new FakeClock(), log: log as unknown as Logger, announce: undefined },
    new FakeApplication(),
  );
  core.use(new FakeTransport('udp'));
  return { core, lines };
}

describe('what is dropped or refused because it cannot be read is logged for whoever looks for the cause', () => {
  const SECRETS = ['Roman', '+4930555', '30555', 'Digest', 'geheim'];
  const secret = [
    'From: "Roman" <sip:+49305550100@192.0.2.10>;tag=1 x',
    'From: "Roman" <sip:+49305550100@192.0.2.10>;tag=1',
    'Authorization: Digest response="geheim"',
  ];
  const message = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  const rest = ['To: <sip:room@example.org>', 'Call-ID: call-7', 'CSeq: 1 OPTIONS'];
  const via = 'Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1';

  test.each<[string, Buffer, string]>([
    [
      'a From that is none',
      message('OPTIONS sip:x@y SIP/2.0', via, secret[0]!, secret[2]!, ...rest),
      'Malformed From header',
    ],
    ['a header that is missing', message('OPTIONS sip:x@y SIP/2.0', secret[1]!, ...rest), 'No via header'],
    [
      'a Request-URI that is none',
      message('OPTIONS sip:+49305550100 x SIP/2.0', via, secret[1]!, ...rest),
      'Malformed Request-URI',
    ],
    ['no SIP at all', message('GET / HTTP/1.1', 'Host: x'), 'No via header'],
    [
      'headers without an end',
      Buffer.from('OPTIONS sip:+49305550100@y SIP/2.0\r\nVia: x'),
      'Headers do not end',
    ],
    [
      'a line that is no header',
      message('OPTIONS sip:x@y SIP/2.0', via, secret[1]!, 'calling +49305550100', ...rest),
      'Malformed header',
    ],
    [
      'a response that is none',
      message('SIP/2.0 999 Busy', via, secret[1]!, ...rest),
      'Malformed status line',
    ],
    [
      'an ACK, which is never answered',
      message('ACK sip:x@y SIP/2.0', via, secret[0]!, ...rest),
      'Malformed From header',
    ],
  ])('%s', (_, bytes, cause) => {
    const result = parseMessage(bytes, false);
    expect(result).toMatchObject({ outcome: 'refused', reason: cause });
    const { core, lines } = logged();
    core.receive(bytes, UDP);
    expect(lines.map(({ level }) => level)).toEqual(['debug']);
    expect(lines[0]!.text).toContain(cause);
    expect(lines[0]!.text).toContain('192.0.2.10');
    for (const word of SECRETS) expect(lines[0]!.text).not.toContain(word);
  });

  test('with the line that is at fault', () => {
    const { core, lines } = logged();
    core.receive(
      message('OPTIONS sip:x@y SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.10;branch=z9 hG', secret[1]!, ...rest),
      UDP,
    );
    expect(lines[0]?.text).toMatch(/Malformed Via header.*branch=z9 hG|branch=z9 hG.*Malformed Via header/);
  });

  test('and however long it is, what is logged is not', () => {
    const { core, lines } = logged();
    core.receive(message('OPTIONS sip:x@y SIP/2.0', via, `From: ${'<'.repeat(60_000)}`, ...rest), UDP);
    expect(lines).toHaveLength(1);
    expect(lines[0]!.text.length).toBeLessThan(1_000);
  });
});
