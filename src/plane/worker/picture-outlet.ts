import net from 'node:net';
import { toMachineTime } from '../../media/machine-time.ts';
import type { SourceConfig, SourcePicture } from '../../media/picture-source.ts';
import { writeSourceConfig, writeSourcePicture } from '../../media/picture-wire.ts';
import type { PictureAddress } from '../../room/track.ts';
import type { PictureOutlet } from '../media-module.ts';

const LOOPBACK = '127.0.0.1';
/** What waits in this process: above, pictures are left out up to the next key frame. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/** Sends one participant's pictures to the worker that makes a program of them. */
export function openPictureOutlet({ port, token }: PictureAddress, onClose: () => void): PictureOutlet {
  const socket = net.connect({ host: LOOPBACK, port, noDelay: true });
  let waitsForKey = false;
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', onClose);
  socket.resume();
  socket.write(token);
  return {
    configure: (config: SourceConfig) => void socket.write(writeSourceConfig(config)),
    send: (picture: SourcePicture) => {
      if (socket.destroyed) return;
      if (socket.writableLength > MAX_QUEUED_BYTES) waitsForKey = true;
      else if (picture.key) waitsForKey = false;
      if (waitsForKey) return;
      const [header, data] = writeSourcePicture({ ...picture, dueAt: toMachineTime(picture.dueAt) });
      socket.cork();
      socket.write(header);
      socket.write(data);
      socket.uncork();
    },
    close: () => socket.destroy(),
  };
}
