import net from 'node:net';
import { PatchroomError } from '../../../src/gateway.ts';

/**
 * Accepts TCP connections, paused and unread, so that another process can have them.
 * @param port - 0: any that is free
 * @throws PatchroomError 'unavailable' in a sentence when the port cannot be had
 */
export async function listen(
  bind: string,
  port: number,
  onSocket: (socket: net.Socket) => void,
): Promise<net.Server> {
  const server = net.createServer({ pauseOnConnect: true }, onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new PatchroomError(
          'unavailable',
          `Port ${port} on ${bind} cannot be used for RTMP: ${error.message}. Free it or set rtmp.port (PATCHROOM_RTMP_PORT) to another.`,
        ),
      ),
    );
    server.listen(port, bind, resolve);
  });
  server.on('error', () => {}); // of single connections that went before they were accepted
  return server;
}
