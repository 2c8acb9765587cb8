import Srf from 'drachtio-srf';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEMO_KEYS } from '../../config/schema.ts';
import { EngineProcess } from '../../gateways/sip/engine-process.ts';
import { createLogger, systemClock } from '../../src/gateway.ts';
import type { Participant } from '../../src/room/room.ts';
import type { Server } from '../../src/server.ts';
import { leaving } from '../peers/callers.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';
import { Sipp, type SippOptions, type SippResult, type SippScenario } from '../peers/sipp.ts';

/** Debian's sipp, which knows nothing of us, calls the server and its SIP engine. */

afterAll(() => Sipp.killAll());

const ONE_CALL = { exitCode: 0, succeeded: 1, failed: 0 };

describe.concurrent('the server', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  /** Calls a room of its own. */
  function run(room: string, options: Omit<SippOptions, 'port' | 'user'>): Promise<SippResult> {
    return Sipp.run({ port: sipPort(server), user: room, ...options });
  }

  async function caller(room: string): Promise<Participant> {
    return participantNamed(await roomNamed(server, room), 'sipp');
  }

  test('ends a call whose ACK never comes, after it has repeated its 200 for long enough', async () => {
    const running = run('lost-ack', { scenario: 'lost-ack' });
    expect(await leaving(await caller('lost-ack'))).toBe('connection-lost');
    const { counts, ...result } = await running;
    expect(result).toMatchObject(ONE_CALL);
    // At 0.5, 1.5, 3.5 s and then every 4 s, until 32 s have passed (RFC 3261, section 13.3.1.4).
    expect(counts).toEqual({
      '0_INVITE_Sent': 1,
      '4_200_Recv': 1,
      '4_200_Retrans': 10,
      '5_BYE_Recv': 1,
      '6_200_Sent': 1,
    });
  });

  test('repeats a 200 that was lost, until the ACK comes', async () => {
    const { counts, ...result } = await run('lost-200', { scenario: 'lost-200' });
    expect(result).toMatchObject(ONE_CALL);
    expect(counts['4_200_Retrans']).toBeGreaterThanOrEqual(2);
    expect(counts).toMatchObject({ '6_ACK_Sent': 1, '9_200_Recv': 1 });
  });

  test.for<[SippScenario, Record<string, number>]>([
    ['call', { '4_200_Recv': 1, '5_ACK_Sent': 1, '8_200_Recv': 1 }],
    ['late-offer', { '4_200_Recv': 1, '5_ACK_Sent': 1, '8_200_Recv': 1 }],
    ['hold', { '4_200_Recv': 1, '9_200_Recv': 1, '14_200_Recv': 1, '18_200_Recv': 1 }],
    ['bye-before-ack', { '4_200_Recv': 1, '6_200_Recv': 1, '7_ACK_Sent': 1 }],
    ['video', { '4_200_Recv': 1, '8_200_Recv': 1 }],
    ['repeated-invite', { '4_200_Recv': 1, '6_INVITE_Sent': 1, '9_200_Recv': 1 }],
  ])('takes the call of the scenario %s; afterwards nobody is left', async ([scenario, expected]) => {
    const running = run(scenario, { scenario });
    const participant = await caller(scenario);
    const { counts, ...result } = await running;
    expect(result).toMatchObject(ONE_CALL);
    expect(counts).toMatchObject({ '0_INVITE_Sent': 1, ...expected });
    expect(await leaving(participant)).toBe('left');
    expect(participant.room.counters.participantsJoined).toBe(1);
  });

  test('takes calls by TCP, where nothing is sent twice', async () => {
    const { counts, ...result } = await run('tcp', {
      scenario: 'call',
      transport: 'tcp',
      calls: 5,
      pauseMs: 1500,
    });
    expect(result).toMatchObject({ exitCode: 0, succeeded: 5, failed: 0 });
    expect(Object.keys(counts).filter((step) => step.endsWith('_Retrans'))).toEqual([]);
    expect(counts).toMatchObject({ '0_INVITE_Sent': 5, '4_200_Recv': 5, '8_200_Recv': 5 });
  });

  test('takes 20 calls of which a fifth of the SIP messages is lost', async () => {
    const { counts, ...result } = await run('lossy', { scenario: 'call', calls: 20, lostPercent: 20 });
    expect(result).toMatchObject({ exitCode: 0, succeeded: 20, failed: 0 });
    expect(Object.keys(counts).filter((step) => step.endsWith('_Lost'))).not.toEqual([]);
    const room = server.rooms.mustGet('lossy');
    await Promise.all(room.participants.map(leaving));
    expect(room.counters.participantsJoined).toBe(20); // an INVITE that comes again is no other call
  });

  test('hangs up on whom the room removes', async () => {
    const running = run('removed', { scenario: 'wait-for-bye' });
    const participant = await caller('removed');
    await publishing(participant, 1);
    const rooms = new RoomServiceClient(server.url, 'devkey', DEMO_KEYS.devkey);
    await rooms.removeParticipant('removed', participant.identity);
    const { counts, ...result } = await running;
    expect(result).toMatchObject(ONE_CALL);
    expect(counts).toMatchObject({ '6_BYE_Recv': 1, '7_200_Sent': 1 });
  });

  test('refuses who has only codecs that we do not know, and nobody joins', async () => {
    const { counts, ...result } = await run('unknown-codec', { scenario: 'unknown-codec' });
    expect(result).toMatchObject(ONE_CALL);
    expect(counts).toEqual({ '0_INVITE_Sent': 1, '2_488_Recv': 1, '3_ACK_Sent': 1 });
    expect(server.rooms.get('unknown-codec')).toBeUndefined();
  });

  test('answers OPTIONS', async () => {
    const { counts, ...result } = await run('options', { scenario: 'options' });
    expect(result).toMatchObject(ONE_CALL);
    expect(counts).toEqual({ '0_OPTIONS_Sent': 1, '1_200_Recv': 1 });
  });
});

describe('the SIP engine by itself', () => {
  let engine: EngineProcess;
  beforeAll(async () => {
    const options = {
      bind: '127.0.0.1',
      port: 0,
      secret: 'a-secret-for-tests',
      allow: ['loopback'],
      messagesPerSecond: 1000,
      callsPerSecond: 100,
      maxCalls: 100,
      logLevel: 'silent' as const,
    };
    engine = await EngineProcess.start(options, systemClock, createLogger('silent'));
  });
  afterAll(() => engine.close());

  let application: Srf | undefined;
  afterEach(() => {
    application?.disconnect();
    application = undefined;
  });

  /** An application of drachtio-srf as npm has it. */
  async function connect(onInvite: (req: Srf.SrfRequest, res: Srf.SrfResponse) => void): Promise<void> {
    const srf = new Srf();
    application = srf;
    srf.on('error', () => {});
    srf.invite(onInvite);
    await new Promise<void>((resolve, reject) => {
      srf.on('connect', (error: Error | null) => (error ? reject(error) : resolve()));
      srf.connect({ host: '127.0.0.1', port: engine.wirePort, secret: engine.secret });
    });
  }

  test('answers 503 while no application is connected, to calls and to OPTIONS', async () => {
    for (const scenario of ['call', 'options'] as const) {
      const { succeeded, failed, errors } = await Sipp.run({ scenario, port: engine.port });
      expect([succeeded, failed]).toEqual([0, 1]);
      expect(errors).toMatch(/SIP\/2\.0 503 Service Unavailable\r\n(?:.+\r\n)*Retry-After: \d+\r\n/i);
    }
    const { noApplication, dialogs } = await engine.counters();
    expect(noApplication).toBeGreaterThanOrEqual(2);
    expect(dialogs).toBe(0);
  });

  test('answers CANCEL with 200 and its INVITE with 487, and tells the application', async () => {
    let cancelled = 0;
    await connect((req, res) => {
      req.on('cancel', () => cancelled++);
      res.send(180);
    });
    const { counts, ...result } = await Sipp.run({ scenario: 'cancel', port: engine.port, calls: 10 });
    expect(result).toMatchObject({ exitCode: 0, succeeded: 10, failed: 0 });
    const answers = Object.entries(counts).filter(([step]) => /_(200|487)_Recv$/.test(step));
    expect(answers.map(([step, count]) => [step.split('_')[1], count])).toEqual([
      ['200', 10], // to CANCEL: those that answer an INVITE are another step
      ['487', 10],
    ]);
    expect(cancelled).toBe(10);
    expect(await engine.counters()).toMatchObject({ dialogs: 0 });
  });
});
