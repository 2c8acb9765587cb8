import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ESTree, parseSync, Visitor } from 'vite';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Import {
  /** A path from the project's root for our own files, else the name of the package; `?` where it is computed. */
  readonly target: string;
  readonly own: boolean;
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** From the project's root. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
}

/** All paths below some folders of the project. */
export function pathsIn(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/'))),
  );
}

/** Every TypeScript file below some folders, with what it imports. */
export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return pathsIn(folders)
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => parse(name, fs.readFileSync(path.join(ROOT, name), 'utf8')));
}

export function parse(name: string, text: string): SourceFile {
  const { program, errors } = parseSync(name, text);
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]!.message}`);
  const imports: Import[] = [];
  let readsEnvironment = false;
  const add = (source: { readonly value?: unknown } | null | undefined, typeOnly: boolean) => {
    if (source) imports.push({ ...resolve(name, source.value), typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, onlyTypes(node)),
    ExportNamedDeclaration: (node) => add(node.source, onlyTypes(node)),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source as { value?: unknown }, false),
    TSImportType: (node) => add(node.source, true),
    MemberExpression: (node) => {
      const key = node.property as { name?: unknown; value?: unknown };
      const isProcess = node.object.type === 'Identifier' && node.object.name === 'process';
      if (isProcess && (key.name === 'env' || key.value === 'env')) readsEnvironment = true;
    },
  }).visit(program);
  // Whoever takes `env` out of the module instead is found here.
  readsEnvironment ||= imports.some(({ target }) => target === 'process' || target === 'node:process');
  return { path: name, lines: text.split('\n').length - 1, imports, readsEnvironment };
}

/**
 * Circles of imports among our own files, one for each group of files that reach each other, as `a -> b -> a`.
 */
export function circles(files: readonly SourceFile[]): string[] {
  const imports = new Map(
    files.map(({ path: name, imports: all }) => [
      name,
      all.filter(({ own }) => own).map(({ target }) => target),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const at = trail.indexOf(name);
    if (at >= 0) found.push([...trail.slice(at), name].join(' -> '));
    if (at >= 0 || done.has(name)) return;
    for (const target of imports.get(name) ?? []) visit(target, [...trail, name]);
    done.add(name);
  };
  for (const name of imports.keys()) visit(name, []);
  return found;
}

function onlyTypes(node: ESTree.ImportDeclaration | ESTree.ExportNamedDeclaration): boolean {
  const kind = node.type === 'ImportDeclaration' ? node.importKind : node.exportKind;
  return kind === 'type';
}

function resolve(from: string, specifier: unknown): Pick<Import, 'target' | 'own'> {
  if (typeof specifier !== 'string') return { target: '?', own: false };
  if (specifier.startsWith('.')) {
    return { target: path.posix.join(path.posix.dirname(from), specifier), own: true };
  }
  // The package, without the path inside it.
  return { target: specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'), own: false };
}
