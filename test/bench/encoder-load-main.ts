// The load's process: started by encoder-load.ts, does what it is asked one after the other, ends with its parent.
import { setTimeout as delay } from 'node:timers/promises';
import { loop, makeClip } from '../peers/flv-clip.ts';
import { RtmpPublisher } from '../peers/rtmp-publisher.ts';
import type { LoadReply, LoadRequest } from './encoder-load.ts';

const TAKEN = 'NetStream.Publish.Start';

interface Stream {
  readonly publisher: RtmpPublisher;
  readonly startedAt: number;
  bytes: number;
}

let streams: Stream[] = [];

async function publish({ port, keys, clip, spreadMs }: Extract<LoadRequest, { type: 'publish' }>) {
  const tags = await makeClip(clip);
  for (const key of keys) {
    const publisher = await RtmpPublisher.connect({ port });
    const status = await publisher.publish(key);
    if (status !== TAKEN) throw new Error(`${key}: ${status}`);
    const stream: Stream = { publisher, startedAt: performance.now(), bytes: 0 };
    streams.push(stream);
    const onTag = ({ body }: { body: Buffer }) => {
      stream.bytes += body.length;
    };
    void publisher.playFlv(loop(tags), { paced: true, onTag });
    await delay(spreadMs / keys.length);
  }
}

async function end(): Promise<number> {
  const now = performance.now();
  const rates = streams.map(({ bytes, startedAt }) => (bytes * 8000) / (now - startedAt));
  await Promise.all(streams.map(({ publisher }) => publisher.close()));
  streams = [];
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

async function handle(request: LoadRequest): Promise<LoadReply> {
  if (request.type === 'end') return { bitrateBps: await end() };
  await publish(request);
  return {};
}

process.on('message', (request) => {
  handle(request as LoadRequest).then(
    (reply) => process.send!(reply),
    (error: Error) => process.send!({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send!({});
