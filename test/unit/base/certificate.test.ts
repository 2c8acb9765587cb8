import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCertificate } from '../../../src/base/certificate.ts';
import { refusal } from '../support/refusal.ts';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-test-'));
  fs.writeFileSync(path.join(folder, 'cert.pem'), 'the certificate\n');
  fs.writeFileSync(path.join(folder, 'key.pem'), 'the key\n');
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

test('certificate and key are read as they are', () => {
  const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
  expect(readCertificate(files)).toEqual({ cert: 'the certificate\n', key: 'the key\n' });
});

test.each([
  ['certificate', 'missing.pem', 'key.pem'],
  ['key', 'cert.pem', 'missing.pem'],
])('a %s that is not there is named', (_, cert, key) => {
  const read = () => readCertificate({ cert: path.join(folder, cert), key: path.join(folder, key) });
  expect(read).toThrow(refusal('unavailable'));
  expect(read).toThrow(`The TLS file ${path.join(folder, 'missing.pem')} cannot be read: ENOENT`);
});
