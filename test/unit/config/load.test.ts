import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../config/load.ts';
import { API, complaint, configFile } from '../support/config-file.ts';

describe('a good file', () => {
  test('gets defaults for what it does not say', () => {
    const config = loadConfig(configFile(`${API}http:\n  port: 9000\n`), {});
    expect(config.http).toEqual({ port: 9000, trustProxy: [], allowedOrigins: [] });
    expect(config.rooms.maxParticipants).toBe(200);
    expect(config.api.keys).toEqual({ key: '0123456789abcdef0123456789abcdef' });
    expect(config.demo).toBe(false);
  });

  test("has its certificate's paths relative to itself", () => {
    const file = configFile(`${API}http:\n  tls: { cert: tls/chain.pem, key: /etc/key.pem }\n`);
    expect(loadConfig(file, {}).http.tls).toEqual({
      cert: path.join(path.dirname(file), 'tls', 'chain.pem'),
      key: '/etc/key.pem',
    });
  });

  test.each(['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', 'loopback', 'uniquelocal'])(
    'may trust the proxy %s',
    (proxy) => {
      const file = configFile(`${API}http:\n  trustProxy: ["${proxy}"]\n`);
      expect(loadConfig(file, {}).http.trustProxy).toEqual([proxy]);
    },
  );

  test.each(['192.0.2.1', '2001:db8::1', 'media.example.org', 'a'])('may announce %s', (announce) => {
    const file = configFile(`${API}network:\n  announce: "${announce}"\n`);
    expect(loadConfig(file, {}).network.announce).toBe(announce);
  });
});

describe('a bad file is refused with its name, the line and the key', () => {
  test.each<[string, string, number, string, string]>([
    ['an unknown key', `${API}http:\n  prot: 8080\n`, 5, 'http.prot', 'there is no such key'],
    ['an unknown section', `${API}htttp: {}\n`, 4, 'htttp', 'there is no such key'],
    [
      'an unknown key deep down',
      `${API}network:\n  rtpPorts:\n    min: 4000\n    max: 5000\n    mid: 1\n`,
      8,
      'network.rtpPorts.mid',
      'there is no such key',
    ],
    ['a text for a number', `${API}http:\n  port: eighty\n`, 5, 'http.port', 'expected number'],
    ['a number for a text', `${API}network:\n  bind: 5\n`, 5, 'network.bind', 'expected string'],
    [
      'a text for a switch',
      `${API}rooms:\n  remoteUnmute: "no"\n`,
      5,
      'rooms.remoteUnmute',
      'expected boolean',
    ],
    ['a value for a section', `${API}http: 8080\n`, 4, 'http', 'expected object'],
    ['a number out of range', `${API}http:\n  port: 65536\n`, 5, 'http.port', '65535'],
    ['a fraction', `${API}rooms:\n  maxRooms: 1.5\n`, 5, 'rooms.maxRooms', 'expected int'],
    ['no IP address', `${API}network:\n  bind: localhost\n`, 5, 'network.bind', 'must be an IP address'],
    [
      'an address with a port',
      `${API}network:\n  announce: a.example/x\n`,
      5,
      'network.announce',
      'without a port',
    ],
    [
      'a range the wrong way round',
      `${API}network:\n  rtpPorts: { min: 5000, max: 4999 }\n`,
      5,
      'network.rtpPorts',
      'max must not be less than min',
    ],
    ['half a range', `${API}network:\n  rtpPorts: { min: 5000 }\n`, 5, 'network.rtpPorts.max', 'is missing'],
    ['a log level that is none', `${API}log:\n  level: loud\n`, 5, 'log.level', 'Invalid option'],
    [
      'the second entry of a list',
      `${API}http:\n  trustProxy:\n    - loopback\n    - nobody\n`,
      7,
      'http.trustProxy.1',
      'must be an address or network',
    ],
    [
      'a network that is none',
      `${API}http:\n  trustProxy: [10.0.0.0/33]\n`,
      5,
      'http.trustProxy.0',
      'must be an address or network',
    ],
    [
      'a certificate without its key',
      `${API}http:\n  tls:\n    cert: chain.pem\n`,
      5,
      'http.tls.key',
      'is missing',
    ],
    [
      'a server that is none',
      `${API}webrtc:\n  iceServers:\n    - urls: ["http://x"]\n`,
      6,
      'webrtc.iceServers.0.urls.0',
      'must start with stun:',
    ],
    ['too long a wait', `${API}webrtc:\n  resumeSeconds: 301\n`, 5, 'webrtc.resumeSeconds', '300'],
    [
      'a short secret',
      'api:\n  keys:\n    a: 0123456789abcdef0123456789abcdef\n    b: too-short\n',
      4,
      'api.keys.b',
      'a secret must have 32 characters or more',
    ],
    ['no key', '# nothing\napi:\n  keys: {}\n', 3, 'api.keys', 'at least one key is needed'],
    ['no keys', 'http: {}\napi: {}\n', 2, 'api.keys', 'is missing'],
  ])('%s', (_, yaml, line, key, problem) => {
    const file = configFile(yaml);
    const [sentence, ...others] = complaint(file).split('\n');
    expect(sentence).toMatch(new RegExp(`^${RegExp.escape(`${file}, line ${line}: ${key}: `)}.*\\.$`));
    expect(sentence).toContain(problem);
    expect(others).toEqual([]);
  });

  test.each(['', '# only a comment\n', 'http: {}\n'])('without api.keys: %j', (yaml) => {
    const file = configFile(yaml);
    expect(complaint(file)).toBe(`${file}: api: is missing.`);
  });

  test('but a section with everything in it commented out counts as left out', () => {
    const file = configFile(`${API}log:\n  # level: debug\n`);
    expect(loadConfig(file, {}).log.level).toBe('info');
  });

  test.each(['just text\n', '[1, 2]\n', '42\n'])('that is no set of keys: %j', (yaml) => {
    const file = configFile(yaml);
    expect(complaint(file)).toBe(`${file} is no config file: it must have sections such as "http:".`);
  });

  test.each<[string, string, number]>([
    ['a bracket that is not closed', `${API}http:\n  port: [1\n`, 6],
    ['a tab for indentation', `${API}http:\n\tport: 1\n`, 5],
    ['a key twice', `${API}http:\n  port: 1\n  port: 2\n`, 6],
  ])('that is no YAML: %s', (_, yaml, line) => {
    const file = configFile(yaml);
    expect(complaint(file)).toMatch(new RegExp(`^${RegExp.escape(file)}: .* at line ${line}, column`));
  });

  test('that refers to what is not there', () => {
    const file = configFile(`${API}network:\n  bind: *address\n`);
    expect(complaint(file)).toContain(file);
  });

  test('that does not exist', () => {
    const file = path.join(path.dirname(configFile(API)), 'missing.yaml');
    expect(complaint(file)).toBe(`There is no config file ${file}.`);
  });

  test('with every mistake in a line of its own, five at the most', () => {
    const file = configFile(`${API}rooms: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }\nlog:\n  level: 5\n`);
    const sentences = complaint(file).split('\n');
    expect(sentences).toHaveLength(5);
    for (const sentence of sentences) expect(sentence).toContain(file);
  });

  test('without telling its secrets', () => {
    expect(complaint(configFile('api:\n  keys:\n    a: hunter2\n'))).not.toContain('hunter2');
  });
});
