import { describe, expect, test } from 'vitest';
import { Gatekeeper } from '../../../../gateways/sip/engine/gatekeeper.ts';
import { header, headersOf, type SipRequest } from '../../../../gateways/sip/engine/message.ts';
import type { Flow } from '../../../../gateways/sip/engine/transport.ts';
import { Bench, parsed, type RequestParts, TCP, UDP } from './workbench.ts';

/*
 * Where our requests in a call go (RFC 3261, sections 12.2.1.1 and 8.1.2): to the first of the route set, else to the Contact.
 * A phone behind a NAT has a Contact that leads nowhere: it is reached where it comes from, and so is whoever said a name, or
 * an address that is not ours to send to.
 */

const PROXY: Flow = { ...UDP, address: '192.0.2.50' };
/** Of a call that came through a proxy: its own Via, and that of the phone behind it. */
const BY_PROXY: RequestParts = {
  via: 'SIP/2.0/UDP 192.0.2.50:5060;branch=z9hG4bKp1, SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1',
};

/** Where a request of ours in a call goes that came like that. */
function next(parts: RequestParts, flow: Flow = PROXY, bench = new Bench()) {
  const { dialog } = bench.call(parts, flow);
  bench.core.requestWithin(dialog, 'BYE', [], Buffer.alloc(0));
  return hop(bench);
}

/** What went out last, and where to. */
function hop(bench: Bench): { to: string; bye: SipRequest } {
  const [sent, ...more] = [...bench.udp.sent.splice(0), ...bench.tcp.sent.splice(0)];
  expect(more).toEqual([]);
  const { protocol, address, port } = sent!.to;
  return { to: `${protocol} ${address} ${port}`, bye: parsed(sent!.bytes, true) as SipRequest };
}

const routed = (...routes: string[]) => routes.map((route) => `Record-Route: ${route}`);

describe('a request of ours goes to the Contact', () => {
  test.each<[string, string, string]>([
    ['with its port', '<sip:phone@192.0.2.10:5070>', 'udp 192.0.2.10 5070'],
    ['without a port', '<sip:phone@192.0.2.10>', 'udp 192.0.2.10 5060'],
    ['with a name and parameters', '"A, B" <sip:phone@192.0.2.10:5070;ob>;expires=60', 'udp 192.0.2.10 5070'],
    ['that says UDP', '<sip:phone@192.0.2.10:5070;transport=UDP>', 'udp 192.0.2.10 5070'],
    ['without brackets', 'sip:phone@192.0.2.10:5070', 'udp 192.0.2.10 5070'],
  ])('%s, when a proxy passed the call on and does not want to stay in it', (_, contact, expected) => {
    const { to, bye } = next({ ...BY_PROXY, contact });
    expect(to).toBe(expected);
    expect(bye.uri).toContain('sip:phone@192.0.2.10');
    expect(headersOf(bye, 'route')).toEqual([]);
  });

  test('of a phone that listens at another port than it sends from', () => {
    expect(next({ contact: '<sip:phone@192.0.2.10:5070>' }, UDP).to).toBe('udp 192.0.2.10 5070');
  });

  test('of a re-INVITE from then on', () => {
    const bench = new Bench();
    const { tag, dialog } = bench.call({ ...BY_PROXY, contact: '<sip:phone@192.0.2.10:5070>' }, PROXY);
    const again = { toTag: tag, cseq: 2, contact: '<sip:phone@192.0.2.11:5080>' };
    bench.receive({ ...BY_PROXY, ...again, via: BY_PROXY.via!.replace('z9hG4bKp1', 'z9hG4bKp2') }, PROXY);
    bench.respond(200);
    bench.receive({ ...BY_PROXY, ...again, method: 'ACK', via: BY_PROXY.via!.replace('p1', 'p3') }, PROXY);
    bench.sent();
    bench.core.requestWithin(dialog, 'BYE', [], Buffer.alloc(0));
    expect(hop(bench).to).toBe('udp 192.0.2.11 5080');
  });

  test('also when the call is one of an engine that died', () => {
    const bench = new Bench();
    const record = {
      callId: 'call-1',
      local: '<sip:room@example.org>;tag=us',
      remote: '<sip:phone@example.org>;tag=phone',
      routeSet: [],
      remoteTarget: 'sip:phone@192.0.2.10:5070',
      localSequence: 1000,
      flow: PROXY,
    };
    bench.core.endAdopted(record, []);
    expect(hop(bench).to).toBe('udp 192.0.2.10 5070');
  });

  test('when the application is gone, too', () => {
    const bench = new Bench();
    bench.call({ ...BY_PROXY, contact: '<sip:phone@192.0.2.10:5070>' }, PROXY);
    bench.core.applicationGone();
    expect(hop(bench).to).toBe('udp 192.0.2.10 5070');
  });
});

describe('a request of ours goes to the first of the route set', () => {
  test.each<[string, string[], string, string]>([
    ['of one', ['<sip:192.0.2.51:5062;lr>'], 'udp 192.0.2.51 5062', 'sip:phone@192.0.2.10:5070'],
    ['without a port', ['<sip:192.0.2.51;lr>'], 'udp 192.0.2.51 5060', 'sip:phone@192.0.2.10:5070'],
    [
      'of several',
      ['<sip:192.0.2.51:5062;lr>, <sip:203.0.113.1;lr>', '<sip:proxy.invalid;lr>'],
      'udp 192.0.2.51 5062',
      'sip:phone@192.0.2.10:5070',
    ],
    ['with lr=on', ['<sip:192.0.2.51:5062;lr=on;x=y>'], 'udp 192.0.2.51 5062', 'sip:phone@192.0.2.10:5070'],
    ['that is strict', ['<sip:192.0.2.51:5062>'], 'udp 192.0.2.51 5062', 'sip:192.0.2.51:5062'],
  ])('%s', (_, routes, expected, uri) => {
    const { to, bye } = next({
      ...BY_PROXY,
      contact: '<sip:phone@192.0.2.10:5070>',
      extra: routed(...routes),
    });
    expect(to).toBe(expected);
    expect(bye.uri).toBe(uri);
    expect(headersOf(bye, 'route').length).toBeGreaterThan(0);
  });
});

describe('a request of ours goes back to where the call came from', () => {
  /** What goes to the Contact is what is not behind a NAT; the same call without that must not go back. */
  const reachable = '<sip:phone@192.0.2.10:5070>';

  test.each<[string, RequestParts, Flow]>([
    [
      'when the Contact is private and the call is not',
      { ...BY_PROXY, contact: '<sip:phone@192.168.1.7:5060>' },
      PROXY,
    ],
    [
      'when the Contact is of a carrier-grade NAT',
      { ...BY_PROXY, contact: '<sip:phone@100.64.1.7:5060>' },
      PROXY,
    ],
    ['when the Contact is this machine', { ...BY_PROXY, contact: '<sip:phone@127.0.0.1:5060>' }, PROXY],
    ['when the Contact is no host', { ...BY_PROXY, contact: '<sip:phone@0.0.0.0:5060>' }, PROXY],
    ['when the Contact is a group', { ...BY_PROXY, contact: '<sip:phone@224.0.0.1:5060>' }, PROXY],
    ['when the Contact has a name', { ...BY_PROXY, contact: '<sip:phone@phone.invalid>' }, PROXY],
    ['when the Contact is of another family', { ...BY_PROXY, contact: '<sip:phone@[2001:db8::1]>' }, PROXY],
    [
      'when the Contact wants TCP, which it has not opened',
      { ...BY_PROXY, contact: '<sip:phone@192.0.2.10;transport=tcp>' },
      PROXY,
    ],
    ['when the Contact wants TLS', { ...BY_PROXY, contact: '<sips:phone@192.0.2.10>' }, PROXY],
    ["when a NAT has changed the phone's port", { contact: reachable }, { ...UDP, port: 40_123 }],
    [
      "when a NAT has changed the phone's address",
      { contact: '<sip:phone@10.0.0.9>', via: 'SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1;rport' },
      UDP,
    ],
    [
      'when the call came over TCP',
      {
        contact: '<sip:phone@192.0.2.10:5070;transport=tcp>',
        via: 'SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bK1',
      },
      TCP,
    ],
    [
      'when the route has a name',
      { ...BY_PROXY, contact: reachable, extra: routed('<sip:proxy.invalid;lr>') },
      PROXY,
    ],
  ])('%s', (_, parts, flow) => {
    // First of all: it is for that reason alone.
    expect(next({ ...BY_PROXY, contact: reachable }).to).toBe('udp 192.0.2.10 5070');
    expect(next(parts, flow).to).toBe(`${flow.protocol} ${flow.address} ${flow.port}`);
  });

  test('when the Contact is nobody whom we listen to', () => {
    const limits = { messagesPerSecond: 100, callsPerSecond: 10, maxCalls: 10 };
    const guarded = () => new Bench((clock) => new Gatekeeper({ allow: ['192.0.2.0/24'], ...limits }, clock));
    expect(next({ ...BY_PROXY, contact: reachable }, PROXY, guarded()).to).toBe('udp 192.0.2.10 5070');
    const bench = guarded();
    expect(next({ ...BY_PROXY, contact: '<sip:phone@203.0.113.7:5070>' }, PROXY, bench).to).toBe(
      'udp 192.0.2.50 5060',
    );
    expect(bench.core.counters.unlisted).toBe(0);
    const elsewhere = { ...BY_PROXY, contact: reachable, extra: routed('<sip:203.0.113.7;lr>') };
    expect(next(elsewhere, PROXY, guarded()).to).toBe('udp 192.0.2.50 5060');
  });
});

test('a request that goes by UDP though the call came over TCP says so in its Via', () => {
  const via = 'SIP/2.0/TCP 192.0.2.50:5060;branch=z9hG4bKp1, SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1';
  const flow = { ...TCP, address: '192.0.2.50' };
  const { to, bye } = next({ via, contact: '<sip:phone@192.0.2.10:5070>' }, flow);
  expect(to).toBe('udp 192.0.2.10 5070');
  expect(header(bye, 'via')).toMatch(/^SIP\/2\.0\/UDP 198\.51\.100\.1:5060;branch=/);
});
