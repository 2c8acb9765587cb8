// The cache folder outside node_modules, for what is slow to make, and the lock that keeps two set-ups apart.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SetupError } from './run.mjs';

/** @returns {string} the folder, created: $PATCHROOM_CACHE, else $XDG_CACHE_HOME/patchroom, else ~/.cache/patchroom */
export function cacheFolder() {
  const folder =
    process.env.PATCHROOM_CACHE ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'patchroom');
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new SetupError(
      `The cache folder ${folder} cannot be made: ${/** @type {Error} */ (error).message}. Set PATCHROOM_CACHE to one that can.`,
    );
  }
  return path.resolve(folder);
}

/**
 * A folder in the cache that is gone when it is removed, or when the process ends in any orderly way.
 * @param {string} prefix
 * @returns {{ folder: string, remove: () => void }}
 */
export function temporaryFolder(prefix) {
  const folder = fs.mkdtempSync(path.join(cacheFolder(), prefix));
  const remove = () => {
    process.removeListener('exit', remove);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { folder, remove };
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * Waits until no other set-up works with this cache, then holds the lock until released or until the
 * process ends. A lock whose owner is gone (killed) is taken over.
 * @returns {Promise<() => void>} releases it
 */
export async function lockCache() {
  const file = path.join(cacheFolder(), 'setup.lock');
  for (let said = false; ; ) {
    // Written first and linked then: whoever sees the lock sees its owner.
    const mine = `${file}.${process.pid}`;
    try {
      fs.writeFileSync(mine, String(process.pid));
    } catch (error) {
      throw new SetupError(
        `Something has to be set up, and the cache folder cannot be written: ${/** @type {Error} */ (error).message}. Run the set-up once as somebody who can (npm run setup).`,
      );
    }
    try {
      fs.linkSync(mine, file);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    } finally {
      fs.rmSync(mine, { force: true });
    }
    const owner = Number(readIfThere(file));
    if (!owner || !isAlive(owner)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!said) console.log(`Another set-up is running (process ${owner}); waiting for it.`);
    said = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const release = () => fs.rmSync(file, { force: true });
  process.once('exit', release);
  return () => {
    process.removeListener('exit', release);
    release();
  };
}

/** @param {string} file @returns {string} its text, or '' */
export function readIfThere(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
