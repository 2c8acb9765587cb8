/**
 * The address that a stream is pushed to, from the two fields that streaming services give: rtmp://host/app and the key.
 * @param key - empty where the server's address ends with it already
 */
export function joinStreamAddress(server: string, key: string): string {
  const place = server.trim();
  const secret = key.trim();
  return secret === '' ? place : `${place.replace(/\/+$/, '')}/${secret.replace(/^\/+/, '')}`;
}
