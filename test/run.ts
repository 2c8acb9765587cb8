// npm test: format and lint, types, then every test; ends with the line "N passed, N failed". With `--part check|unit|system`
// one of these parts only; with anything else, the test files whose paths contain it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { extractExample } from './contract/example.ts';

const PARTS = ['check', 'unit', 'system'] as const;
type Part = (typeof PARTS)[number];
/** The folders of each group of tests, as in vitest.config.ts. */
const FOLDERS = { unit: ['unit'], system: ['contract', 'integration', 'e2e'] } as const;

const { values, positionals: filters } = parseArgs({
  options: { part: { type: 'string' } },
  allowPositionals: true,
});
const parts: readonly Part[] = values.part ? PARTS.filter((part) => part === values.part) : PARTS;
const results = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-test-'));
let passed = 0;
let failed = 0;

function run(args: string[]): number {
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}

/** A check that counts as one test. */
function check(name: string, args: string[]): void {
  const ok = run(args) === 0;
  console.log(`${ok ? '✓' : '✗'} ${name}`);
  if (ok) passed++;
  else failed++;
}

/** One group of tests; a run that reports nothing counts as failed. */
function tests(project: keyof typeof FOLDERS): void {
  if (!parts.includes(project) || !isWanted(project)) return;
  const output = path.join(results, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  const status = run([
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    project,
    ...reporters,
    ...filters,
  ]);
  const report = fs.existsSync(output)
    ? (JSON.parse(fs.readFileSync(output, 'utf8')) as { numPassedTests: number; numFailedTests: number })
    : { numPassedTests: 0, numFailedTests: 0 };
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A file that cannot even be loaded, or an error outside any test.
  if (status !== 0 && report.numFailedTests === 0 && filters.length === 0) failed++;
}

/** Whether any of its files is asked for. */
function isWanted(project: keyof typeof FOLDERS): boolean {
  const files = FOLDERS[project].flatMap((folder) =>
    fs.globSync(`test/${folder}/**/*.test.ts`).map((file) => file.replaceAll(path.sep, '/')),
  );
  return filters.length === 0 || files.some((file) => filters.some((filter) => file.includes(filter)));
}

extractExample();
if (parts.includes('check') && filters.length === 0) {
  check('format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
  check('types', ['node_modules/typescript/bin/tsc', '--noEmit']);
  check('types of the browser page', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'src/console']);
}
tests('unit');
tests('system');
fs.rmSync(results, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
