import { describe, expect, test } from 'vitest';
import { Dialog } from '../../../../gateways/sip/engine/dialog.ts';
import { headersOf } from '../../../../gateways/sip/engine/message.ts';
import { type RequestParts, request, response, UDP } from './workbench.ts';

/* RFC 3261, section 12. */

function dialogOf(parts: RequestParts = {}): Dialog {
  const invite = request(parts);
  const { headers, ...rest } = response(200, invite);
  const tagged = headers.map(({ name, value }) => ({
    name,
    value: name === 'To' ? `${value};tag=ours` : value,
  }));
  return Dialog.asServer(invite, { ...rest, headers: tagged }, UDP);
}

const ask = (dialog: Dialog, method = 'BYE', headers: { name: string; value: string }[] = []) =>
  dialog.request(method, 'VIA', '<sip:us>', headers, Buffer.alloc(0));

test('a request of ours has everything that the dialog knows, in this order', () => {
  const { uri, method, headers } = ask(dialogOf(), 'BYE', [{ name: 'X', value: 'y' }]);
  expect(`${method} ${uri}`).toBe('BYE sip:phone@192.0.2.10:5060');
  expect(headers.map(({ name, value }) => `${name}: ${value}`)).toEqual([
    'Via: VIA',
    'Max-Forwards: 70',
    'From: <sip:room@example.org>;tag=ours',
    'To: <sip:phone@example.org>;tag=phone',
    'Call-ID: call-1',
    'CSeq: 1 BYE',
    'X: y',
  ]);
});

test('the sequence numbers of our requests count up', () => {
  const dialog = dialogOf();
  const numbers = ['INFO', 'INFO', 'BYE'].map((method) => headersOf(ask(dialog, method), 'cseq'));
  expect(numbers).toEqual([['1 INFO'], ['2 INFO'], ['3 BYE']]);
});

test.each([
  ['BYE', []],
  ['INFO', []],
  ['UPDATE', ['<sip:us>']],
  ['NOTIFY', ['<sip:us>']],
])('%s has the Contact %j', (method, contacts) => {
  expect(headersOf(ask(dialogOf(), method), 'contact')).toEqual(contacts);
});

test("the application's own Contact is the one that is used", () => {
  const own = [{ name: 'm', value: '<sip:me>' }];
  expect(headersOf(ask(dialogOf(), 'UPDATE', own), 'contact')).toEqual(['<sip:me>']);
});

describe('the route set', () => {
  test.each<[string, string[], string, string[]]>([
    ['none', [], 'sip:phone@192.0.2.10:5060', []],
    [
      'loose, of two headers and a list',
      ['Record-Route: <sip:p3;lr>,<sip:p2;lr>;x', 'Record-Route: <sip:p1;lr>'],
      'sip:phone@192.0.2.10:5060',
      ['<sip:p3;lr>', '<sip:p2;lr>;x', '<sip:p1;lr>'],
    ],
    ['loose with a value', ['Record-Route: <sip:p1;LR=on>'], 'sip:phone@192.0.2.10:5060', ['<sip:p1;LR=on>']],
    [
      'strict',
      ['Record-Route: <sip:p2>, <sip:p1;lr>'],
      'sip:p2',
      ['<sip:p1;lr>', '<sip:phone@192.0.2.10:5060>'],
    ],
    [
      'strict, though it looks loose',
      ['Record-Route: <sip:a;lr@p1;lrx>'],
      'sip:a;lr@p1;lrx',
      ['<sip:phone@192.0.2.10:5060>'],
    ],
  ])('%s', (_, extra, uri, routes) => {
    const made = ask(dialogOf({ extra }));
    expect(made.uri).toBe(uri);
    expect(headersOf(made, 'route')).toEqual(routes);
  });
});

describe('what the peer asks', () => {
  test.each([
    [0, false],
    [1, false],
    [2, true],
    [1000, true],
  ])('after sequence number 1, %i is in order: %s', (cseq, expected) => {
    expect(dialogOf({ cseq: 1 }).follow(request({ method: 'INFO', cseq }), UDP)).toBe(expected);
  });

  test('what is out of order changes nothing', () => {
    const dialog = dialogOf({ cseq: 5 });
    dialog.follow(request({ cseq: 4, contact: '<sip:elsewhere>' }), { ...UDP, port: 9 });
    expect(ask(dialog).uri).toBe('sip:phone@192.0.2.10:5060');
    expect(dialog.flow).toEqual(UDP);
  });

  test.each([
    ['INVITE', 'sip:elsewhere'],
    ['UPDATE', 'sip:elsewhere'],
    ['INFO', 'sip:phone@192.0.2.10:5060'],
  ])('%s with another Contact: requests go to %s', (method, uri) => {
    const dialog = dialogOf();
    dialog.follow(request({ method, cseq: 2, contact: '<sip:elsewhere>' }), UDP);
    expect(ask(dialog).uri).toBe(uri);
  });

  test('a re-INVITE without Contact leaves the target as it is', () => {
    const dialog = dialogOf();
    dialog.follow(request({ cseq: 2, contact: undefined }), UDP);
    expect(ask(dialog).uri).toBe('sip:phone@192.0.2.10:5060');
  });

  test('where it comes from is where requests go', () => {
    const dialog = dialogOf();
    dialog.follow(request({ method: 'INFO', cseq: 2 }), { ...UDP, port: 9 });
    expect(dialog.flow.port).toBe(9);
  });
});

test('the id has nothing in it that the peer wrote', () => {
  expect(dialogOf({ callId: 'a|b#c%s' }).id).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(dialogOf({ callId: 'x' }).id).not.toBe(dialogOf({ callId: 'y' }).id);
  expect(dialogOf({ fromTag: 'x' }).id).not.toBe(dialogOf({ fromTag: 'y' }).id);
});

test('an adopted dialog is asked in the words of the one before', () => {
  const dialog = Dialog.adopted({
    callId: 'call-1',
    local: '"Žofie" <sip:room@example.org>;tag=ours',
    remote: '<sip:phone@example.org>;tag=phone',
    routeSet: ['<sip:p2;lr>,<sip:p1;lr>'],
    remoteTarget: 'sip:phone@192.0.2.10:5060',
    localSequence: 1000,
    flow: UDP,
  });
  const bye = ask(dialog);
  expect(bye.uri).toBe('sip:phone@192.0.2.10:5060');
  expect(headersOf(bye, 'route')).toEqual(['<sip:p2;lr>', '<sip:p1;lr>']);
  expect(headersOf(bye, 'cseq')).toEqual(['1001 BYE']);
  expect(Buffer.from(headersOf(bye, 'from')[0]!, 'latin1').toString()).toBe(
    '"Žofie" <sip:room@example.org>;tag=ours',
  );
  expect(dialog.id).toBe(dialogOf().id);
});
