import { describe, expect, test } from 'vitest';
import { circles, parse, pathsIn, type SourceFile, sourceFiles } from './support/source-files.ts';

/* Who may import whom, and other rules of the architecture (docs/architecture.md). */

const FOLDERS = ['src', 'gateways', 'transcode', 'config'];
const files = sourceFiles(FOLDERS);
const within = (places: readonly string[]) => (name: string) =>
  places.some((place) => (place.endsWith('/') ? name.startsWith(place) : name === place));

/**
 * The floors of the house, the lowest first. A file may import its own folder and what lies on lower floors; folders that
 * share a floor know nothing of each other.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['src/base/'],
  ['src/media/'],
  ['src/room/'],
  ['transcode/'],
  ['src/workers/'],
  ['src/ingest/', 'src/outputs/'],
  ['src/gateway.ts'],
  ['gateways/index.ts', ...foldersIn('gateways')],
  ['src/api/', 'src/console/'],
  ['src/main.ts', 'src/server.ts', 'src/cli/', 'config/'],
];
/** These stand on their floor's own shoulders: the list of gateways imports each of them, and the top is one room. */
const SHARED_FLOORS = ['gateways/index.ts', 'src/main.ts', 'src/server.ts', 'src/cli/', 'config/'];

/** Every folder of a floor, such as `gateways/sip/`. */
function foldersIn(folder: string): string[] {
  return [...new Set(files.flatMap(({ path }) => new RegExp(`^${folder}/[^/]+/`).exec(path) ?? []))];
}

function placeOf(path: string): { floor: number; place: string } {
  for (const [floor, places] of FLOORS.entries()) {
    const place = places.find((one) => within([one])(path));
    if (place) return { floor, place };
  }
  throw new Error(`${path} stands on no floor.`);
}

function filesIn(place: string): SourceFile[] {
  const found = files.filter(({ path }) => path.startsWith(place));
  if (found.length === 0) throw new Error(`No files in ${place}: the rule would hold for nothing.`);
  return found;
}

describe('imports run downwards only', () => {
  test.each(FLOORS.flat().map((place) => [place]))('%s imports its own files and lower floors', (place) => {
    const strays = filesIn(place).flatMap(({ path, imports }) =>
      imports.flatMap(({ target, own }) => {
        if (!own) return [];
        const from = placeOf(path);
        const to = placeOf(target);
        const isShared = SHARED_FLOORS.includes(from.place) && from.floor === to.floor;
        const isDown = to.floor < from.floor || to.place === from.place || isShared;
        return isDown ? [] : [`${path} -> ${target}`];
      }),
    );
    expect(strays).toEqual([]);
  });

  test('no file imports itself by way of others, types included', () => {
    expect(circles(files)).toEqual([]);
  });

  test('the page imports the signalling messages and the vocabulary of rooms alone', () => {
    const permitted = within(['src/console/', 'gateways/webrtc/messages.ts', 'src/room/vocabulary.ts']);
    const strays = filesIn('src/console/').flatMap(({ path, imports }) =>
      imports.flatMap(({ target, own }) => (own && !permitted(target) ? [`${path} -> ${target}`] : [])),
    );
    expect(strays).toEqual([]);
  });
});

describe('only one place imports', () => {
  const users = (name: string) =>
    files.filter(({ imports }) => imports.some(({ target }) => target === name));

  test.each<[string, string[]]>([
    ['mediasoup', ['src/workers/', 'src/gateway.ts']],
    ['fastify', ['src/api/']],
    ['jose', ['src/api/tokens.ts']],
    ['@livekit/protocol', ['src/api/']],
    ['@bufbuild/protobuf', ['src/api/']],
    ['yaml', ['config/']],
    ['pino', ['src/base/log.ts']],
    ['prom-client', ['src/api/metrics-registry.ts']],
    ['drachtio-srf', ['gateways/sip/signalling.ts']],
    ['sdp-transform', ['gateways/sip/sdp/']],
    ['@evan/opus', ['transcode/audio/opus-codec.ts']],
  ])('%s: %j', (name, places) => {
    const found = users(name).map(({ path }) => path);
    expect(found).not.toEqual([]);
    expect(found.filter((path) => !within(places)(path))).toEqual([]);
  });

  test('computed paths: the media worker, for the media halves of gateways', () => {
    expect(users('?').map(({ path }) => path)).toEqual(['src/workers/worker/worker.ts']);
  });
});

test("gateways see of mediasoup but its types, through the plug-in seam's file", () => {
  const [seam] = filesIn('src/gateway.ts');
  const imports = seam!.imports.filter(({ target }) => target === 'mediasoup');
  expect(imports.map(({ typeOnly }) => typeOnly)).toEqual([true]);
});

test('only the start and the configuration read the environment', () => {
  const readers = files.filter(({ readsEnvironment }) => readsEnvironment).map(({ path }) => path);
  const starts = ['src/main.ts', 'src/cli/main.ts'];
  expect(readers).toEqual(expect.arrayContaining(starts));
  expect(readers.filter((path) => !starts.includes(path) && !path.startsWith('config/'))).toEqual([]);
});

test('no file has more than 400 lines', () => {
  expect(files.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
});

test('no file or folder is called by what it is for nobody in particular', () => {
  const vague = /(^|[/.-])(utils?|helpers?|managers?)([/.-]|$)/i;
  expect(pathsIn([...FOLDERS, 'test']).filter((path) => vague.test(path))).toEqual([]);
});

describe('the rules see', () => {
  const targets = (text: string) => parse('src/media/x.ts', text).imports;

  test.each([
    ["import { a } from '../room/room.ts'", 'src/room/room.ts', false],
    ["import '../log.ts'", 'src/log.ts', false],
    ["import type { A } from '../../gateways/index.ts'", 'gateways/index.ts', true],
    ["export * from './rtp.ts'", 'src/media/rtp.ts', false],
    ["export type { A } from 'mediasoup'", 'mediasoup', true],
    ["const x = await import('mediasoup/node/lib/Worker.js')", 'mediasoup', false],
    ["type X = import('@livekit/protocol/gen').Room", '@livekit/protocol', true],
    ['await import(name)', '?', false],
  ])('%s', (text, target, typeOnly) => {
    expect(targets(text)).toMatchObject([{ target, typeOnly }]);
  });

  test.each([
    ['process.env.HOME', true],
    ["process['env']", true],
    ["import { env } from 'node:process'", true],
    ['const a: NodeJS.ProcessEnv = {}; process.exit(0)', false],
  ])('%s: %o', (text, expected) => {
    expect(parse('src/x.ts', text).readsEnvironment).toBe(expected);
  });
});
