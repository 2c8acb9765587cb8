import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EgressClient, EgressStatus } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../config/load.ts';
import { selfSignedCertificate } from '../peers/certificate.ts';
import { type Block, blocksOf, type Exception, formOf, withoutExceptions } from '../peers/documentation.ts';
import { EncoderProcess } from '../peers/encoder-process.ts';
import { FfmpegPush } from '../peers/ffmpeg-push.ts';
import { freePort, listensOnTcp } from '../peers/ports.ts';
import { descendantsOf, isAlive } from '../peers/processes.ts';
import { type Ended, Shell } from '../peers/shell.ts';
import { SignallingClient } from '../peers/signalling-client.ts';
import { silentBaresip } from '../peers/silent-baresip.ts';

/** Whatever the README and the guides tell their readers to type is typed, and its effects are looked at. */

/** What one page starts is still there for the next ones. */
const PAGES = [
  'docs/guides/encoders.md',
  'docs/guides/cdn.md',
  'README.md',
  'docs/guides/phones.md',
  'docs/guides/install.md',
  'docs/guides/metrics.md',
  'gateways/README.md',
];

const EXCEPTIONS: readonly Exception[] = [
  { page: 'README.md', part: 'npm test', reason: 'is what runs this test' },
  { page: 'docs/guides/install.md', part: 'apt-get', reason: 'changes the machine' },
  { page: 'docs/guides/install.md', part: 'useradd', reason: 'changes the machine' },
  { page: 'docs/guides/install.md', part: 'git clone', reason: 'has no address of the repository' },
  { page: 'docs/guides/install.md', part: 'npm run setup', reason: 'builds the worker anew in /var/cache' },
  { page: 'docs/guides/install.md', part: '[Service]', reason: 'is for systemd' },
  { page: 'docs/guides/phones.md', part: '[patchroom]', reason: "is Asterisk's" },
  { page: 'docs/guides/phones.md', part: 'exten =>', reason: "is Asterisk's" },
  { page: 'docs/guides/metrics.md', part: 'scrape_configs', reason: "is Prometheus's" },
];

/** What is done with a block, and what has to come of it. */
interface Scenario {
  readonly page: string;
  /** Somewhere in the block, and in no other of its page. */
  readonly part: string;
  /** @param text - what is to be run, with the ports and folders of this test */
  run(text: string, block: Block): Promise<void>;
}

const blocks = PAGES.flatMap(blocksOf);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-documentation-'));
const cdn = path.join(folder, 'cdn');
const ports = { http: '', sip: '', rtmp: '', cdn: '' };
const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATCHROOM_HTTP_PORT: '0',
  PATCHROOM_WEBRTC_PORT: '0',
  PATCHROOM_SIP_PORT: '0',
  PATCHROOM_RTMP_PORT: '0',
  PATCHROOM_HUB_WORKERS: '1',
  PATCHROOM_MEDIA_WORKERS: '1',
};
const startEnv = { ...env };
let product: Shell | undefined;

beforeAll(async () => {
  const { cert, key } = selfSignedCertificate(folder);
  fs.renameSync(cert, path.join(folder, 'fullchain.pem'));
  fs.renameSync(key, path.join(folder, 'privkey.pem'));
  silentBaresip(path.join(folder, 'baresip'));
  ports.cdn = String(await freePort());
  const [first] = blocks.filter(({ page }) => page === 'README.md');
  const started = Shell.start(withoutExceptions(first!, EXCEPTIONS), { env: startEnv, folder });
  product = started;
  await starts(started);
  const port = (pattern: RegExp) => pattern.exec(started.output)![1]!;
  ports.http = port(/health +http:\/\/127\.0\.0\.1:(\d+)\/healthz/);
  ports.sip = port(/sip:demo@127\.0\.0\.1:(\d+)/);
  ports.rtmp = port(/rtmp:\/\/127\.0\.0\.1:(\d+)\/live/);
  env.PATCHROOM_HTTP_PORT = ports.http;
});
afterAll(async () => {
  await EncoderProcess.killAll();
  product?.signal('SIGINT');
  await product?.ended();
  await Shell.killAll();
  stopCdn();
  fs.rmSync(folder, { recursive: true });
});

/** The nginx that a page leaves in the background: the shell that started it is gone. */
function stopCdn(): void {
  const file = path.join(cdn, 'pid');
  if (fs.existsSync(file)) process.kill(Number(fs.readFileSync(file, 'utf8')), 'SIGKILL');
}

function withOurs(text: string): string {
  return (
    text
      .replace(/\b8080\b/g, ports.http)
      .replace(/\b5060\b/g, ports.sip)
      // Which is SIP's own where none is said: a registration would come to us as well.
      .replaceAll('<sip:me@127.0.0.1>', `<sip:me@127.0.0.1:${ports.sip}>`)
      .replace(/\b1935\b/g, ports.rtmp)
      .replace(/\b19350\b/g, ports.cdn)
      .replaceAll('/tmp/cdn', cdn)
      .replace(/\b(my\.yaml|fullchain\.pem|privkey\.pem)\b/g, `${folder}/$1`)
      .replaceAll('baresip -e', `baresip -f ${folder}/baresip -e`)
  );
}

async function starts(shell: Shell): Promise<void> {
  await vi.waitFor(() => expect(shell.output).toMatch(/health +http.*\n/), { timeout: 60_000, interval: 50 });
}

/** By Ctrl-C. */
async function stops(shell: Shell): Promise<void> {
  const children = descendantsOf(shell.pid);
  shell.signal('SIGINT');
  await shell.ended();
  await expect.poll(() => children.filter(isAlive)).toEqual([]);
}

function done({ code, output }: Ended): string {
  expect(code, output).toBe(0);
  return output;
}

const typed = async (text: string, input?: string) => done(await Shell.run(text, { env, folder, input }));

async function api(route: string, token?: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${ports.http}${route}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: response.status, text: await response.text() };
}

interface ListedParticipant {
  readonly name: string;
  readonly kind: string;
  readonly identity: string;
  readonly tracks: readonly { readonly kind: string }[];
}

/** Who is in a room. */
async function participants(room: string): Promise<ListedParticipant[]> {
  const { status, text } = await api(`/api/rooms/${room}`);
  return status === 200 ? JSON.parse(text).participants : [];
}

/** `kind name: kinds of tracks`, for each. */
async function whoPublishes(room: string): Promise<string[]> {
  const all = await participants(room);
  return all.map(({ kind, name, tracks }) => `${kind} ${name}: ${tracks.map((track) => track.kind).sort()}`);
}

/** Of those that were not stopped: these are listed for a while. */
async function relayStates(): Promise<string[]> {
  const { relays } = JSON.parse((await api('/api/rooms/demo/relays')).text);
  return relays.map(({ state }: { state: string }) => state).filter((state: string) => state !== 'ended');
}

async function stopRelays(): Promise<void> {
  const egress = new EgressClient(`http://127.0.0.1:${ports.http}`, 'devkey', 'secret');
  for (const { egressId } of await egress.listEgress({ active: true })) await egress.stopEgress(egressId);
}

/** A file with that in it is taken as the configuration, and has what it says. */
async function isConfiguration(text: string): Promise<void> {
  const file = path.join(folder, 'my.yaml');
  const keys = 'api: { keys: { mine: a-secret-that-is-long-enough-for-anybody } }\n';
  // It is not started with the secrets that stand there for anybody to read.
  const own = text.replaceAll('a-random-secret', 'what-nobody-else-knows');
  fs.writeFileSync(file, /^api:/m.test(own) ? own : `${own}${keys}`);
  expect(loadConfig(file, {})).toMatchObject({ ...parse(own), demo: false });
}

async function startsAndStops(text: string, block: Block): Promise<void> {
  const shell = Shell.start(text, { env: { ...startEnv, PATCHROOM_BIND: '127.0.0.1' }, folder });
  await starts(shell);
  const isDemo = !block.text.includes('--config');
  expect(shell.output.includes('demo mode')).toBe(isDemo);
  await stops(shell);
}

const SCENARIOS: readonly Scenario[] = [
  {
    page: 'docs/guides/encoders.md',
    part: 'ffmpeg -re',
    async run(text) {
      const push = Shell.start(text, { env, folder });
      await expect.poll(() => whoPublishes('demo')).toEqual(['encoder Studio: audio,video']);
      push.signal('SIGINT');
      await push.ended();
      await expect.poll(() => participants('demo')).toEqual([]);
    },
  },
  { page: 'docs/guides/encoders.md', part: 'tlsPort', run: isConfiguration },
  {
    page: 'docs/guides/cdn.md',
    part: 'nginx -p',
    async run(text) {
      await typed(text);
      await expect.poll(() => listensOnTcp(Number(ports.cdn))).toBe(true);
    },
  },
  {
    page: 'docs/guides/cdn.md',
    part: 'relay list',
    async run(text) {
      // "With somebody in the room", here and on the next page.
      FfmpegPush.start(`rtmp://127.0.0.1:${ports.rtmp}/live/demo?name=Ann`);
      await expect.poll(() => whoPublishes('demo')).toEqual(['encoder Ann: audio,video']);
      await typed(text);
      await expect.poll(relayStates).toEqual(['live']);
    },
  },
  {
    page: 'docs/guides/cdn.md',
    part: 'ffprobe',
    async run(text) {
      await expect
        .poll(async () => (await Shell.run(text, { env, folder })).output)
        .toMatch(/Video: h264.*Audio: aac/s);
    },
  },
  {
    page: 'docs/guides/cdn.md',
    part: 'relay start demo -',
    async run(text) {
      const output = await typed(text, `rtmp://127.0.0.1:${ports.cdn}/live/from-its-input\n`);
      expect(output).not.toContain('from-its-input');
      await expect.poll(relayStates).toEqual(['live', 'live']);
    },
  },
  { page: 'docs/guides/cdn.md', part: 'outputs:', run: isConfiguration },
  {
    page: 'docs/guides/cdn.md',
    part: 'EgressClient',
    async run(text) {
      expect(done(await Shell.runScript(text, { env, folder }))).toContain(
        'streamResults: [ [StreamInfo], [StreamInfo] ]',
      );
      const egress = new EgressClient(`http://127.0.0.1:${ports.http}`, 'devkey', 'secret');
      const all = await egress.listEgress({ roomName: 'demo' });
      const ended = all.filter((one) => one.streamResults.length === 2);
      expect(ended).toHaveLength(1);
      await expect
        .poll(async () => {
          const [one] = await egress.listEgress({ egressId: ended[0]!.egressId });
          return EgressStatus[one!.status];
        })
        .toMatch(/COMPLETE|ABORTED/);
      expect(await relayStates()).toEqual(['live', 'live']);
    },
  },
  {
    page: 'docs/guides/cdn.md',
    part: 'curl',
    async run(text) {
      const output = await typed(text);
      expect(output).toMatch(/^\{"pinned":null,"shown":.*\}\{"relays":\[\{.*"state":"live"/);
      await stopRelays();
      await expect.poll(relayStates).toEqual([]);
    },
  },
  {
    page: 'docs/guides/cdn.md',
    part: '--record',
    async run(text) {
      const token = (await typed(text)).trim();
      const statuses = [token, `${token}x`].map(
        async (one) => (await api('/api/rooms/demo/relays', one)).status,
      );
      expect(await Promise.all(statuses)).toEqual([200, 401]);
    },
  },
  {
    page: 'README.md',
    part: 'npm start    #',
    async run() {
      // It is what all of this runs on.
      const [message] = /^Patchroom .*?health[^\n]*/ms.exec(product!.output)!;
      expect(formOf(fs.readFileSync('README.md', 'utf8'))).toEqual(expect.arrayContaining(formOf(message)));
      expect((await api('/healthz')).status).toBe(200);
      expect((await api('/demo')).text).toContain('<html');
    },
  },
  {
    page: 'README.md',
    part: './patchroom rooms',
    run: async (text) => expect(await typed(text)).toMatch(/^ROOM +PARTICIPANTS +PUBLISHED\ndemo +\S/m),
  },
  {
    page: 'README.md',
    part: 'relay list',
    async run(text, block) {
      // Those of the page before are listed for a while.
      const running = (printed: string) => formOf(printed).filter((line) => !line.includes(' ended '));
      const printed = running(await typed(text));
      await expect.poll(relayStates).toEqual(['live']);
      const [list] = text.trim().split('\n').slice(-1);
      const shown = formOf(block.prints!);
      expect(printed.slice(0, 2)).toEqual(shown.slice(0, 2));
      // Its figures come a little later than its state.
      await expect.poll(async () => running(await typed(list!))).toEqual(shown.slice(1));
      await stopRelays();
    },
  },
  { page: 'README.md', part: 'announce:', run: isConfiguration },
  { page: 'README.md', part: '--config', run: startsAndStops },
  {
    page: 'README.md',
    part: 'RoomServiceClient',
    async run(text) {
      const output = done(await Shell.runScript(text, { env, folder }));
      const url = `http://127.0.0.1:${ports.http}`;
      expect(output.startsWith(`${url}/standup?token=`)).toBe(true);
      expect((await fetch(output.trim())).status).toBe(200);
      const room = JSON.parse((await api('/api/rooms/standup')).text);
      expect(room.limits.maxParticipants).toBe(20);
      const ann = await SignallingClient.open({ url });
      const token = new URL(output.trim()).searchParams.get('token')!;
      await ann.ask('join', { room: 'standup', token });
      expect(await participants('standup')).toMatchObject([{ identity: 'ann', name: 'Ann' }]);
      ann.close();
    },
  },
  {
    page: 'docs/guides/phones.md',
    part: 'baresip',
    async run(text) {
      const baresip = Shell.start(text, { env, folder });
      await expect.poll(() => whoPublishes('demo')).toContain('phone me: audio');
      baresip.signal('SIGTERM');
      await baresip.ended();
      // REGISTER is one.
      const { sip } = JSON.parse((await api('/api/server')).text).gateways;
      expect(sip).toMatchObject({ callsTotal: 1, methodNotAllowed: 0 });
    },
  },
  { page: 'docs/guides/phones.md', part: 'allow:', run: isConfiguration },
  { page: 'docs/guides/install.md', part: 'npm start', run: startsAndStops },
  {
    page: 'docs/guides/metrics.md',
    part: '--list',
    async run(text) {
      const token = (await typed(text)).trim();
      const { status, text: metrics } = await api('/metrics', token);
      expect([status, metrics]).toEqual([200, expect.stringContaining('\npatchroom_rooms ')]);
      expect((await api('/metrics', `${token}x`)).status).toBe(401);
    },
  },
];

const scenariosOf = ({ page, text }: Block) =>
  SCENARIOS.filter((one) => one.page === page && text.includes(one.part));
const nameOf = ({ line, text }: Block) => `line ${line}: ${text.trim().split('\n')[0]}`;

test('each block is run or excepted with a reason, and nothing else is', () => {
  const unclear = blocks.filter((block) => {
    const isRun = withoutExceptions(block, EXCEPTIONS) !== '';
    return scenariosOf(block).length !== (isRun ? 1 : 0);
  });
  expect(unclear.map((block) => `${block.page}, ${nameOf(block)}`)).toEqual([]);
  const appliesTo = ({ page, part }: { page: string; part: string }) =>
    blocks.filter((block) => block.page === page && block.text.includes(part)).length;
  expect(EXCEPTIONS.filter((exception) => appliesTo(exception) === 0)).toEqual([]);
  expect(SCENARIOS.filter((scenario) => appliesTo(scenario) !== 1)).toEqual([]);
});

for (const page of PAGES) {
  const run = blocks.filter((block) => block.page === page && scenariosOf(block).length === 1);
  if (run.length === 0) continue;
  describe(page, () => {
    test.each(run.map((block) => [nameOf(block), block] as const))('%s', async (_name, block) => {
      await scenariosOf(block)[0]!.run(withOurs(withoutExceptions(block, EXCEPTIONS)), block);
    });
  });
}
