import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { toMachineTime } from '../../../src/base/machine-time.ts';
import { writeSourceConfig, writeSourcePicture } from '../../../src/media/frame-wire.ts';
import type { SourceConfig, SourcePicture } from '../../../src/media/picture-source.ts';
import type { FrameAddress } from '../../../src/room/track.ts';
import { FrameReceivers } from '../../../src/workers/worker/frame-receivers.ts';
import { openFrameSender } from '../../../src/workers/worker/frame-sender.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';

/* Pictures on their way from one worker to another, over real sockets. */

const CONFIG: SourceConfig = {
  codec: 'H264',
  record: Buffer.from('0164000a', 'hex'),
  lengthBytes: 4,
  parameterSets: [Buffer.from('6764', 'hex')],
};

function picture(key: boolean, number: number, bytes = 4): SourcePicture {
  const times = { decodeMs: number, showMs: number, dueAt: 5_000.5, keyFrameGapMs: 0, soundLateMs: 0 };
  return { data: Buffer.alloc(bytes, number), key, disposable: false, ...times };
}

/** Where pictures are taken. */
function taking() {
  const clock = new FakeClock();
  const inlets = new FrameReceivers(clock);
  onTestFinished(() => inlets.close());
  const open = async () => {
    const configs: SourceConfig[] = [];
    const pictures: SourcePicture[] = [];
    const inlet = await inlets.open({
      config: (config) => configs.push(config),
      picture: (one) => pictures.push(one),
    });
    /** When they are shown, K for key frames. */
    const letters = () => pictures.map(({ key, showMs }) => (key ? 'K' : 'i') + showMs).join(' ');
    return { inlet, target: inlet.target, configs, pictures, letters };
  };
  return { clock, inlets, open };
}

function send(target: FrameAddress) {
  let closed = 0;
  const outlet = openFrameSender(target, () => closed++);
  onTestFinished(() => outlet.close());
  return { outlet, isClosed: () => closed };
}

/** Somebody who says what we like. */
function stranger(port: number) {
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.resume();
  return { socket, isClosed: () => closed };
}

test('configurations and pictures come out as they went in, with times of this process', async () => {
  const { open } = taking();
  const { target, configs, pictures } = await open();
  const { outlet } = send(target);
  outlet.configure(CONFIG);
  const sent = [picture(true, 1), picture(false, 2, 300_000), { ...picture(false, 3), disposable: true }];
  for (const one of sent) outlet.send(one);
  await eventually(() => pictures.length).toBe(3);
  expect(configs).toEqual([CONFIG]);
  for (const [index, { data, dueAt, ...rest }] of pictures.entries()) {
    const { data: expected, dueAt: due, ...others } = sent[index]!;
    expect(rest).toEqual(others);
    expect(data.equals(expected)).toBe(true);
    expect(dueAt).toBeCloseTo(due, 3);
  }
});

test('each source comes out where it was expected, all on one port of loopback', async () => {
  const { open } = taking();
  const [first, second] = [await open(), await open()];
  expect(first.target.port).toBe(second.target.port);
  expect(first.target.token).not.toBe(second.target.token);
  expect(first.target.token).toMatch(/^[0-9a-f]{32}$/);
  send(second.target).outlet.send(picture(true, 2));
  send(first.target).outlet.send(picture(true, 1));
  await eventually(() => [first.letters(), second.letters()]).toEqual(['K1', 'K2']);
});

test('a token that comes in pieces, with all that follows it, is one', async () => {
  const { open } = taking();
  const { target, configs, letters } = await open();
  const { socket } = stranger(target.port);
  socket.setNoDelay(true);
  const bytes = Buffer.concat([
    Buffer.from(target.token),
    writeSourceConfig(CONFIG),
    ...writeSourcePicture({ ...picture(true, 1), dueAt: toMachineTime(0) }),
  ]);
  for (const [from, to] of [
    [0, 5],
    [5, 40],
    [40, bytes.length],
  ]) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(from, to), () => resolve()));
  }
  await eventually(letters).toBe('K1');
  expect(configs).toHaveLength(1);
});

describe('is not heard', () => {
  test.each<[string, (token: string) => string]>([
    ['who has another token', () => '0'.repeat(32)],
    ['who has nearly the right one', (token) => (token[0] === '0' ? '1' : '0') + token.slice(1)],
    ['who asks for a page', () => 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
  ])('%s', async (_, tokenOf) => {
    const { open, clock } = taking();
    const { target, configs, pictures } = await open();
    const { socket, isClosed } = stranger(target.port);
    socket.write(Buffer.concat([Buffer.from(tokenOf(target.token)), writeSourceConfig(CONFIG)]));
    await eventually(isClosed).toBe(true);
    expect([configs, pictures]).toEqual([[], []]);
    // It did no harm to whom it was for.
    send(target).outlet.configure(CONFIG);
    await eventually(() => configs.length).toBe(1);
    await eventually(() => clock.pending).toBe(0);
  });

  test('who comes second with the same token', async () => {
    const { open } = taking();
    const { target, letters } = await open();
    const first = send(target);
    first.outlet.send(picture(true, 1));
    await eventually(letters).toBe('K1');
    const second = send(target);
    second.outlet.send(picture(true, 9));
    await eventually(second.isClosed).toBe(1);
    first.outlet.send(picture(false, 2));
    await eventually(letters).toBe('K1 i2');
    expect(first.isClosed()).toBe(0);
  });

  test('who comes again when the first one is gone', async () => {
    const { open } = taking();
    const { target, letters } = await open();
    const first = send(target);
    first.outlet.send(picture(true, 1));
    await eventually(letters).toBe('K1');
    first.outlet.close();
    await eventually(first.isClosed).toBe(1);
    const second = send(target);
    second.outlet.send(picture(true, 2));
    await eventually(second.isClosed).toBe(1);
    expect(letters()).toBe('K1');
  });

  test('who is not expected any more', async () => {
    const { open } = taking();
    const { inlet, target, letters } = await open();
    const before = send(target);
    before.outlet.send(picture(true, 1));
    await eventually(letters).toBe('K1');
    inlet.close();
    await eventually(before.isClosed).toBe(1);
    const after = send(target);
    after.outlet.send(picture(true, 2));
    await eventually(after.isClosed).toBe(1);
    expect(letters()).toBe('K1');
  });

  test('who says nothing for 5 s', async () => {
    const { open, clock } = taking();
    const { target } = await open();
    const { socket, isClosed } = stranger(target.port);
    socket.write(target.token.slice(0, 31));
    await eventually(() => clock.pending).toBe(1);
    clock.advance(5_000);
    await eventually(isClosed).toBe(true);
  });
});

test('what is no message ends its own connection only', async () => {
  const { open } = taking();
  const [bad, good] = [await open(), await open()];
  const { socket, isClosed } = stranger(bad.target.port);
  socket.write(Buffer.concat([Buffer.from(bad.target.token), Buffer.alloc(64, 0xff)]));
  const { outlet } = send(good.target);
  await eventually(isClosed).toBe(true);
  outlet.send(picture(true, 1));
  await eventually(good.letters).toBe('K1');
});

test('64 strangers at once are borne with, and one more is not', async () => {
  const { open, clock } = taking();
  const { target, letters } = await open();
  const strangers = Array.from({ length: 64 }, () => stranger(target.port));
  await eventually(() => clock.pending).toBe(64);
  const last = stranger(target.port);
  await eventually(last.isClosed).toBe(true);
  expect(strangers.some(({ isClosed }) => isClosed())).toBe(false);
  strangers[0]!.socket.destroy();
  await eventually(() => clock.pending).toBe(63);
  send(target).outlet.send(picture(true, 1));
  await eventually(letters).toBe('K1');
});

test('those who are known are no strangers', async () => {
  const { open } = taking();
  const all = await Promise.all(Array.from({ length: 80 }, open));
  for (const { target } of all) send(target).outlet.send(picture(true, 1));
  await eventually(() => all.filter(({ letters }) => letters() === 'K1').length).toBe(80);
});

describe('the one who sends', () => {
  /** A port on which nobody reads. */
  async function unread(): Promise<{ target: FrameAddress; read: () => Promise<Buffer> }> {
    const sockets: net.Socket[] = [];
    const server = net.createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const read = async () => {
      await eventually(() => sockets.length).toBe(1);
      const chunks: Buffer[] = [];
      sockets[0]!.on('data', (chunk: Buffer) => chunks.push(chunk));
      sockets[0]!.resume();
      await new Promise((resolve) => sockets[0]!.once('close', resolve));
      return Buffer.concat(chunks);
    };
    return { target: { port: (server.address() as net.AddressInfo).port, token: '' }, read };
  }

  test('leaves out what is more than waits, up to a key frame', async () => {
    const { target, letters } = await taking().open();
    const { outlet } = send(target);
    const mebi = 1024 * 1024;
    // Nothing is written before this turn of the event loop is over: all of it waits.
    for (let number = 0; number < 12; number++) outlet.send(picture(number === 0, number, mebi));
    outlet.send(picture(true, 12));
    await eventually(() => letters().endsWith('i7')).toBe(true);
    outlet.send(picture(false, 13));
    outlet.send(picture(true, 14));
    outlet.send(picture(false, 15));
    // 8 MiB and what goes beyond; a key frame that finds no room is left out as well, with all behind it.
    await eventually(letters).toBe('K0 i1 i2 i3 i4 i5 i6 i7 K14 i15');
  });

  test('holds no more of it than 8 MiB, and a picture', async () => {
    const { target, read } = await unread();
    const { outlet, isClosed } = send(target);
    for (let number = 0; number < 400; number++) outlet.send(picture(true, 1, 256 * 1024));
    const reading = read();
    setImmediate(() => outlet.close());
    const bytes = await reading;
    await eventually(isClosed).toBe(1);
    // What the system takes by itself comes on top.
    expect(bytes.length).toBeLessThan(40 * 1024 * 1024);
  });

  test('is told once when nobody is there, and can go on sending', async () => {
    const { inlets, open } = taking();
    const { target } = await open();
    inlets.close();
    const { outlet, isClosed } = send(target);
    outlet.configure(CONFIG);
    outlet.send(picture(true, 1));
    await eventually(isClosed).toBe(1);
    outlet.configure(CONFIG);
    outlet.send(picture(true, 2));
    outlet.close();
    expect(isClosed()).toBe(1);
  });
});

test('closed, nobody is heard any more', async () => {
  const { inlets, open } = taking();
  const { target, letters } = await open();
  const { outlet, isClosed } = send(target);
  outlet.send(picture(true, 1));
  await eventually(letters).toBe('K1');
  inlets.close();
  await eventually(isClosed).toBe(1);
  const late = stranger(target.port);
  await eventually(late.isClosed).toBe(true);
});
