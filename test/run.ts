// npm test: format and lint, types, then every test; ends with the line "N passed, N failed".
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { extractExample } from './contract/example.ts';

const filters = process.argv.slice(2);
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
function tests(project: string): void {
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

extractExample();
if (filters.length === 0) {
  check('format and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
  check('types', ['node_modules/typescript/bin/tsc', '--noEmit']);
  check('types of the browser page', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'src/console']);
}
tests('unit');
tests('system');
fs.rmSync(results, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
