// A media worker's process: started by media-worker.ts, ends when told to or when the main process is gone.
import type { Socket } from 'node:net';
import { createLogger } from '../../base/log.ts';
import { Worker } from './worker.ts';

const log = createLogger('info').child({ process: 'media worker', pid: process.pid });
const worker = new Worker((message) => process.send?.(message, undefined, undefined, () => {}), log);

process.on('message', (message, socket) => void worker.receive(message, socket as Socket | undefined));
process.on('disconnect', () => void worker.close().finally(() => process.exit(0)));
// A terminal's Ctrl-C reaches the whole process group; the main process decides when this one ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
