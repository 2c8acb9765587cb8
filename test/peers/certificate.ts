import { execFileSync } from 'node:child_process';

/** Makes a certificate that signs itself, for localhost, as cert.pem and key.pem in that folder. @returns their paths */
export function selfSignedCertificate(folder: string): { readonly cert: string; readonly key: string } {
  const cert = `${folder}/cert.pem`;
  const key = `${folder}/key.pem`;
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert, key };
}
