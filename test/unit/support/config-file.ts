import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { ConfigError, loadConfig } from '../../../config/load.ts';

/** What a file needs at the least. */
export const API = 'api:\n  keys:\n    key: 0123456789abcdef0123456789abcdef\n';

/** Writes a config file that goes with the test. @returns its path */
export function configFile(yaml: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-config-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'test.yaml');
  fs.writeFileSync(file, yaml);
  return file;
}

/** @returns the sentences with which a configuration is refused */
export function complaint(file: string | undefined, environment: NodeJS.ProcessEnv = {}): string {
  try {
    loadConfig(file, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}
