import { expect, test } from 'vitest';
import { joinStreamAddress } from '../../../src/console/client/stream-address.ts';

test.each([
  ['rtmp://cdn.example/app', 'key', 'rtmp://cdn.example/app/key'],
  ['rtmps://cdn.example:443/app/', 'key', 'rtmps://cdn.example:443/app/key'],
  ['rtmp://cdn.example/app', '/key', 'rtmp://cdn.example/app/key'],
  [' rtmp://cdn.example/app\n', '\tkey ', 'rtmp://cdn.example/app/key'],
  ['rtmp://cdn.example/app', 'key?token=a/b', 'rtmp://cdn.example/app/key?token=a/b'],
  ['rtmp://cdn.example/x/y', 'key', 'rtmp://cdn.example/x/y/key'],
  ['rtmp://cdn.example/app/key', '', 'rtmp://cdn.example/app/key'],
  ['rtmp://cdn.example/app/', ' ', 'rtmp://cdn.example/app/'],
])('%j and %j are %s', (server, key, address) => {
  expect(joinStreamAddress(server, key)).toBe(address);
});
