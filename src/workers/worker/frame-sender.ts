import net from 'node:net';
import { toMachineTime } from '../../base/machine-time.ts';
import type { SourceUnit, VideoFormat } from '../../media/access-unit.ts';
import type { FrameSender } from '../../media/frame-sender.ts';
import { writeFormat, writeUnit } from '../../media/frame-wire.ts';
import type { FrameAddress } from '../../room/track.ts';

const LOOPBACK = '127.0.0.1';
/** What waits in this process: above, units are left out up to the next key frame. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/** Sends one participant's video to the worker that makes a program of it. */
export function openFrameSender({ port, token }: FrameAddress, onClose: () => void): FrameSender {
  const socket = net.connect({ host: LOOPBACK, port, noDelay: true });
  let waitsForKey = false;
  let format: VideoFormat | undefined;
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', onClose);
  socket.resume();
  socket.write(token);
  return {
    send: (unit: SourceUnit) => {
      if (socket.destroyed) return;
      if (socket.writableLength > MAX_QUEUED_BYTES) waitsForKey = true;
      else if (unit.key) waitsForKey = false;
      if (waitsForKey) return;
      const [header, data] = writeUnit({ ...unit, dueAt: toMachineTime(unit.dueAt) });
      socket.cork();
      if (unit.format !== format) socket.write(writeFormat(unit.format));
      format = unit.format;
      socket.write(header);
      socket.write(data);
      socket.uncork();
    },
    close: () => socket.destroy(),
  };
}
