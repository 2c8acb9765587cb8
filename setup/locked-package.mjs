// Single packages of the lock file, fetched before (and beside) `npm ci` and checked like it does.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { mustRun, run, SetupError } from './run.mjs';

/** @param {string} name @returns {{ version: string, integrity: string }} */
export function lockedPackage(name) {
  const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry) throw new SetupError(`package-lock.json has no ${name}.`);
  return entry;
}

/**
 * Downloads a package from npm's registry and unpacks it; what an earlier run unpacked is kept.
 * @param {string} name - without a scope
 * @param {string} folder - to work in
 * @returns {Promise<string>} the folder of the package
 */
export async function unpackPackage(name, folder) {
  const { version, integrity } = lockedPackage(name);
  const unpacked = path.join(folder, 'package');
  if (fs.existsSync(path.join(folder, 'unpacked'))) return unpacked;
  fs.rmSync(unpacked, { recursive: true, force: true });
  for (let attempt = 1; ; attempt++) {
    const args = ['pack', '--silent', '--ignore-scripts', `${name}@${version}`, '--pack-destination', folder];
    const { code, tail } = await run('npm', args, { cwd: folder });
    if (code === 0) break;
    if (attempt === 3) throw new SetupError(`Downloading ${name} ${version} from npm failed:\n${tail}`);
  }
  const archive = path.join(folder, `${name}-${version}.tgz`);
  const found = `sha512-${crypto.createHash('sha512').update(fs.readFileSync(archive)).digest('base64')}`;
  if (found !== integrity)
    throw new SetupError(`${archive} is not the package that package-lock.json names.`);
  await mustRun(`Unpacking ${name}`, 'tar', ['-xzf', archive, '-C', folder]);
  fs.rmSync(archive);
  fs.writeFileSync(path.join(folder, 'unpacked'), '');
  return unpacked;
}
