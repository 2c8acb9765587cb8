import { randomBytes, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { fromMachineTime } from '../../base/machine-time.ts';
import type { SourceUnit } from '../../media/access-unit.ts';
import { FrameWireReader } from '../../media/frame-wire.ts';
import type { FrameAddress } from '../../room/track.ts';

const LOOPBACK = '127.0.0.1';
/** In hexadecimal. */
const TOKEN_CHARACTERS = 32;
/** Time limit for presenting the token. */
const TOKEN_LIMIT_MS = 5_000;
const MAX_STRANGERS = 64;

/** An announced source and where it is to send. */
export interface FrameReceiver {
  readonly target: FrameAddress;
  close(): void;
}

interface Expected {
  readonly token: Buffer;
  readonly onUnit: (unit: SourceUnit) => void;
  socket: net.Socket | undefined;
}

/** Where this worker takes video units from others: one port on loopback, where each source shows a token of its own. */
export class FrameReceivers {
  #clock: Clock;
  #server: net.Server | undefined;
  #listening: Promise<number> | undefined;
  #expected = new Set<Expected>();
  #strangers = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Anybody on this machine can connect; only who has the token is heard. */
  async open(onUnit: (unit: SourceUnit) => void): Promise<FrameReceiver> {
    this.#listening ??= this.#listen().catch((error) => {
      this.#listening = undefined; // the next one tries again
      throw error;
    });
    const port = await this.#listening;
    const token = randomBytes(TOKEN_CHARACTERS / 2).toString('hex');
    const expected: Expected = { token: Buffer.from(token), onUnit, socket: undefined };
    this.#expected.add(expected);
    const close = () => {
      this.#expected.delete(expected);
      expected.socket?.destroy();
    };
    return { target: { port, token }, close };
  }

  close(): void {
    this.#server?.close();
    for (const { socket } of this.#expected) socket?.destroy();
    this.#expected.clear();
  }

  async #listen(): Promise<number> {
    const server = net.createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      // Stays: should the system run out of sockets later on, there is an error for each that is not accepted.
      server.on('error', reject);
      server.listen(0, LOOPBACK, () => resolve());
    });
    server.unref();
    return (server.address() as net.AddressInfo).port;
  }

  #accept(socket: net.Socket): void {
    socket.on('error', () => {}); // 'close' follows
    if (++this.#strangers > MAX_STRANGERS) socket.destroy();
    let head: Buffer | undefined = Buffer.alloc(0);
    let reader: FrameWireReader | undefined;
    const timer = this.#clock.after(TOKEN_LIMIT_MS, () => socket.destroy());
    const known = () => {
      if (!head) return;
      head = undefined;
      this.#strangers--;
      timer.cancel();
    };
    socket.on('close', known);
    socket.on('data', (chunk: Buffer) => {
      let rest = chunk;
      if (head) {
        head = Buffer.concat([head, chunk]);
        if (head.length < TOKEN_CHARACTERS) return;
        rest = head.subarray(TOKEN_CHARACTERS);
        reader = this.#admit(head.subarray(0, TOKEN_CHARACTERS), socket);
        known();
      }
      try {
        if (reader) reader.read(rest);
        else socket.destroy();
      } catch {
        socket.destroy();
      }
    });
  }

  #admit(token: Buffer, socket: net.Socket): FrameWireReader | undefined {
    let found: Expected | undefined;
    for (const expected of this.#expected) {
      if (timingSafeEqual(expected.token, token) && !expected.socket) found = expected;
    }
    if (!found) return undefined;
    found.socket = socket;
    const { onUnit } = found;
    return new FrameWireReader((unit) => onUnit({ ...unit, dueAt: fromMachineTime(unit.dueAt) }));
  }
}
