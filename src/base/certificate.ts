import fs from 'node:fs';
import { PatchroomError } from './errors.ts';

/** The server's certificate, with those that it depends on, and its private key, as PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** @param files - where they are. @throws PatchroomError 'unavailable' that names the file which cannot be read */
export function readCertificate(files: { readonly cert: string; readonly key: string }): ServerCertificate {
  return { cert: read(files.cert), key: read(files.key) };
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new PatchroomError(
      'unavailable',
      `The TLS file ${file} cannot be read: ${(error as Error).message}`,
    );
  }
}
