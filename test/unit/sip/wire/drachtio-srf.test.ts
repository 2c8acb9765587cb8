import { EventEmitter, once } from 'node:events';
import Srf from 'drachtio-srf';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Core } from '../../../../gateways/sip/engine/core.ts';
import { header } from '../../../../gateways/sip/engine/message.ts';
import { UdpTransport } from '../../../../gateways/sip/engine/udp-transport.ts';
import { WireServer } from '../../../../gateways/sip/wire/server.ts';
import { createLogger } from '../../../../src/base/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ourTag, Phone } from './phone.ts';

/* The engine with drachtio-srf as its application, and a phone, all of them over real sockets. */

const OFFER = 'v=0\r\no=phone 1 1 IN IP4 192.0.2.10\r\ns=-\r\n';
const ANSWER = 'v=0\r\no=us 1 1 IN IP4 198.51.100.1\r\ns=-\r\n';
const SECRET = 'a secret';

type Call = [Srf.SrfRequest, Srf.SrfResponse];

async function set() {
  const clock = new FakeClock();
  const log = createLogger('silent');
  const wire = await WireServer.open(SECRET, log, clock);
  const core = new Core({ clock, log, announce: undefined }, wire);
  wire.serve(core);
  const udp = await UdpTransport.open('127.0.0.1', 0, (bytes, flow) => core.receive(bytes, flow));
  core.use(udp);
  onTestFinished(async () => {
    await wire.close();
    await udp.close();
  });
  const phone = await Phone.open(udp.port);
  const { srf, calls } = await application(wire);
  /** The next INVITE that the application gets. */
  const nextCall = async () => (await once(calls, 'call')) as Call;
  return { clock, wire, core, phone, srf, nextCall };
}

async function application(wire: WireServer) {
  const calls = new EventEmitter();
  const srf = new Srf();
  onTestFinished(() => {
    try {
      srf.disconnect();
    } catch {
      // It is disconnected.
    }
  });
  srf.on('error', () => {});
  srf.invite((req, res) => calls.emit('call', req, res));
  srf.use('options', (_req, res) => res.send(200, { headers: { Accept: 'application/sdp' } }));
  const connection = once(srf, 'connect');
  srf.connect({ host: '127.0.0.1', port: wire.port, secret: SECRET });
  await connection;
  await until(() => wire.takes('OPTIONS'));
  return { srf, calls };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A call that the application has answered, and the phone acknowledged. */
async function established() {
  const all = await set();
  const { phone, srf, nextCall } = all;
  const call = nextCall();
  phone.ask({ branch: 'z9hG4bK1', body: OFFER, extra: ['Content-Type: application/sdp'] });
  const [req, res] = await call;
  const dialog = await srf.createUAS(req, res, { localSdp: ANSWER });
  const tag = ourTag(await phone.next());
  const acknowledged = once(dialog, 'ack');
  phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag });
  await acknowledged;
  return { ...all, dialog, tag };
}

describe('a call', () => {
  test('rings, is answered, repeated until its ACK, and ended by the application', async () => {
    const { clock, core, phone, srf, nextCall } = await set();
    const call = nextCall();
    phone.ask({ branch: 'z9hG4bK1', body: OFFER });
    const [req, res] = await call;
    expect(req.body).toBe(OFFER);
    expect(req.get('Call-ID')).toBe('call-1');
    expect(req).toMatchObject({
      source: 'network',
      protocol: 'udp',
      source_address: '127.0.0.1',
      source_port: phone.port,
    });
    expect(req).toHaveProperty('receivedOn', expect.stringMatching(/^127\.0\.0\.1:\d+$/));

    res.send(180);
    expect(await phone.nextKind()).toBe(180);
    const dialog = await srf.createUAS(req, res, { localSdp: ANSWER, headers: { 'X-Own': 'žluť' } });
    const ok = await phone.next();
    expect(ok).toMatchObject({ status: 200, body: Buffer.from(ANSWER) });
    expect(header(ok, 'content-type')).toBe('application/sdp');
    expect(Buffer.from(header(ok, 'x-own')!, 'latin1').toString()).toBe('žluť');
    expect(dialog.sip).toEqual({ callId: 'call-1', localTag: ourTag(ok), remoteTag: 'phone' });

    clock.advance(500);
    expect(await phone.next()).toEqual(ok);
    const acknowledged = once(dialog, 'ack');
    phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag: ourTag(ok) });
    await acknowledged;
    clock.advance(4_000);

    const ended = Promise.resolve(dialog.destroy({ headers: { Reason: 'Q.850;cause=16' } }));
    const bye = await phone.next();
    expect(bye).toMatchObject({ method: 'BYE', uri: `sip:phone@127.0.0.1:${phone.port}` });
    expect(header(bye, 'reason')).toBe('Q.850;cause=16');
    phone.answer(200, bye);
    await ended;
    expect(core.dialogCount).toBe(0);
  });

  test('is ended by the phone', async () => {
    const { core, phone, dialog, tag } = await established();
    const destroyed = once(dialog, 'destroy');
    phone.ask({ method: 'BYE', branch: 'z9hG4bK3', cseq: 2, toTag: tag });
    await destroyed;
    expect(await phone.nextKind()).toBe(200);
    expect(core.dialogCount).toBe(0);
  });

  test('is refused', async () => {
    const { phone, nextCall } = await set();
    const call = nextCall();
    phone.ask({ branch: 'z9hG4bK1' });
    const [, res] = await call;
    res.send(486, { headers: { Warning: '399 us "No room"' } });
    const refusal = await phone.next();
    expect(refusal).toMatchObject({ status: 486, reason: 'Busy Here' });
    expect(header(refusal, 'warning')).toBe('399 us "No room"');
  });

  test('is cancelled, and cannot be answered any more', async () => {
    const { core, phone, srf, nextCall } = await set();
    const call = nextCall();
    phone.ask({ branch: 'z9hG4bK1' });
    const [req, res] = await call;
    const cancelled = once(req as unknown as EventEmitter, 'cancel');
    phone.ask({ method: 'CANCEL', branch: 'z9hG4bK1' });
    await cancelled;
    expect([await phone.nextKind(), await phone.nextKind()]).toEqual([200, 487]);
    await expect(srf.createUAS(req, res, { localSdp: ANSWER })).rejects.toBe(
      'a final response was sent already',
    );
    expect(core.dialogCount).toBe(0);
  });

  test('ends when no ACK comes', async () => {
    const { clock, core, phone, srf, nextCall } = await set();
    const call = nextCall();
    phone.ask({ branch: 'z9hG4bK1' });
    const dialog = await srf.createUAS(...(await call), { localSdp: ANSWER });
    const destroyed = once(dialog, 'destroy');
    clock.advance(32_000);
    const [bye, reason] = (await destroyed) as [Srf.SrfRequest, string];
    expect(bye.source).toBe('application');
    expect(reason).toBe('No ACK');
    let kind = await phone.nextKind();
    while (kind === 200) kind = await phone.nextKind();
    expect(kind).toBe('BYE');
    expect(core.dialogCount).toBe(0);
  });

  test('may leave the offer to us: the answer comes with the ACK', async () => {
    const { phone, srf, nextCall } = await set();
    const call = nextCall();
    phone.ask({ branch: 'z9hG4bK1' });
    const dialog = await srf.createUAS(...(await call), { localSdp: OFFER });
    const acknowledged = once(dialog, 'ack');
    phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag: ourTag(await phone.next()), body: ANSWER });
    const [ack] = (await acknowledged) as [Srf.SrfRequest];
    expect(ack.body).toBe(ANSWER);
    expect(dialog.remote.sdp).toBe(ANSWER);
  });

  test('ended by the application before the ACK came gets its BYE after that', async () => {
    const { phone, srf, nextCall } = await set();
    const call = nextCall();
    phone.ask({ branch: 'z9hG4bK1' });
    const dialog = await srf.createUAS(...(await call), { localSdp: ANSWER });
    const tag = ourTag(await phone.next());
    const acknowledged = once(dialog, 'ack');
    const ended = Promise.resolve(dialog.destroy());
    phone.ask({ method: 'ACK', branch: 'z9hG4bK2', toTag: tag });
    await acknowledged;
    const bye = await phone.next();
    expect(bye).toMatchObject({ method: 'BYE' });
    phone.answer(200, bye);
    await ended;
  });

  test('may have a Call-ID that looks like the wire protocol', async () => {
    const { phone, srf, nextCall } = await set();
    const call = nextCall();
    const callId = '9#x|sip|network|y\\"';
    phone.ask({ branch: 'z9hG4bK1', callId });
    const dialog = await srf.createUAS(...(await call), { localSdp: ANSWER });
    expect(dialog.sip.callId).toBe(callId);
    phone.ask({ method: 'ACK', branch: 'z9hG4bK2', callId, toTag: ourTag(await phone.next()) });
    await once(dialog, 'ack');
    const ended = Promise.resolve(dialog.destroy());
    const bye = await phone.next();
    phone.answer(200, bye);
    await ended;
  });
});

describe('within a call', () => {
  test('a re-INVITE is answered by the application', async () => {
    const { phone, dialog, tag } = await established();
    const modified = once(dialog, 'modify');
    const offer = OFFER.replace('1 1', '1 2');
    phone.ask({ branch: 'z9hG4bK3', cseq: 2, toTag: tag, body: offer });
    const [req, res] = (await modified) as Call;
    expect(req.body).toBe(offer);
    res.send(200, { body: ANSWER });
    const ok = await phone.next();
    expect(ok).toMatchObject({ status: 200, body: Buffer.from(ANSWER) });
    expect(header(ok, 'contact')).toMatch(/^<sip:127\.0\.0\.1:\d+>$/);
    const acknowledged = once(dialog, 'ack');
    phone.ask({ method: 'ACK', branch: 'z9hG4bK4', cseq: 2, toTag: tag });
    await acknowledged;
  });

  test('INFO comes with its body', async () => {
    const { phone, dialog, tag } = await established();
    dialog.on('info', (_req, res) => res.send(200));
    const info = once(dialog, 'info');
    phone.ask({ method: 'INFO', branch: 'z9hG4bK3', cseq: 2, toTag: tag, body: 'Signal=5' });
    const [req] = (await info) as Call;
    expect(req.body).toBe('Signal=5');
    expect(await phone.nextKind()).toBe(200);
  });

  test('the application asks the phone', async () => {
    const { phone, dialog } = await established();
    const answered = dialog.request({ method: 'INFO', body: 'x' } as Srf.SrfRequest);
    const info = await phone.next();
    expect(info).toMatchObject({ method: 'INFO', body: Buffer.from('x') });
    expect(header(info, 'content-type')).toBe('text/plain');
    phone.answer(200, info);
    expect((await answered).status).toBe(200);
  });

  test('a re-INVITE of ours is refused in words', async () => {
    const { dialog } = await established();
    await expect(dialog.modify(OFFER)).rejects.toThrow('INVITE cannot be sent');
  });
});

test('OPTIONS outside a call is answered by the application', async () => {
  const { phone } = await set();
  phone.ask({ method: 'OPTIONS', branch: 'z9hG4bK1' });
  const ok = await phone.next();
  expect(ok).toMatchObject({ status: 200 });
  expect(header(ok, 'accept')).toBe('application/sdp');
});

test('an application that goes takes its calls along; another one gets new ones', async () => {
  const { core, wire, phone, srf } = await established();
  srf.disconnect();
  const bye = await phone.next();
  expect(bye).toMatchObject({ method: 'BYE' });
  phone.answer(200, bye);
  expect(core.dialogCount).toBe(0);
  phone.ask({ branch: 'z9hG4bK5', callId: 'call-2' });
  expect(await phone.nextKind()).toBe(503);

  const { calls } = await application(wire);
  const call = once(calls, 'call');
  phone.ask({ branch: 'z9hG4bK6', callId: 'call-3' });
  const [, res] = (await call) as Call;
  res.send(486);
  expect(await phone.nextKind()).toBe(486);
});

test('a wrong secret is told to the application', async () => {
  const { wire } = await set();
  const srf = new Srf();
  const connection = once(srf, 'connect');
  srf.on('error', () => {});
  srf.connect({
    host: '127.0.0.1',
    port: wire.port,
    secret: 'another',
    reconnect: { maxAttempts: 1 },
  } as Srf.SrfConfig);
  const [error] = (await connection) as [Error];
  expect(error.message).toBe('failed to authenticate to server');
  expect(wire.connected).toBe(true);
});
