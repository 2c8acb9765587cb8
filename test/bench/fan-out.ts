import net from 'node:net';
import { pathToFileURL } from 'node:url';
import { gateways } from '../../gateways/index.ts';
import type { GatewayModule } from '../../src/gateway.ts';
import { extractExample } from '../contract/example.ts';
import { launchBrowser, Person } from '../peers/browser.ts';
import { packetsReceived } from '../peers/in-page.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { median } from './median.ts';
import { cpuMs } from './process-cpu.ts';

const SOURCES = 20;
const PAGES = 4;
const RUNS = 5;
const WINDOW_S = 6;

/**
 * What it costs to forward to browsers: 20 tones of 50 packets a second from a media worker, through
 * the hub, to 4 pages of a headless Chromium over SRTP. CPU of the hub worker for every 1,000 packets
 * a second that the pages receive (and a quarter of that, which the hub takes in).
 */
export async function fanOut(): Promise<Record<string, number>> {
  const { intercom } = (await import(pathToFileURL(extractExample()).href)) as { intercom: GatewayModule };
  const server = await startServer({
    gateways: [...gateways, intercom],
    sections: { intercom: { port: 0 } },
  });
  const browser = await launchBrowser();
  const port = Number(
    server.waysIn
      .find(([name]) => name === 'intercom')![1]
      .split(':')
      .at(-1),
  );
  const sources = Array.from({ length: SOURCES }, (_, index) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.write(`JOIN bench tone-${index}\n`);
    return socket;
  });
  const room = await roomNamed(server, 'bench');
  for (const [index, socket] of sources.entries()) {
    const participant = await participantNamed(room, `tone-${index}`);
    socket.write('TONE 440\n');
    await publishing(participant, 1);
  }
  const pages: Person[] = [];
  for (let index = 0; index < PAGES; index++) {
    const person = await Person.open(browser, server, { name: `page-${index}`, room: 'bench' });
    for (const label of ['Microphone', 'Camera'])
      await person.page.getByRole('combobox', { name: label }).selectOption('off');
    await person.join();
    pages.push(person);
  }
  const { hubWorkerPid } = server.plane.placement(room);
  const received = async () => {
    const counts = await Promise.all(pages.map(({ page }) => page.evaluate(packetsReceived)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  await pages[0]!.hears(440);

  const percents: number[] = [];
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const [packetsBefore, cpuBefore, startedAt] = [await received(), cpuMs(hubWorkerPid!), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, WINDOW_S * 1000));
    const [packets, cpu] = [(await received()) - packetsBefore, cpuMs(hubWorkerPid!) - cpuBefore];
    const seconds = (performance.now() - startedAt) / 1000;
    rates.push(packets / seconds);
    percents.push(((cpu / seconds / 10) * 1000) / (packets / seconds));
  }
  for (const socket of sources) socket.destroy();
  await browser.close();
  await server.stop();
  return { 'packets/s to browsers': median(rates), '% of a core per 1,000 packets/s': median(percents) };
}
