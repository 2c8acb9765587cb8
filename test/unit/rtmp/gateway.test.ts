import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { encoders, gone } from '../support/fake-encoder-plane.ts';
import { turn } from '../support/fake-process.ts';
import { Gate } from '../support/gate.ts';
import { refusal } from '../support/refusal.ts';

const KEY = 'the-key-of-camera-1';
const OTHER_KEY = 'the-key-of-camera-2';

describe('limits', () => {
  test('on all connections', async () => {
    const { plane, connect, dial, end, counters } = await encoders({ maxConnections: 2 });
    const [first] = [await connect(), await connect('127.0.0.2')];
    await once(await dial('127.0.0.3'), 'close');
    expect(plane.accepted).toHaveLength(2);
    await end(first);
    await connect('127.0.0.3');
    expect(await counters()).toMatchObject({ sessions: 2, overLimit: 1, sessionsTotal: 3 });
  });

  test('on those of one address', async () => {
    const { connect, dial, counters } = await encoders({ maxConnectionsPerAddress: 2 });
    await connect();
    await connect();
    await once(await dial(), 'close');
    await connect('127.0.0.2');
    expect(await counters()).toMatchObject({ sessions: 3, overLimit: 1 });
  });

  test('count also those for which there is no worker yet', async () => {
    const { plane, dial, counters } = await encoders({ maxConnectionsPerAddress: 2 });
    const configuring = new Gate();
    configuring.open = false;
    plane.gates.configure = configuring;
    await dial();
    await dial();
    await once(await dial(), 'close');
    await configuring.letAll();
    await eventually(() => plane.accepted.length).toBe(2);
    expect(await counters()).toMatchObject({ overLimit: 1, sessionsTotal: 2 });
  });
});

describe('workers', () => {
  test('get connections in turn, and are told the settings once, before the first', async () => {
    const { plane, connect } = await encoders();
    plane.mediaWorkers = [{ pid: 1 }, { pid: 2 }];
    const pids: number[] = [];
    for (let index = 0; index < 4; index++) pids.push((await connect()).port.worker.pid);
    expect(pids.sort()).toEqual([1, 1, 2, 2]);
    expect(plane.requests.map(({ type }) => type)).toEqual([
      ...['configure', 'accept', 'configure', 'accept'],
      ...['accept', 'accept'],
    ]);
    expect(plane.all('configure')[0]).toEqual({
      type: 'configure',
      silenceMs: 10_000,
      maxWaitMs: 500,
      video: { maxKeyFrameGapMs: 3_000, maxHeight: 720, bitrateBps: 2_500_000, preset: 'superfast' },
      audioBitrateBps: 96_000,
      relays: { everywhere: false, allow: [], maxLatenessMs: 4_000 },
    });
  });

  test('that have more already get none', async () => {
    const { plane, connect, end } = await encoders();
    plane.mediaWorkers = [{ pid: 1 }, { pid: 2 }];
    const [first, second] = [await connect(), await connect()];
    await end(second);
    expect((await connect()).port.worker).toBe(second.port.worker);
    await end(first);
    expect((await connect()).port.worker).toBe(first.port.worker);
  });

  test('that are gone get none, though connections on them are not over yet', async () => {
    const { plane, connect } = await encoders();
    plane.mediaWorkers = [{ pid: 1 }];
    await connect();
    plane.mediaWorkers = [{ pid: 2 }];
    const pids: number[] = [];
    for (let index = 0; index < 3; index++) pids.push((await connect()).port.worker.pid);
    expect(pids).toEqual([2, 2, 2]);
  });

  test('that cannot be told the settings are tried again, and nobody hears them twice', async () => {
    const { plane, connect, dial, publish } = await encoders();
    plane.failures.configure = [gone()];
    await once(await dial(), 'close');
    const session = await connect();
    expect(plane.ports.map(({ closed }) => closed)).toEqual([true, false]);
    await publish(session, KEY);
    expect(plane.toldTo(session)).toEqual(['admit']);
  });

  test('that there are none of: the connection is closed', async () => {
    const { plane, dial, counters } = await encoders();
    plane.mediaWorkers = [];
    await once(await dial(), 'close');
    expect(await counters()).toMatchObject({ sessions: 0, sessionsTotal: 0 });
  });

  test('that do not take the connection: it is closed', async () => {
    const { plane, dial, counters } = await encoders();
    plane.failures.accept = [gone()];
    await once(await dial(), 'close');
    await eventually(counters).toMatchObject({ sessions: 0 });
  });
});

test('what peers do wrong is counted by its name', async () => {
  const { connect, end, counters } = await encoders();
  await end(await connect(), 'error', 'handshake');
  await end(await connect(), 'error', 'handshake');
  await end(await connect(), 'error', 'message-too-long');
  await end(await connect(), 'silent');
  expect(await counters()).toMatchObject({ handshake: 2, 'message-too-long': 1, silent: 1, sessions: 0 });
});

describe('it listens', () => {
  test('not when there is no way in', async () => {
    const { gateway } = await encoders({ keys: [] });
    expect([gateway.listeningPorts, gateway.wayIn]).toEqual([[], undefined]);
  });

  test('and says where', async () => {
    const { gateway } = await encoders();
    const [port] = gateway.listeningPorts;
    expect(gateway.wayIn).toEqual(['OBS', `rtmp://127.0.0.1:${port}/live   key: <stream key>`]);
  });

  test.each([
    ['2001:db8::1', '[2001:db8::1]'],
    ['studio.example', 'studio.example'],
  ])('and says where others reach it: %s', async (announce, host) => {
    const network = { bind: '127.0.0.1', announce };
    const { gateway } = await encoders({ keys: [] }, { demo: true, network });
    const [port] = gateway.listeningPorts;
    expect(gateway.wayIn![1]).toBe(`rtmp://${host}:${port}/live   key: demo`);
  });

  test('with TLS where there is a certificate, and says so to workers', async () => {
    const tls = { cert: 'a certificate', key: 'its key' };
    const { gateway, plane } = await encoders({ tlsPort: 0 }, { tls });
    const [plain, secure] = gateway.listeningPorts;
    for (const port of [plain, secure]) {
      const { length } = plane.accepted;
      const socket = net.connect(port!, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      await eventually(() => plane.accepted.length).toBe(length + 1);
    }
    expect(plane.all('accept').map((request) => request.secure)).toEqual([false, true]);
    expect(plane.all('configure')[0]!.tls).toEqual(tls);
  });

  test('not with TLS without a certificate', async () => {
    await expect(encoders({ tlsPort: 0 })).rejects.toThrow(refusal('invalid-request'));
  });

  test('not where another does, and says what to do', async () => {
    const { gateway } = await encoders();
    const [port] = gateway.listeningPorts;
    const taken = encoders({ port });
    await expect(taken).rejects.toThrow(refusal('unavailable'));
    await expect(taken).rejects.toThrow(/Free it or set rtmp\.port/);
  });
});

describe('stopping', () => {
  test('tells all, waits until they went, and takes nobody any more', async () => {
    const { gateway, room, plane, live, connect, publish, end, dial } = await encoders();
    const session = await live();
    const undecided = await connect();
    let isStopped = false;
    const stopped = gateway.stop(1_000).then(() => {
      isStopped = true;
    });
    await turn();
    expect(room.participants).toEqual([]);
    expect(plane.toldTo(session)).toContain('dismiss: The server is shutting down.');
    expect(plane.toldTo(undecided)).toEqual(['dismiss: The server is shutting down.']);
    await publish(undecided, OTHER_KEY);
    expect(plane.toldTo(undecided).at(-1)).toBe('refuse: The server is shutting down.');
    await expect(dial()).rejects.toThrow();
    for (const one of [session, undecided]) {
      one.socket.destroy();
      expect(isStopped).toBe(false);
      await end(one, 'refused');
    }
    await stopped;
    expect(plane.ports.map(({ closed }) => closed)).toEqual([true]);
  });

  test('does not wait for longer than it has', async () => {
    const { gateway, live, clock } = await encoders();
    await live();
    const stopped = gateway.stop(1_000);
    await turn();
    clock.advance(1_000);
    await stopped;
  });
});
