import { expect, test } from 'vitest';
import { sipOptions } from '../../../gateways/sip/options.ts';

test('nothing has to be said', () => {
  expect(sipOptions.parse({})).toEqual({
    port: 5060,
    engine: 'embedded',
    allow: [],
    codecs: ['opus', 'PCMU', 'PCMA'],
    maxCalls: 500,
    callsPerSecond: 50,
    messagesPerSecond: 1000,
    mediaTimeoutSeconds: 30,
    maxPassThrough: 8,
  });
});

test.each([
  { port: 0 },
  { engine: 'drachtio://10.0.0.1:9022', engineSecret: 'x' },
  { engine: 'drachtio://sip.example.org:9022' },
  { allow: ['loopback', '10.0.0.0/8', '2001:db8::1'] },
  { codecs: ['PCMA'] },
  { maxPassThrough: 0 },
  { mediaTimeoutSeconds: 3600 },
])('%o is taken', (options) => {
  expect(sipOptions.parse(options)).toMatchObject(options);
});

test.each<[object, RegExp]>([
  [{ port: 65_536 }, /port/],
  [{ port: 5060.5 }, /port/],
  [{ port: '5060' }, /port/],
  [{ engine: 'http://10.0.0.1:9022' }, /engine/],
  [{ engine: 'drachtio://10.0.0.1' }, /engine/],
  [{ engineSecret: '' }, /engineSecret/],
  [{ allow: ['10.0.0.0/40'] }, /10\.0\.0\.0\/40.* is neither an address nor a network/],
  [{ allow: ['example.org'] }, /example\.org/],
  [{ allow: 'loopback' }, /allow/],
  [{ codecs: [] }, /codecs/],
  [{ codecs: ['G722'] }, /codecs/],
  [{ maxCalls: 0 }, /maxCalls/],
  [{ callsPerSecond: 0 }, /callsPerSecond/],
  [{ messagesPerSecond: 0 }, /messagesPerSecond/],
  [{ mediaTimeoutSeconds: 0 }, /mediaTimeoutSeconds/],
  [{ maxPassThrough: -1 }, /maxPassThrough/],
  [{ allowed: [] }, /allowed/],
])('%o is refused', (options, words) => {
  expect(sipOptions.safeParse(options).error?.message).toMatch(words);
});
