import { expect, test } from 'vitest';
import { iceServersFor } from '../../../gateways/webrtc/ice-servers.ts';

/** 2023-11-14T22:13:20.999Z */
const NOW_MS = 1_700_000_000_999;

test('servers are told as they are configured', () => {
  const configured = [
    { urls: ['stun:a.example'] },
    { urls: ['turn:b.example', 'turns:b.example'], username: 'u', credential: 'c' },
  ];
  expect(iceServersFor(configured, 'ann', NOW_MS)).toEqual(configured);
});

test('a shared secret becomes a credential of one browser that lasts a day', () => {
  // printf 1700086400:ann | openssl dgst -sha1 -hmac s3cret -binary | base64
  expect(iceServersFor([{ urls: ['turn:a'], secret: 's3cret' }], 'ann', NOW_MS)).toEqual([
    { urls: ['turn:a'], username: '1700086400:ann', credential: 'kUqdIbxKAWH7/OLjB/9Z/6OM/0E=' },
  ]);
});

test('the secret itself is never told, and a name beside it is not used', () => {
  const configured = [{ urls: ['turn:a'], secret: 's3cret', username: 'u', credential: 'c' }];
  const told = iceServersFor(configured, 'ann', NOW_MS);
  expect(JSON.stringify(told)).not.toContain('s3cret');
  expect(told[0]).toHaveProperty('username', '1700086400:ann');
});

test('two browsers get two credentials', () => {
  const configured = [{ urls: ['turn:a'], secret: 's3cret' }];
  const [ann, bob] = ['ann', 'bob'].map((identity) => iceServersFor(configured, identity, NOW_MS)[0]);
  expect(ann!.credential).not.toBe(bob!.credential);
});

test('without servers there is nothing to tell', () => {
  expect(iceServersFor([], 'ann', NOW_MS)).toEqual([]);
});
