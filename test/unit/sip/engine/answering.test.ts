import { describe, expect, test } from 'vitest';
import { answer, answerFlow, markSource } from '../../../../gateways/sip/engine/answering.ts';
import { header, headersOf } from '../../../../gateways/sip/engine/message.ts';
import { request, TCP, UDP } from './workbench.ts';

const FROM = { ...UDP, address: '203.0.113.7', port: 31_337 };

describe('the source is noted in the topmost Via (RFC 3261, section 18.2.1; RFC 3581)', () => {
  test.each([
    ['SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1', 'SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK1'],
    ['SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=203.0.113.7'],
    ['SIP/2.0/UDP phone', 'SIP/2.0/UDP phone;received=203.0.113.7'],
    ['SIP/2.0/UDP 203.0.113.7;rport;a=b', 'SIP/2.0/UDP 203.0.113.7;rport=31337;a=b;received=203.0.113.7'],
    ['SIP/2.0/UDP phone;rport;a=b', 'SIP/2.0/UDP phone;rport=31337;a=b;received=203.0.113.7'],
    ['SIP/2.0/UDP phone ; rport=1 ; a', 'SIP/2.0/UDP phone;rport=31337; a;received=203.0.113.7'],
    ['SIP/2.0/UDP phone;rportx;a=";rport"', 'SIP/2.0/UDP phone;rportx;a=";rport";received=203.0.113.7'],
    // What the peer says of where it is received from is not believed.
    ['SIP/2.0/UDP 203.0.113.7;received=9.9.9.9', 'SIP/2.0/UDP 203.0.113.7'],
    ['SIP/2.0/UDP phone;received=9.9.9.9;a', 'SIP/2.0/UDP phone;a;received=203.0.113.7'],
    // The other Vias are none of our business.
    [
      'SIP/2.0/UDP phone;rport , SIP/2.0/UDP x;rport,y',
      'SIP/2.0/UDP phone;rport=31337;received=203.0.113.7, SIP/2.0/UDP x;rport,y',
    ],
  ])('%s', (via, expected) => {
    expect(header(markSource(request({ via }), FROM), 'via')).toBe(expected);
  });

  test('IPv6 is the same with and without brackets', () => {
    const via = 'SIP/2.0/UDP [2001:DB8::1];branch=z9hG4bK1';
    const marked = markSource(request({ via }), { ...FROM, address: '2001:db8::1' });
    expect(header(marked, 'via')).toBe(via);
  });
});

describe('responses go', () => {
  test.each([
    ['to the port of the Via', 'SIP/2.0/UDP phone:5080', 5080],
    ['to 5060 where it has none', 'SIP/2.0/UDP phone', 5060],
    ['to the source where rport asks for it', 'SIP/2.0/UDP phone:5080;rport', 31_337],
    ['not to maddr', 'SIP/2.0/UDP phone:5080;maddr=9.9.9.9', 5080],
  ])('%s', (_, via, port) => {
    const marked = markSource(request({ via }), FROM);
    expect(answerFlow(marked, FROM)).toEqual({ ...FROM, port });
  });

  test('by their connection', () => {
    expect(answerFlow(request({ via: 'SIP/2.0/TCP phone:5080' }), TCP)).toBe(TCP);
  });
});

describe('a response', () => {
  const asked = request({
    extra: ['v: SIP/2.0/UDP b', 'Record-Route: <sip:p2;lr>', 'Record-Route: <sip:p1;lr>'],
  });
  const CONTACT = '<sip:us>';

  test('has what it must have of its request (section 8.2.6), and what the application adds', () => {
    const own = [
      { name: 'X', value: 'y' },
      { name: 'Call-ID', value: 'forged' },
      { name: 'v', value: 'forged' },
    ];
    const made = answer(asked, 486, 'Busy', 'ours', own, Buffer.from('abc'), CONTACT);
    expect(made.headers.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      'Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1;rport',
      'Via: SIP/2.0/UDP b',
      'From: <sip:phone@example.org>;tag=phone',
      'To: <sip:room@example.org>;tag=ours',
      'Call-ID: call-1',
      'CSeq: 1 INVITE',
      'X: y',
    ]);
    expect(made.body.toString()).toBe('abc');
  });

  test.each([
    [100, false],
    [180, true],
    [200, true],
    [302, false],
    [486, false],
  ])('%i to INVITE has route and Contact: %s', (status, expected) => {
    const made = answer(asked, status, '', 'ours', [], Buffer.alloc(0), CONTACT);
    expect(headersOf(made, 'record-route')).toEqual(expected ? ['<sip:p2;lr>', '<sip:p1;lr>'] : []);
    expect(headersOf(made, 'contact')).toEqual(expected ? [CONTACT] : []);
  });

  test('100 has no tag, and a tag that is there stays', () => {
    expect(header(answer(asked, 100, '', 'ours'), 'to')).toBe('<sip:room@example.org>');
    const within = request({ toTag: 'theirs' });
    expect(header(answer(within, 200, '', 'ours'), 'to')).toBe('<sip:room@example.org>;tag=theirs');
  });

  test("the application's Contact is the one that is used", () => {
    const made = answer(asked, 200, '', 'ours', [{ name: 'm', value: '<sip:me>' }], Buffer.alloc(0), CONTACT);
    expect(headersOf(made, 'contact')).toEqual(['<sip:me>']);
  });
});
