import fs from 'node:fs';
import path from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Override, readEnvironment } from './environment.ts';
import { type Config, configSchema, DEMO, DEMO_KEYS } from './schema.ts';

/** What is wrong with the configuration, in sentences that name file, line and key. */
export class ConfigError extends Error {}

/**
 * The configuration in force: the file (if one is named), overridden by the environment; without a
 * file, demo mode.
 * @param file - path, or undefined
 * @throws ConfigError
 */
export function loadConfig(file: string | undefined, environment: NodeJS.ProcessEnv): Config {
  const { overrides, unknown } = readEnvironment(environment);
  if (unknown.length > 0) {
    throw new ConfigError(
      `${unknown.join(', ')}: no such setting (see config/environment.ts for those that exist).`,
    );
  }
  return file === undefined ? demoConfig(overrides) : fileConfig(path.resolve(file), overrides);
}

function demoConfig(overrides: readonly Override[]): Config {
  const input = structuredClone(DEMO) as Record<string, unknown>;
  apply(input, overrides);
  // Its secret is shorter than the schema demands of real ones.
  const parsed = configSchema.omit({ api: true }).safeParse(input);
  if (!parsed.success) throw new ConfigError(explain(parsed.error, overrides));
  const { bind } = parsed.data.network;
  if (!/^(127\.|::1$)/.test(bind)) {
    throw new ConfigError(
      `Demo mode is for this machine only and cannot listen on ${bind}: write a config file (start from config/patchroom.example.yaml).`,
    );
  }
  return { ...parsed.data, api: { keys: { ...DEMO_KEYS } }, demo: true };
}

function fileConfig(file: string, overrides: readonly Override[]): Config {
  const lines = new LineCounter();
  const document = parseDocument(read(file), { lineCounter: lines, prettyErrors: true });
  const [syntax] = document.errors;
  // Its first line; an excerpt of the file follows.
  if (syntax) throw new ConfigError(`${file}: ${syntax.message.split('\n')[0]!.replace(/:$/, '.')}`);
  const input = toInput(document, file);
  apply(input, overrides);
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) throw new ConfigError(explain(parsed.error, overrides, { file, document, lines }));
  const { http } = parsed.data;
  // Paths in the file are relative to the file.
  const tls = http.tls && {
    cert: path.resolve(path.dirname(file), http.tls.cert),
    key: path.resolve(path.dirname(file), http.tls.key),
  };
  return { ...parsed.data, http: { ...http, ...(tls ? { tls } : {}) }, demo: false };
}

/** The file's content as plain values. A section with everything in it commented out counts as left out. */
function toInput(document: Document.Parsed, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${file} is no config file: it must have sections such as "http:".`);
  }
  return Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null));
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      code === 'ENOENT'
        ? `There is no config file ${file}.`
        : `The config file ${file} cannot be read: ${message}`,
    );
  }
}

function apply(input: Record<string, unknown>, overrides: readonly Override[]): void {
  for (const { key, value } of overrides) {
    let section = input;
    for (const name of key.slice(0, -1)) {
      const next = section[name];
      section[name] = typeof next === 'object' && next !== null ? next : {};
      section = section[name] as Record<string, unknown>;
    }
    section[key.at(-1)!] = value;
  }
}

interface Source {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** One sentence for every issue, at most five. */
function explain(error: z.ZodError, overrides: readonly Override[], source?: Source): string {
  const sentences = error.issues.flatMap((issue): string[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${where([...path, key], overrides, source)}: there is no such key.`);
    }
    const overridden = overrides.some(({ key }) => key.join('.') === path.join('.'));
    const missing = source && path.length > 0 && !overridden && !source.document.hasIn(path);
    const problem = missing && issue.code === 'invalid_type' ? 'is missing' : issue.message;
    return [`${where(path, overrides, source)}: ${problem}.`];
  });
  return sentences.slice(0, 5).join('\n');
}

function where(path: readonly string[], overrides: readonly Override[], source?: Source): string {
  const key = path.join('.') || 'the whole file';
  const override = overrides.find((one) => one.key.join('.') === key);
  if (override) return override.variable;
  if (!source) return key;
  const line = lineOf(path, source);
  return `${source.file}${line === undefined ? '' : `, line ${line}`}: ${key}`;
}

/** The line of the key itself, or of the closest section around it that exists. */
function lineOf(path: readonly string[], { document, lines }: Source): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = document.getIn(path.slice(0, depth - 1), true) as
      | { items?: { key?: { value?: unknown; range?: [number, number, number] | null } }[] }
      | undefined;
    const pair = parent?.items?.find?.((item) => String(item.key?.value) === path[depth - 1]);
    if (pair?.key?.range) return lines.linePos(pair.key.range[0]).line;
    const node = document.getIn(path.slice(0, depth), true) as
      | { range?: [number, number, number] | null }
      | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
