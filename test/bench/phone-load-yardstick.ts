// A process that does as little as a room of phones can cost in Node: the yardstick for what the product costs.
import dgram from 'node:dgram';
import { LINEAR_TO_MU_LAW, MU_LAW_TO_LINEAR } from '../../src/media/g711.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../src/media/rtp/rtp.ts';
import { FRAME_MS, FRAME_SAMPLES, SILENCE } from './phone-load-sound.ts';

const ADDRESS = '127.0.0.1';
/** Frames of one caller that wait for the next beat; the oldest goes when there are more. */
const MAX_WAITING = 2;

interface Caller {
  readonly socket: dgram.Socket;
  readonly packet: Buffer;
  readonly waiting: Buffer[];
  port: number;
  address: string;
}

process.on('disconnect', () => process.exit(0));

const callers: Caller[] = [];
const sums = new Int32Array(FRAME_SAMPLES);
const shared = Buffer.alloc(FRAME_SAMPLES);
let frame = 0;
let dueAt = performance.now();

for (let index = 0; index < Number(process.argv[2]); index++) {
  const socket = dgram.createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  await new Promise<void>((resolve) => socket.bind(0, ADDRESS, resolve));
  const packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES);
  const caller: Caller = { socket, packet, waiting: [], port: 0, address: '' };
  socket.on('message', (received, from) => {
    caller.port = from.port;
    caller.address = from.address;
    const payload = received.subarray(RTP_HEADER_BYTES);
    if (SILENCE.equals(payload)) return;
    if (caller.waiting.push(payload) > MAX_WAITING) caller.waiting.shift();
  });
  callers.push(caller);
}

/** One sum of all who talk, encoded once, sent to everybody. */
function beat(): void {
  sums.fill(0);
  for (const { waiting } of callers) {
    const payload = waiting.shift();
    if (!payload) continue;
    for (let at = 0; at < FRAME_SAMPLES; at++) sums[at]! += MU_LAW_TO_LINEAR[payload[at]!]!;
  }
  for (let at = 0; at < FRAME_SAMPLES; at++) {
    shared[at] = LINEAR_TO_MU_LAW[(Math.max(-32768, Math.min(32767, sums[at]!)) >> 2) & 0x3fff]!;
  }
  const header = { payloadType: 0, marker: false, sequenceNumber: frame & 0xffff, timestamp: 0, ssrc: 1 };
  header.timestamp = (frame * FRAME_SAMPLES) >>> 0;
  for (const { socket, packet, port, address } of callers) {
    if (port === 0) continue;
    writeRtpHeader(packet, header);
    shared.copy(packet, RTP_HEADER_BYTES);
    socket.send(packet, 0, packet.length, port, address);
  }
  frame++;
}

function wait(): void {
  for (; dueAt <= performance.now(); dueAt += FRAME_MS) beat();
  setTimeout(wait, Math.max(0, dueAt - performance.now()));
}
wait();
process.send!(callers.map(({ socket }) => ({ address: ADDRESS, port: socket.address().port })));
