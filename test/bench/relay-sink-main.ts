// The sink's process: started by relay-sink.ts.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { RtmpError } from '../../gateways/rtmp/protocol/rtmp-error.ts';
import { ServerSession } from '../../gateways/rtmp/server/server-session.ts';
import { toMachineTime } from '../../src/base/machine-time.ts';
import { parseFlvAudio, parseFlvVideo } from '../../src/media/containers/flv/flv.ts';
import { answerRequests } from './relay-end.ts';
import { type RelayFrame, tailOf } from './relay-frame.ts';
import type { SinkRequest, Taken } from './relay-sink.ts';

/** Half a minute of five streams; what comes on top is counted only. */
const MOST_FRAMES = 12_000;

const keepsBodies = process.argv.includes('bodies');
let frames: RelayFrame[] = [];
let began = new Map<string, number>();
let connections = 0;
let dropped = 0;
let videoConfig: Buffer | undefined;

function serve(socket: net.Socket): void {
  let key = '';
  let hasBegun = false;
  // When the bytes that are being read came.
  let atMs = 0;
  const note = () => {
    if (!hasBegun) began.set(key, atMs);
    hasBegun = true;
  };
  const keep = (frame: Omit<RelayFrame, 'key' | 'atMs' | 'tail' | 'body'>, body: Buffer) => {
    if (frames.length >= MOST_FRAMES) dropped++;
    else frames.push({ ...frame, key, atMs, tail: tailOf(body), ...(keepsBodies ? { body } : {}) });
  };
  const session: ServerSession = new ServerSession(
    {
      send: (buffers) => {
        for (const buffer of buffers) socket.write(buffer);
      },
      publish: (request) => {
        key = request.key;
        connections++;
        // The session is in the middle of a message.
        queueMicrotask(() => session.admit());
      },
      audio: (body, timestampMs) => {
        note();
        if (parseFlvAudio(body)?.packet !== 'frame') return;
        keep({ kind: 'audio', isKey: true, timestampMs, shownMs: timestampMs }, body);
      },
      video: (body, timestampMs) => {
        note();
        const video = parseFlvVideo(body);
        if (video?.packet === 'config' && keepsBodies) videoConfig = body;
        if (video?.packet !== 'frame') return;
        const shownMs = timestampMs + video.compositionMs;
        keep({ kind: 'video', isKey: video.frame === 'key', timestampMs, shownMs }, body);
      },
      metadata: () => {},
      unpublished: () => {},
    },
    { random: randomBytes, now: () => performance.now() },
  );
  socket.on('error', () => {}); // 'close' follows
  socket.on('data', (bytes: Buffer) => {
    atMs = toMachineTime(performance.now());
    try {
      session.receive(bytes);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      socket.destroy();
    }
  });
}

function take(): Taken {
  const taken = { frames, began, connections, dropped, videoConfig };
  frames = [];
  began = new Map();
  connections = 0;
  dropped = 0;
  return taken;
}

const server = net.createServer(serve).listen(0, '127.0.0.1');
await once(server, 'listening');
answerRequests<SinkRequest>(({ type }) =>
  type === 'port' ? (server.address() as net.AddressInfo).port : take(),
);
