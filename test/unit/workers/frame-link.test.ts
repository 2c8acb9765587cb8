import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { toMachineTime } from '../../../src/base/machine-time.ts';
import type { SourceUnit, VideoFormat } from '../../../src/media/access-unit.ts';
import { writeFormat, writeUnit } from '../../../src/media/frame-wire.ts';
import type { FrameAddress } from '../../../src/room/track.ts';
import { FrameReceivers } from '../../../src/workers/worker/frame-receivers.ts';
import { openFrameSender } from '../../../src/workers/worker/frame-sender.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';

/* Video units on their way from one worker to another, over real sockets. */

const FORMAT: VideoFormat = {
  kind: 'video',
  codec: 'H264',
  record: Buffer.from('0164000a', 'hex'),
  lengthBytes: 4,
  parameterSets: [Buffer.from('6764', 'hex')],
};
const OTHER_FORMAT: VideoFormat = { kind: 'video', codec: 'VP8', parameterSets: [] };

/** @param number - says which one it is */
function unit(key: boolean, number: number, bytes = 4, format = FORMAT): SourceUnit {
  const times = { dtsUs: number, ptsUs: number, dueAt: 5_000.5, keyFrameGapMs: 0, audioLateMs: 0 };
  const data = Buffer.alloc(bytes, number);
  return { format, data, key, disposable: false, discontinuity: false, ...times };
}

/** Where units are taken. */
function taking() {
  const clock = new FakeClock();
  const receivers = new FrameReceivers(clock);
  onTestFinished(() => receivers.close());
  const open = async () => {
    const units: SourceUnit[] = [];
    const receiver = await receivers.open((one) => units.push(one));
    /** Their numbers, K for key frames. */
    const letters = () => units.map(({ key, ptsUs }) => (key ? 'K' : 'i') + ptsUs).join(' ');
    return { receiver, target: receiver.target, units, letters };
  };
  return { clock, receivers, open };
}

function send(target: FrameAddress) {
  let closed = 0;
  const sender = openFrameSender(target, () => closed++);
  onTestFinished(() => sender.close());
  return { sender, isClosed: () => closed };
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

test('units come out as they went in, with their format, and with times of this process', async () => {
  const { open } = taking();
  const { target, units } = await open();
  const { sender } = send(target);
  const sent = [
    unit(true, 1),
    unit(false, 2, 300_000),
    { ...unit(false, 3), disposable: true },
    { ...unit(true, 4, 4, OTHER_FORMAT), discontinuity: true },
    unit(true, 5),
  ];
  for (const one of sent) sender.send(one);
  await eventually(() => units.length).toBe(sent.length);
  for (const [index, { data, dueAt, ...rest }] of units.entries()) {
    const { data: expected, dueAt: due, ...others } = sent[index]!;
    expect(rest).toEqual(others);
    expect(data.equals(expected)).toBe(true);
    expect(dueAt).toBeCloseTo(due, 3);
  }
  // A format is another one where it was one, and only there.
  const formats = units.map(({ format }) => format);
  expect([formats[1], formats[2]]).toEqual([formats[0], formats[0]]);
  expect(new Set(formats).size).toBe(3);
});

test('each source comes out where it was expected, all on one port of loopback', async () => {
  const { open } = taking();
  const [first, second] = [await open(), await open()];
  expect(first.target.port).toBe(second.target.port);
  expect(first.target.token).not.toBe(second.target.token);
  expect(first.target.token).toMatch(/^[0-9a-f]{32}$/);
  send(second.target).sender.send(unit(true, 2));
  send(first.target).sender.send(unit(true, 1));
  await eventually(() => [first.letters(), second.letters()]).toEqual(['K1', 'K2']);
});

test('a token that comes in pieces, with all that follows it, is one', async () => {
  const { open } = taking();
  const { target, letters } = await open();
  const { socket } = stranger(target.port);
  socket.setNoDelay(true);
  const bytes = Buffer.concat([
    Buffer.from(target.token),
    writeFormat(FORMAT),
    ...writeUnit({ ...unit(true, 1), dueAt: toMachineTime(0) }),
  ]);
  for (const [from, to] of [
    [0, 5],
    [5, 40],
    [40, bytes.length],
  ]) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(from, to), () => resolve()));
  }
  await eventually(letters).toBe('K1');
});

describe('is not heard', () => {
  test.each<[string, (token: string) => string]>([
    ['who has another token', () => '0'.repeat(32)],
    ['who has nearly the right one', (token) => (token[0] === '0' ? '1' : '0') + token.slice(1)],
    ['who asks for a page', () => 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
  ])('%s', async (_, tokenOf) => {
    const { open, clock } = taking();
    const { target, units, letters } = await open();
    const { socket, isClosed } = stranger(target.port);
    socket.write(
      Buffer.concat([Buffer.from(tokenOf(target.token)), writeFormat(FORMAT), ...writeUnit(unit(true, 9))]),
    );
    await eventually(isClosed).toBe(true);
    expect(units).toEqual([]);
    // It did no harm to whom it was for.
    send(target).sender.send(unit(true, 1));
    await eventually(letters).toBe('K1');
    await eventually(() => clock.pending).toBe(0);
  });

  test('who comes second with the same token', async () => {
    const { open } = taking();
    const { target, letters } = await open();
    const first = send(target);
    first.sender.send(unit(true, 1));
    await eventually(letters).toBe('K1');
    const second = send(target);
    second.sender.send(unit(true, 9));
    await eventually(second.isClosed).toBe(1);
    first.sender.send(unit(false, 2));
    await eventually(letters).toBe('K1 i2');
    expect(first.isClosed()).toBe(0);
  });

  test('who comes again when the first one is gone', async () => {
    const { open } = taking();
    const { target, letters } = await open();
    const first = send(target);
    first.sender.send(unit(true, 1));
    await eventually(letters).toBe('K1');
    first.sender.close();
    await eventually(first.isClosed).toBe(1);
    const second = send(target);
    second.sender.send(unit(true, 2));
    await eventually(second.isClosed).toBe(1);
    expect(letters()).toBe('K1');
  });

  test('who is not expected any more', async () => {
    const { open } = taking();
    const { receiver, target, letters } = await open();
    const before = send(target);
    before.sender.send(unit(true, 1));
    await eventually(letters).toBe('K1');
    receiver.close();
    await eventually(before.isClosed).toBe(1);
    const after = send(target);
    after.sender.send(unit(true, 2));
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
  const { sender } = send(good.target);
  await eventually(isClosed).toBe(true);
  sender.send(unit(true, 1));
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
  send(target).sender.send(unit(true, 1));
  await eventually(letters).toBe('K1');
});

test('those who are known are no strangers', async () => {
  const { open } = taking();
  const all = await Promise.all(Array.from({ length: 80 }, open));
  for (const { target } of all) send(target).sender.send(unit(true, 1));
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
    const { sender } = send(target);
    const mebi = 1024 * 1024;
    // Nothing is written before this turn of the event loop is over: all of it waits.
    for (let number = 0; number < 12; number++) sender.send(unit(number === 0, number, mebi));
    sender.send(unit(true, 12));
    await eventually(() => letters().endsWith('i7')).toBe(true);
    sender.send(unit(false, 13));
    sender.send(unit(true, 14));
    sender.send(unit(false, 15));
    // 8 MiB and what goes beyond; a key frame that finds no room is left out as well, with all behind it.
    await eventually(letters).toBe('K0 i1 i2 i3 i4 i5 i6 i7 K14 i15');
  });

  test('says another format with the first unit that finds room, whatever was left out before it', async () => {
    const { target, units, letters } = await taking().open();
    const { sender } = send(target);
    const mebi = 1024 * 1024;
    for (let number = 0; number < 10; number++) sender.send(unit(number === 0, number, mebi));
    sender.send(unit(true, 10, 4, OTHER_FORMAT)); // finds no room
    await eventually(() => letters().endsWith('i7')).toBe(true);
    sender.send(unit(false, 11, 4, OTHER_FORMAT));
    sender.send(unit(true, 12, 4, OTHER_FORMAT));
    await eventually(letters).toBe('K0 i1 i2 i3 i4 i5 i6 i7 K12');
    expect(units.at(-1)!.format).toEqual(OTHER_FORMAT);
    expect(units.at(-2)!.format).toEqual(FORMAT);
  });

  test('holds no more of it than 8 MiB, and a unit', async () => {
    const { target, read } = await unread();
    const { sender, isClosed } = send(target);
    for (let number = 0; number < 400; number++) sender.send(unit(true, 1, 256 * 1024));
    const reading = read();
    setImmediate(() => sender.close());
    const bytes = await reading;
    await eventually(isClosed).toBe(1);
    // What the system takes by itself comes on top.
    expect(bytes.length).toBeLessThan(40 * 1024 * 1024);
  });

  test('is told once when nobody is there, and can go on sending', async () => {
    const { receivers, open } = taking();
    const { target } = await open();
    receivers.close();
    const { sender, isClosed } = send(target);
    sender.send(unit(true, 1));
    await eventually(isClosed).toBe(1);
    sender.send(unit(true, 2));
    sender.close();
    expect(isClosed()).toBe(1);
  });
});

test('closed, nobody is heard any more', async () => {
  const { receivers, open } = taking();
  const { target, letters } = await open();
  const { sender, isClosed } = send(target);
  sender.send(unit(true, 1));
  await eventually(letters).toBe('K1');
  receivers.close();
  await eventually(isClosed).toBe(1);
  const late = stranger(target.port);
  await eventually(late.isClosed).toBe(true);
});
