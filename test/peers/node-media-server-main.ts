// The child of NodeMediaServerRelay: node-media-server, and its relay for whatever is published to it.
// Arguments: its port, the address to relay to (with the key), a folder for what it stores.
import { createRequire } from 'node:module';

const [port, target, folder] = process.argv.slice(2);
const NodeMediaServer = createRequire(import.meta.url)('node-media-server'); // it has no types

const server = new NodeMediaServer({
  bind: '127.0.0.1',
  rtmp: { port: Number(port) },
  store: { path: folder },
});
server.on('postPublish', ({ streamPath }: { streamPath: string }) => {
  // The event comes before the stream can be subscribed to. A task that has ended stays in its table.
  setImmediate(() => {
    server.relayServer.removeTask(`push:${target}`);
    server.relayServer.addTask({ url: target, mode: 'push', streamPath, reconnectInterval: 250 });
  });
});
await server.run();
if (!server.rtmpServer.tcpServer.listening) {
  await new Promise((resolve) => server.rtmpServer.tcpServer.once('listening', resolve));
}
process.send!('ready');
process.once('disconnect', () => process.exit());
