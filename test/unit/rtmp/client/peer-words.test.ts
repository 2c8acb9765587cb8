import { expect, test } from 'vitest';
import { peerWords } from '../../../../gateways/rtmp/client/peer-words.ts';
import type { AmfValue } from '../../../../gateways/rtmp/protocol/amf0.ts';
import { addressOf } from './scripted-server.ts';

const plain = 'rtmp://cdn/live/live_123_abc';

test.each<[string, string, AmfValue, string]>([
  ['words', plain, 'Stream already publishing', 'Stream already publishing'],
  ['nothing', plain, undefined, ''],
  ['a number', plain, 7, ''],
  ['an object', plain, { description: 'x' }, ''],
  ['characters that are not seen', plain, '\u0000A\r\n\tB\u200b\u2028C \u001b[31mD ', 'A B C [31mD'],
  ['the key', plain, 'live/live_123_abc is in use: live_123_abc', 'live/*** is in use: ***'],
  ['the key in other letters', plain, 'LIVE_123_ABC', '***'],
  ['the key without its query', `${plain}?auth=s3cret`, 'live_123_abc is in use', '*** is in use'],
  ['the key with its query', `${plain}?auth=s3cret`, 'live_123_abc?auth=s3cret?', '***?'],
  ['a value of its query', `${plain}?v=1&auth=s3cret`, 'token s3cret, version 1', 'token ***, version 1'],
  ["a value of the app's query", 'rtmp://cdn/live?auth=s3cret/key1', 'token s3cret', 'token ***'],
  ['a short value that is long when encoded', `${plain}?v=%20a`, 'It is at an end', 'It is at an end'],
  ['a value decoded', `${plain}?auth=s3%2Fret`, 's3/ret', '***'],
  ['the key decoded', 'rtmp://cdn/live/a%2Bb%3Dcd', 'a+b=cd or a%2Bb%3Dcd', '*** or ***'],
  ['a key that cannot be decoded', 'rtmp://cdn/live/100%key', '100%key', '***'],
  ['a key of special characters', 'rtmp://cdn/live/(.*)+[a-z]$', 'say (.*)+[a-z]$ or abc', 'say *** or abc'],
  ['a short key', 'rtmp://cdn/live/a', 'Bad name', 'B***d n***me'],
  ['a key of asterisks', 'rtmp://cdn/live/*', 'No * here', ''],
  ['199 and an emoji', plain, `${'x'.repeat(199)}😀`, `${'x'.repeat(199)}\ufffd`],
  ['too much', plain, 'x'.repeat(60_000), 'x'.repeat(200)],
  ['the key at the end of what is kept', plain, `${'x'.repeat(195)}live_123_abc`, `${'x'.repeat(195)}***`],
])('%s', (_, address, said, expected) => {
  expect(peerWords(said, addressOf(address))).toBe(expected);
});
