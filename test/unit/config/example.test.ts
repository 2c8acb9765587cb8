import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isMap, isSeq, parseDocument } from 'yaml';
import { z } from 'zod';
import { VARIABLES } from '../../../config/environment.ts';
import { loadConfig } from '../../../config/load.ts';
import { configSchema } from '../../../config/schema.ts';

const FILE = fileURLToPath(new URL('../../../config/patchroom.example.yaml', import.meta.url));
const text = fs.readFileSync(FILE, 'utf8');
const example = parseDocument(text);

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly default?: unknown;
}

interface Key {
  readonly path: string[];
  readonly default?: unknown;
}

/** Every key of a schema, with its default where it has one; a list's entries have the number 0. */
function keysOf({ properties = {}, items }: JsonSchema, path: string[] = []): Key[] {
  if (items) return keysOf(items, [...path, '0']);
  return Object.entries(properties).flatMap(([name, schema]) => [
    { path: [...path, name], ...('default' in schema ? { default: schema.default } : {}) },
    ...keysOf(schema, [...path, name]),
  ]);
}

/** The sections of the file are of the schema's: what they default to is made of their keys' defaults. */
const KEYS = keysOf(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema).filter(
  ({ path }) => path.length > 1,
);

/** All keys of the file, and those that a comment names as `key`. */
function keysInExample(): Set<string> {
  const found = new Set<string>();
  const visit = (node: unknown, path: string[]): void => {
    if (isSeq(node)) for (const item of node.items) visit(item, [...path, '0']);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      found.add([...path, String(key)].join('.'));
      visit(value, [...path, String(key)]);
    }
  };
  visit(example.contents, []);
  return found;
}

/** The comment above a key of a section. */
function commentOf(path: readonly string[]): string {
  const lines = text.split('\n');
  const section = lines.indexOf(`${path[0]}:`);
  const at = lines.findIndex((line, index) => index > section && line.startsWith(`  ${path[1]}:`));
  const above = lines.slice(section + 1, at);
  const start = above.findLastIndex((line) => !line.trim().startsWith('#'));
  return above
    .slice(start + 1)
    .map((line) => line.trim().slice(1).trim())
    .join(' ');
}

test('the example file is a good config file', () => {
  expect(loadConfig(FILE, {})).toMatchObject({ demo: false, http: { port: 8080 } });
});

test('the schema has keys to compare with', () => {
  const names = KEYS.map(({ path }) => path.join('.'));
  expect(names).toEqual(expect.arrayContaining(['http.port', 'http.tls.cert', 'webrtc.iceServers.0.secret']));
});

describe('the example shows', () => {
  const shown = keysInExample();

  test.each(KEYS.map(({ path }) => [path.join('.')]))('the key %s', (key) => {
    const path = key.split('.');
    // Alternatives to what is shown are named in the comment.
    const named = commentOf(path).includes(`\`${path.at(-1)}\``) && path.length > 2;
    expect(shown.has(key) || named).toBe(true);
  });

  test.each(KEYS.filter((key) => 'default' in key).map((key) => [key.path.join('.'), key.default]))(
    'the default of %s, %j',
    (key, value) => {
      const path = (key as string).split('.');
      if (commentOf(path).includes('Default: none')) expect(value).toEqual([]);
      else expect(example.toJS()).toHaveProperty(path, value);
    },
  );

  test.each(KEYS.filter(({ path }) => path.length === 2).map(({ path }) => [path.join('.')]))(
    'a comment on %s',
    (key) => {
      const path = key.split('.');
      // Keys that share a comment follow each other.
      const shared = key === 'webrtc.maxConnectionsPerAddress' ? ['webrtc', 'maxConnections'] : path;
      expect(commentOf(shared)).toMatch(/\w/);
    },
  );

  test.each(Object.entries(VARIABLES))(
    'the variable %s beside the key that it overrides',
    (variable, { key }) => {
      expect(commentOf(key)).toContain(variable);
    },
  );
});
