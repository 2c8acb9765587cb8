import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../../src/base/certificate.ts';
import { refusal } from '../support/refusal.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchroom-test-'));
  for (const name of ['one', 'other']) {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    const what = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
    ];
    execFileSync('openssl', ['req', ...what, ...files], { stdio: 'ignore' });
  }
  fs.writeFileSync(at('words.pem'), 'the certificate\n');
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

test('certificate and key are read as they are', () => {
  const read = readCertificate({ cert: at('one.pem'), key: at('one.key') });
  expect(read).toEqual({
    cert: fs.readFileSync(at('one.pem'), 'utf8'),
    key: fs.readFileSync(at('one.key'), 'utf8'),
  });
});

describe('the file and the setting are named, and what is the matter, when', () => {
  test.each<[string, string, string, RegExp]>([
    [
      'the certificate is not there',
      'missing.pem',
      'one.key',
      /missing\.pem cannot be read: ENOENT.*http\.tls\.cert/,
    ],
    ['the key is not there', 'one.pem', 'missing.pem', /missing\.pem cannot be read: ENOENT.*http\.tls\.key/],
    [
      'the certificate is none',
      'words.pem',
      'one.key',
      /words\.pem is not a certificate in PEM \(http\.tls\.cert\)/,
    ],
    ['the key is none', 'one.pem', 'words.pem', /words\.pem is not a private key in PEM \(http\.tls\.key\)/],
    [
      'there is a key instead of the certificate',
      'one.key',
      'one.key',
      /one\.key is not a certificate in PEM: it holds a PRIVATE KEY/,
    ],
    [
      'there is a certificate instead of the key',
      'one.pem',
      'one.pem',
      /one\.pem is not a private key in PEM: it holds a CERTIFICATE/,
    ],
    [
      'they do not belong together',
      'one.pem',
      'other.key',
      /other\.key does not belong to the certificate in .*one\.pem/,
    ],
  ])('%s', (_, cert, key, message) => {
    const read = () => readCertificate({ cert: at(cert), key: at(key) });
    expect(read).toThrow(refusal('unavailable'));
    expect(read).toThrow(message);
  });
});
