import { describe, expect, test } from 'vitest';
import { maskedAddress, parseRtmpAddress } from '../../../../gateways/rtmp/client/rtmp-address.ts';
import { seededRandom } from '../../../signals/random.ts';

const TWITCH = 'live_123456789_AbCdEfGhIjKlMnOpQrStUvWxYz0123';
const CLOUDFLARE = '0123456789abcdef0123456789abcdefk0123456789abcdef';

describe('an address', () => {
  test.each<[string, string, string, string, string, string]>([
    // the address; host and port; app; key; tcUrl; as people see it
    [
      'rtmps://live-api-s.facebook.com:443/rtmp/FB-123-0-Abc',
      'tls live-api-s.facebook.com 443',
      'rtmp',
      'FB-123-0-Abc',
      'rtmps://live-api-s.facebook.com/rtmp',
      'rtmps://live-api-s.facebook.com/rtmp/{***}',
    ],
    [
      'rtmps://live-api-s.facebook.com:443/rtmp//FB-1234567890123-0-Abcdef?s_bl=1&a=Abx',
      'tls live-api-s.facebook.com 443',
      'rtmp',
      'FB-1234567890123-0-Abcdef?s_bl=1&a=Abx',
      'rtmps://live-api-s.facebook.com/rtmp',
      'rtmps://live-api-s.facebook.com/rtmp/{FB-...def}?{***}',
    ],
    [
      'rtmp://a.rtmp.youtube.com/live2/abcd-efgh-ijkl-mnop',
      'tcp a.rtmp.youtube.com 1935',
      'live2',
      'abcd-efgh-ijkl-mnop',
      'rtmp://a.rtmp.youtube.com/live2',
      'rtmp://a.rtmp.youtube.com/live2/{abc...nop}',
    ],
    [
      `rtmp://live.twitch.tv/app/${TWITCH}?bandwidthtest=true`,
      'tcp live.twitch.tv 1935',
      'app',
      `${TWITCH}?bandwidthtest=true`,
      'rtmp://live.twitch.tv/app',
      'rtmp://live.twitch.tv/app/{liv...123}?{***}',
    ],
    [
      `rtmps://live.cloudflare.com:443/live/${CLOUDFLARE}`,
      'tls live.cloudflare.com 443',
      'live',
      CLOUDFLARE,
      'rtmps://live.cloudflare.com/live',
      'rtmps://live.cloudflare.com/live/{012...def}',
    ],
    [
      'RTMP://CDN.Example.com:1936/X/y/z/Key',
      'tcp cdn.example.com 1936',
      'X/y/z',
      'Key',
      'rtmp://cdn.example.com:1936/X/y/z',
      'rtmp://cdn.example.com:1936/X/y/z/{***}',
    ],
    ['rtmps://cdn:1935/a/b', 'tls cdn 1935', 'a', 'b', 'rtmps://cdn:1935/a', 'rtmps://cdn:1935/a/{***}'],
    [
      'rtmp://[2001:DB8::1]/live/key',
      'tcp 2001:db8::1 1935',
      'live',
      'key',
      'rtmp://[2001:db8::1]/live',
      'rtmp://[2001:db8::1]/live/{***}',
    ],
    [
      'rtmp://[::1]:65535/live/key',
      'tcp ::1 65535',
      'live',
      'key',
      'rtmp://[::1]:65535/live',
      'rtmp://[::1]:65535/live/{***}',
    ],
    [
      'rtmp://127.0.0.1/live/a%2Fb%20c',
      'tcp 127.0.0.1 1935',
      'live',
      'a%2Fb%20c',
      'rtmp://127.0.0.1/live',
      'rtmp://127.0.0.1/live/{***}',
    ],
    [
      'rtmp://cdn/app?token=topsecret/key',
      'tcp cdn 1935',
      'app?token=topsecret',
      'key',
      'rtmp://cdn/app?token=topsecret',
      'rtmp://cdn/app?{***}/{***}',
    ],
    [
      'rtmp://cdn/app?token=topsecret/0123456789abcdef?auth=a/b',
      'tcp cdn 1935',
      'app?token=topsecret',
      '0123456789abcdef?auth=a/b',
      'rtmp://cdn/app?token=topsecret',
      'rtmp://cdn/app?{***}/{012...def}?{***}',
    ],
    [
      'rtmp://cdn/app/stream?auth=ab/cd==',
      'tcp cdn 1935',
      'app',
      'stream?auth=ab/cd==',
      'rtmp://cdn/app',
      'rtmp://cdn/app/{***}?{***}',
    ],
    ['rtmp://cdn/app/stream_1@123456/', '', '', '', '', 'rtmp://{***}'],
    [
      'rtmp://cdn/app/stream_1@1234567',
      'tcp cdn 1935',
      'app',
      'stream_1@1234567',
      'rtmp://cdn/app',
      'rtmp://cdn/app/{str...567}',
    ],
  ])('%s', (text, place, app, key, tcUrl, masked) => {
    expect(maskedAddress(text)).toBe(masked);
    const address = parseRtmpAddress(text);
    if (place === '') {
      expect(address).toHaveProperty('reason');
      return;
    }
    const [security, host, port] = place.split(' ');
    expect(address).toEqual({ secure: security === 'tls', host, port: Number(port), app, key, tcUrl });
  });
});

describe('no address, with a reason', () => {
  test.each([
    ['', /rtmp:\/\/ or rtmps:\/\//, ''],
    ['SECRET', /begin with rtmp/, ''],
    ['http://cdn/live/SECRET', /begin with rtmp/, ''],
    ['rtmpe://cdn/live/SECRET', /begin with rtmp/, ''],
    ['rtmp:/cdn/live/SECRET', /begin with rtmp/, ''],
    ['//cdn/live/SECRET', /begin with rtmp/, ''],
    ['rtmp://', /host/, 'rtmp://'],
    ['rtmps:///live/SECRET', /host/, 'rtmps://'],
    ['rtmp://cdn', /app and a stream key/, 'rtmp://'],
    ['rtmp://cdn/', /app and a stream key/, 'rtmp://'],
    ['rtmp://cdn/SECRET', /app and a stream key/, 'rtmp://'],
    ['rtmp://cdn//SECRET', /app and a stream key/, 'rtmp://'],
    ['rtmp://cdn/SECRET/', /app and a stream key/, 'rtmp://'],
    ['rtmp://cdn/live/?key=SECRET', /app and a stream key/, 'rtmp://'],
    ['rtmp://cdn?a=SECRET', /host/, 'rtmp://'],
    ['rtmp://SECRET', /app and a stream key/, 'rtmp://'],
    ['rtmp://user:SECRET@cdn/live/key', /user name/, 'rtmp://'],
    ['rtmp://SECRET@cdn/live/key', /user name/, 'rtmp://'],
    ['RTMP://user/SECRET@cdn/live/key', /user name/, 'rtmp://'],
    ['rtmp://cdn:0/live/SECRET', /port/, 'rtmp://'],
    ['rtmp://cdn:65536/live/SECRET', /port/, 'rtmp://'],
    ['rtmp://cdn:/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://cdn:x/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://cdn:123456/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://-cdn/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://c dn/live/SECRET', /spaces/, 'rtmp://'],
    ['rtmp://2001:db8::1/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://[2001:db8::1/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://[cdn]/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://[::1%25eth0]/live/SECRET', /host/, 'rtmp://'],
    ['rtmp://cdn\\@evil/live/SECRET', /user name/, 'rtmp://'],
    ['rtmp://cdn\\evil/live/SECRET', /host/, 'rtmp://'],
    [' rtmp://cdn/live/SECRET', /spaces/, ''],
    ['rtmp://cdn/live/SECRET\n', /spaces/, 'rtmp://'],
    ['rtmp://cdn/live/SEC\u0000RET', /spaces/, 'rtmp://'],
    ['rtmp://cdn/live/SEC\u200bRET', /spaces/, 'rtmp://'],
    ['rtmp://cdn/live/SECRET\ud800', /spaces/, 'rtmp://'],
    [`rtmp://cdn/live/${'SECRET'.repeat(200)}`, /1024 characters/, 'rtmp://'],
  ])('%j', (text, words, scheme) => {
    const address = parseRtmpAddress(text);
    const { reason } = address as { reason: string };
    expect(reason).toMatch(words);
    expect(reason).toMatch(/^[A-Z].*\.$/);
    expect(reason).not.toContain('SEC');
    expect(maskedAddress(text)).toBe(`${scheme}{***}`);
  });
});

test('1024 characters are an address', () => {
  const text = 'rtmp://cdn/live/'.padEnd(1024, 'k');
  expect(parseRtmpAddress(text)).toMatchObject({ app: 'live', key: 'k'.repeat(1024 - 16) });
  expect(parseRtmpAddress(`${text}k`)).toHaveProperty('reason');
});

test.each([
  ['a'.repeat(15), '{***}'],
  ['0123456789abcdef', '{012...def}'],
  ['😀'.repeat(15), '{***}'],
  [`😀😁😂${'x'.repeat(10)}🙂🙃🙄`, '{😀😁😂...🙂🙃🙄}'],
])('the key %s is seen as %s', (key, masked) => {
  expect(maskedAddress(`rtmp://cdn/live/${key}`)).toBe(`rtmp://cdn/live/${masked}`);
});

test('what has a secret in its last part or a query never shows it, however it is mangled', () => {
  const random = seededRandom(7);
  const secret = 'qzjxkvwqzjxkvwqzjxkvw';
  const marks = ['/', '?', '@', ':', '[', ']', '#', '%', '=', '&', 'rtmp://', ' ', '\\', '\n', 'live', '1'];
  const piece = () => marks[Math.floor(random() * marks.length)]!;
  let addresses = 0;
  for (let round = 0; round < 20_000; round++) {
    const before = Array.from({ length: Math.floor(random() * 8) }, piece).join('');
    const text = `${round % 2 ? 'rtmp://cdn/app/' : ''}${before}${secret}`;
    const masked = maskedAddress(text);
    expect(masked).not.toContain(secret);
    if (!('reason' in parseRtmpAddress(text))) addresses++;
  }
  expect(addresses).toBeGreaterThan(1000);
});
