import { describe, expect, test } from 'vitest';
import { header, type SipRequest } from '../../../../gateways/sip/engine/message.ts';
import { Bench, TCP, UDP } from './workbench.ts';

const NOTHING = Buffer.alloc(0);

describe('requests of ours', () => {
  test('go where the phone is heard from, and their responses to the application', () => {
    const bench = new Bench();
    const { dialog } = bench.call();
    const { transaction } = bench.core.requestWithin(
      dialog,
      'INFO',
      [{ name: 'X-1', value: 'y' }],
      Buffer.from('b'),
    );
    expect(bench.udp.sent.map(({ to }) => to)).toEqual([UDP]);
    const [info] = bench.sentMessages() as SipRequest[];
    expect(header(info!, 'via')).toMatch(
      /^SIP\/2\.0\/UDP 198\.51\.100\.1:5060;branch=z9hG4bK[0-9a-f]{24};rport$/,
    );
    expect(header(info!, 'x-1')).toBe('y');
    bench.answer(100, info!);
    bench.answer(200, info!);
    bench.answer(200, info!);
    expect(bench.application.responses).toMatchObject([
      { message: { status: 100 }, transaction, dialog },
      { message: { status: 200 }, transaction, dialog },
    ]);
  });

  test('follow the phone to another port', () => {
    const bench = new Bench();
    const { tag, dialog } = bench.call();
    bench.receive({ method: 'INFO', cseq: 2, toTag: tag, branch: 'z9hG4bK2' }, { ...UDP, port: 777 });
    bench.core.requestWithin(dialog, 'INFO', [], NOTHING);
    expect(bench.udp.sent.at(-1)?.to.port).toBe(777);
  });

  test.each<[string, (lines: string) => string]>([
    ['another branch', (lines) => lines.replace('z9hG4bK', 'z9hG4bKx')],
    ['another method', (lines) => lines.replace('1 INFO', '1 BYE')],
    ['two Vias', (lines) => lines.replace('From:', 'Via: SIP/2.0/UDP x\r\nFrom:')],
  ])('a response with %s is not for them', (_, change) => {
    const bench = new Bench();
    const { dialog } = bench.call();
    const { request } = bench.core.requestWithin(dialog, 'INFO', [], NOTHING);
    const lines = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(
      (name) => `${name}: ${header(request, name.toLowerCase())}`,
    );
    bench.core.receive(Buffer.from(`SIP/2.0 200 OK\r\n${change(lines.join('\r\n'))}\r\n\r\n`), UDP);
    expect(bench.application.responses).toEqual([]);
    expect(bench.core.counters.unmatched).toBe(1);
  });

  test('that are not answered count as answered 408 after 32 s', () => {
    const bench = new Bench();
    const { dialog } = bench.call();
    bench.core.requestWithin(dialog, 'INFO', [], NOTHING);
    bench.clock.advance(32_000);
    expect(bench.sent()).toHaveLength(11);
    expect(bench.application.responses).toMatchObject([{ message: { status: 408 } }]);
  });

  test('whose connection is gone count as answered 503, after they were said to be sent', async () => {
    const bench = new Bench();
    const { dialog } = bench.call({}, TCP);
    bench.tcp.isBroken = true;
    bench.core.requestWithin(dialog, 'BYE', [], NOTHING);
    expect(bench.application.responses).toEqual([]);
    await Promise.resolve();
    expect(bench.application.responses).toMatchObject([{ message: { status: 503 } }]);
  });

  test('BYE ends the call at once', () => {
    const bench = new Bench();
    const { dialog } = bench.call();
    bench.core.requestWithin(dialog, 'BYE', [], NOTHING);
    expect(bench.sent()).toEqual(['BYE']);
    expect(bench.core.dialogCount).toBe(0);
    expect(() => bench.core.requestWithin(dialog, 'INFO', [], NOTHING)).toThrow('unable to find dialog');
  });

  test('BYE while a re-INVITE waits for the application: that gets 487', () => {
    const bench = new Bench();
    const { tag, dialog } = bench.call();
    bench.receive({ cseq: 2, toTag: tag, branch: 'z9hG4bK2' });
    bench.core.requestWithin(dialog, 'BYE', [], NOTHING);
    expect(bench.sent()).toEqual([487, 'BYE']);
  });

  test.each(['INVITE', 'ACK', 'CANCEL', 'PRACK'])('%s is not for a server', (method) => {
    const bench = new Bench();
    const { dialog } = bench.call();
    expect(() => bench.core.requestWithin(dialog, method, [], NOTHING)).toThrow(`${method} cannot be sent`);
  });

  test('BYE has to wait for the answer', () => {
    const bench = new Bench();
    bench.receive();
    const { dialog } = bench.respond(180);
    expect(() => bench.core.requestWithin(dialog, 'BYE', [], NOTHING)).toThrow('before the call is answered');
  });
});

describe('BYE of ours before the ACK came (section 15)', () => {
  function ending() {
    const bench = new Bench();
    bench.receive();
    const { tag, dialog } = bench.respond(200);
    bench.application.requests.length = 0;
    bench.sent();
    const { transaction } = bench.core.requestWithin(dialog, 'BYE', [], NOTHING);
    return { bench, tag, dialog, transaction };
  }

  test('goes out when it comes', () => {
    const { bench, tag, transaction } = ending();
    bench.clock.advance(500);
    expect(bench.sent()).toEqual([200]);
    bench.receive({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag });
    const [bye] = bench.sentMessages() as SipRequest[];
    expect(bye?.method).toBe('BYE');
    expect(bench.core.dialogCount).toBe(0);
    bench.answer(200, bye!);
    expect(bench.application.responses).toMatchObject([{ message: { status: 200 }, transaction }]);
    bench.clock.advance(60_000);
    expect(bench.clock.pending).toBe(0);
  });

  test('goes out when it never comes; the application asked for the end itself', () => {
    const { bench } = ending();
    bench.clock.advance(31_999);
    expect(bench.sent()).not.toContain('BYE');
    bench.clock.advance(1);
    expect(bench.sent()).toEqual(['BYE']);
    expect(bench.application.endings).toEqual([]);
  });

  test("crosses the phone's own", () => {
    const { bench, tag } = ending();
    bench.receive({ method: 'BYE', branch: 'z9hG4bK2', toTag: tag, cseq: 2 });
    expect(bench.sent().toSorted()).toEqual([200, 'BYE']);
    expect(bench.methods()).toEqual([]);
  });

  test('nothing else is asked or served any more', () => {
    const { bench, tag, dialog } = ending();
    expect(() => bench.core.requestWithin(dialog, 'BYE', [], NOTHING)).toThrow('unable to find dialog');
    bench.receive({ method: 'INFO', branch: 'z9hG4bK2', toTag: tag, cseq: 2 });
    expect(bench.sent()).toEqual([481]);
  });
});

describe('without its application', () => {
  test('what waits gets 503, and calls that stand a BYE', () => {
    const bench = new Bench();
    bench.call({ callId: 'a', branch: 'z9hG4bKa' });
    bench.receive({ callId: 'b', branch: 'z9hG4bKb' });
    bench.receive({ callId: 'c', branch: 'z9hG4bKc' });
    bench.respond(180);
    bench.receive({ method: 'OPTIONS', callId: 'd', branch: 'z9hG4bKd' });
    bench.sent();
    bench.core.applicationGone();
    expect(bench.sent()).toEqual([503, 503, 503, 'BYE']);
    expect(bench.core.dialogCount).toBe(0);
  });

  test('a call whose ACK has not come gets its BYE after that', () => {
    const bench = new Bench();
    bench.receive();
    const { tag } = bench.respond(200);
    bench.sent();
    bench.core.applicationGone();
    expect(bench.sent()).toEqual([]);
    bench.receive({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag });
    expect(bench.sent()).toEqual(['BYE']);
  });
});

test('a call of another engine is ended with its own words', () => {
  const bench = new Bench();
  const record = {
    callId: 'call-9',
    local: '<sip:room@example.org>;tag=ours',
    remote: '<sip:phone@example.org>;tag=phone',
    routeSet: [],
    remoteTarget: 'sip:phone@192.0.2.10:5060',
    localSequence: 1000,
    flow: UDP,
  };
  bench.core.endAdopted(record, [{ name: 'Reason', value: 'SIP;cause=500' }]);
  const [bye] = bench.sentMessages() as SipRequest[];
  expect(bye).toMatchObject({ method: 'BYE', uri: 'sip:phone@192.0.2.10:5060' });
  expect(header(bye!, 'cseq')).toBe('1001 BYE');
  expect(header(bye!, 'reason')).toBe('SIP;cause=500');
  bench.answer(200, bye!);
  bench.clock.advance(60_000);
  expect(bench.clock.pending).toBe(0);
});
