import { describe, expect, test } from 'vitest';
import { header } from '../../../../gateways/sip/engine/message.ts';
import { Bench, type RequestParts, requestBytes, UDP } from './workbench.ts';

describe('transactions are told apart', () => {
  test.each<[string, RequestParts]>([
    ['by branch', { branch: 'z9hG4bK2' }],
    ['by the host in the Via', { via: 'SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bK1' }],
    ['by the port in the Via', { via: 'SIP/2.0/UDP 192.0.2.10:5061;branch=z9hG4bK1' }],
  ])('%s', (_, changed) => {
    const bench = new Bench();
    bench.receive({ method: 'OPTIONS' });
    bench.receive({ method: 'OPTIONS', callId: 'another', ...changed });
    expect(bench.methods()).toEqual(['OPTIONS', 'OPTIONS']);
  });

  test.each<[string, RequestParts]>([
    ['the case of the host', { via: 'SIP/2.0/UDP PHONE;branch=z9hG4bK1' }],
    ['parameters', { via: 'SIP/2.0/UDP phone;branch=z9hG4bK1;x=y' }],
  ])('not by %s', (_, changed) => {
    const bench = new Bench();
    bench.receive({ method: 'OPTIONS', via: 'SIP/2.0/UDP phone;branch=z9hG4bK1' });
    bench.receive({ method: 'OPTIONS', ...changed });
    expect(bench.core.counters).toMatchObject({ retransmissions: 1, merged: 0 });
    expect(bench.methods()).toEqual(['OPTIONS']);
  });

  // RFC 3261, section 17.2.3: branches without the cookie are not unique.
  describe.each([
    ['without branch', 'SIP/2.0/UDP phone'],
    ['with an old branch', 'SIP/2.0/UDP phone;branch=1'],
    ['with nothing but the cookie', 'SIP/2.0/UDP phone;branch=z9hG4bK'],
  ])('%s', (_, via) => {
    test.each<[string, RequestParts, number]>([
      ['nothing', {}, 1],
      ['the Call-ID', { callId: 'another' }, 2],
      ['the number', { cseq: 2 }, 2],
      ['the tag in From', { fromTag: 'another' }, 2],
      ['the URI', { uri: 'sip:another', callId: 'call-1' }, 2],
    ])('by %s', (__, changed, count) => {
      const bench = new Bench();
      bench.receive({ method: 'OPTIONS', via });
      bench.receive({ method: 'OPTIONS', via, ...changed });
      expect(bench.methods().length + bench.sent().length).toBe(count);
    });
  });
});

test('responses go where RFC 3261, section 18.2.2, and RFC 3581 say', () => {
  const bench = new Bench();
  const from = { ...UDP, address: '203.0.113.7', port: 31_337 };
  const invite = (id: string, via: string) => {
    bench.receive({ callId: id, via: `${via};branch=z9hG4bK${id}` }, from);
    bench.respond(486);
    return bench.udp.sent.splice(0).map(({ to }) => `${to.address}:${to.port}`);
  };
  expect(invite('a', 'SIP/2.0/UDP 192.168.0.1:5070;rport')).toEqual(['203.0.113.7:31337']);
  expect(invite('b', 'SIP/2.0/UDP 192.168.0.1:5070')).toEqual(['203.0.113.7:5070']);
  expect(invite('c', 'SIP/2.0/UDP 192.168.0.1')).toEqual(['203.0.113.7:5060']);
});

test('the application sees the Via with the source', () => {
  const bench = new Bench();
  bench.receive({ via: 'SIP/2.0/UDP phone;rport' });
  expect(header(bench.application.requests[0]!.message, 'via')).toBe(
    'SIP/2.0/UDP phone;rport=5060;received=192.0.2.10',
  );
});

test('a message may come in either form', () => {
  const bench = new Bench();
  const compact = requestBytes().toString().replace('Call-ID', 'i').replace('From', 'f').replace('Via', 'v');
  bench.core.receive(Buffer.from(compact), UDP);
  bench.receive();
  expect(bench.methods()).toEqual(['INVITE']);
  expect(bench.core.counters.retransmissions).toBe(1);
});
