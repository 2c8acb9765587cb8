// Debian packages: which are missing, and installing them as root without recommends and without
// letting a package start its service.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { readIfThere } from './cache.mjs';
import { Step } from './progress.mjs';
import { mustRun, SetupError } from './run.mjs';

/** To run the worker that is built here, and to decode and encode what browsers can't take as it is. */
export const RUN_PACKAGES = ['libuv1', 'libssl3', 'libsrtp2-1', 'libstdc++6', 'ffmpeg'];
/** To build it. */
export const BUILD_PACKAGES = [
  ...['g++', 'meson', 'ninja-build', 'pkg-config', 'libuv1-dev', 'libssl-dev', 'libsrtp2-dev'],
  ...['libflatbuffers-dev', 'flatbuffers-compiler', 'libabsl-dev'],
];
/** To run the tests. */
export const TEST_PACKAGES = [
  ...[
    'baresip-core',
    'chromium',
    'coturn',
    'curl',
    'git',
    'libnginx-mod-rtmp',
    'nginx',
    'openssl',
    'sip-tester',
  ],
  ...['gstreamer1.0-tools', 'gstreamer1.0-plugins-base', 'gstreamer1.0-plugins-good'],
  ...['gstreamer1.0-plugins-bad', 'gstreamer1.0-plugins-ugly'],
];

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY =
  '#!/bin/sh\n# Left by the set-up of Patchroom: no service starts while it installs packages.\nexit 101\n';

/** @returns {{ id: string, version: string }} such as { id: 'debian', version: '12' } */
export function release() {
  const text = readIfThere('/etc/os-release');
  /** @param {string} key */
  const value = (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? 'unknown';
  return { id: value('ID'), version: value('VERSION_ID') };
}

/** @param {string[]} packages @returns {string[]} those of them that are not installed */
export function missing(packages) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const query = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n', ...packages], {
    encoding: 'utf8',
  });
  if (query.error) {
    throw new SetupError(
      'dpkg-query is missing: Patchroom sets itself up on Debian 12 (or a release made from it). ' +
        'Elsewhere, install the packages named in docs/guides/install.md by hand and start src/main.ts with Node 24.',
    );
  }
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice(10)),
  );
  return packages.filter((name) => !installed.has(name));
}

/** @param {string[]} packages @returns {string} what to type to install them */
export function installCommand(packages) {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** @param {string[]} packages - that are missing; none is fine. Needs root. */
export async function install(packages) {
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      `These Debian packages are missing: ${packages.join(' ')}\nRun this as root, then start again:\n\n  ${installCommand(packages)}\n`,
    );
  }
  console.log(`  ${packages.join(' ')}`);
  const step = new Step('Debian packages', 'about a minute');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = ['-q', '-o', 'Acquire::Retries=3', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120'];
  const options = {
    env,
    tries: 3,
    whole: true,
    onLine: (/** @type {string} */ line) => step.at(line.slice(0, 70)),
  };
  const unblock = blockServices();
  try {
    // Repairs what an earlier installation left half done; nothing to do otherwise.
    await mustRun('Repairing an interrupted installation', 'dpkg', ['--configure', '-a'], options);
    await mustRun('Reading the package lists', 'apt-get', [...apt, 'update'], options);
    await mustRun(
      'Installing Debian packages',
      'apt-get',
      [...apt, 'install', '-y', '--no-install-recommends', ...packages],
      options,
    );
  } finally {
    unblock();
  }
  step.done();
}

/** Takes away our policy if an installation was killed before it could. */
export function removeStalePolicy() {
  if (process.getuid?.() === 0 && readIfThere(POLICY_FILE) === POLICY)
    fs.rmSync(POLICY_FILE, { force: true });
}

/** Debian's way to keep a package's service from starting. A policy that is already there is kept. */
function blockServices() {
  const before = readIfThere(POLICY_FILE);
  if (before && before !== POLICY) return () => {};
  fs.writeFileSync(POLICY_FILE, POLICY, { mode: 0o755 });
  const remove = () => fs.rmSync(POLICY_FILE, { force: true });
  process.once('exit', remove);
  return () => {
    process.removeListener('exit', remove);
    remove();
  };
}
