import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** As deep as gateways/, so that the example's imports hold. */
const FOLDER = path.join(ROOT, '.generated');

/**
 * Writes the example gateway of gateways/README.md to .generated/, as the page has it.
 * @returns the path of its index.ts
 */
export function extractExample(): string {
  const page = fs.readFileSync(path.join(ROOT, 'gateways', 'README.md'), 'utf8');
  const files = [...page.matchAll(/^`gateways\/(intercom\/[a-z-]+\.ts)`[^\n]*\n```ts\n(.*?)^```$/gms)];
  if (files.length !== 3)
    throw new Error(`gateways/README.md should show three files, found ${files.length}`);
  for (const [, name = '', code = ''] of files) {
    const file = path.join(FOLDER, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, code);
  }
  fs.writeFileSync(
    path.join(FOLDER, 'tsconfig.json'),
    JSON.stringify({ extends: '../tsconfig.json', include: ['intercom'], exclude: [] }),
  );
  return path.join(FOLDER, 'intercom', 'index.ts');
}
