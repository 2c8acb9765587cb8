import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { PatchroomError } from './errors.ts';

/** The server's certificate, with those that it depends on, and its private key, as PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * @param files - where they are
 * @throws PatchroomError 'unavailable' that names the setting and the file which cannot be read, is something else, or does
 *   not belong to the other
 */
export function readCertificate(files: { readonly cert: string; readonly key: string }): ServerCertificate {
  const cert = read('http.tls.cert', files.cert);
  const key = read('http.tls.key', files.key);
  const certificate = attempt(() => new X509Certificate(cert));
  if (!certificate) throw refuse('http.tls.cert', files.cert, `is not a certificate in PEM${hintOf(cert)}`);
  const privateKey = attempt(() => createPrivateKey(key));
  if (!privateKey) throw refuse('http.tls.key', files.key, `is not a private key in PEM${hintOf(key)}`);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw refuse(
      'http.tls.key',
      files.key,
      `does not belong to the certificate in ${files.cert} (http.tls.cert)`,
    );
  }
  return { cert, key };
}

function read(setting: string, file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(setting, file, `cannot be read: ${(error as Error).message}`);
  }
}

function refuse(setting: string, file: string, what: string): PatchroomError {
  return new PatchroomError('unavailable', `The TLS file ${file} ${what} (${setting}).`);
}

function hintOf(text: string): string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) return ': it is encrypted';
  const what = /-----BEGIN ([A-Z ]+)-----/.exec(text)?.[1];
  return what ? `: it holds a ${what}` : '';
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
