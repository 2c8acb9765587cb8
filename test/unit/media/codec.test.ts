import { expect, test } from 'vitest';
import { AUDIO_CODECS, mimeType, parseMimeType } from '../../../src/media/codec.ts';

test.each([
  ['audio/opus', { kind: 'audio', name: 'opus' }],
  ['video/H264', { kind: 'video', name: 'H264' }],
  ['AUDIO/PCMU', { kind: 'audio', name: 'PCMU' }],
  ['video/x-flexfec', { kind: 'video', name: 'x-flexfec' }],
  ['audio/telephone-event', { kind: 'audio', name: 'telephone-event' }],
])('the media type %s is read', (text, expected) => {
  expect(parseMimeType(text)).toEqual(expected);
});

test.each(['', 'audio', 'audio/', '/opus', 'image/png', 'audio/opus; rate=8000', ' audio/opus', 'audio/a/b'])(
  'the text %j is no media type of ours',
  (text) => {
    expect(parseMimeType(text)).toBeUndefined();
  },
);

test.each(Object.values(AUDIO_CODECS))('the media type of $name can be read again', (codec) => {
  expect(parseMimeType(mimeType('audio', codec))).toEqual({ kind: 'audio', name: codec.name });
});

test("the phones' codecs have the payload types and clock rates of RFC 3551", () => {
  expect(AUDIO_CODECS).toMatchObject({
    PCMU: { payloadType: 0, clockRate: 8000 },
    PCMA: { payloadType: 8, clockRate: 8000 },
    G722: { payloadType: 9, clockRate: 8000 },
    opus: { clockRate: 48000, channels: 2 },
  });
});
