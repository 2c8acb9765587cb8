import { describe, expect, test } from 'vitest';
import { aacBody, EX, exAudio, soundBody } from '../../../support/flv-bodies.ts';
import { mutationsOf } from '../../../support/mutations.ts';
import { demuxing } from './demuxing.ts';

/** AAC-LC at 48 kHz, of two channels. */
const CONFIG = Buffer.from('1190', 'hex');
/** At 44.1 kHz, of one. */
const OTHER_CONFIG = Buffer.from('1208', 'hex');
const FRAME = Buffer.from('211004', 'hex');
const WITHOUT_CONFIG = 'audio: AAC without its configuration (the AAC sequence header)';

/** A frame of ADTS, by the letter of ISO/IEC 13818-7, section 6.2. */
function adts(data: Buffer, { hasCrc = false, rateIndex = 3, channels = 2 } = {}): Buffer {
  const length = 7 + (hasCrc ? 2 : 0) + data.length;
  const header = Buffer.of(
    0xff,
    0xf0 | (hasCrc ? 0 : 1),
    // Profile 1 is AAC-LC.
    (1 << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  );
  return Buffer.concat([header, Buffer.alloc(hasCrc ? 2 : 0), data]);
}

/** Gives it so many bodies, 20 ms apart. @returns what is told of the units that it makes */
function audioOf(bodies: readonly Buffer[], fromMs = 1_000) {
  const all = demuxing();
  for (const [index, body] of bodies.entries()) all.demuxer.audio(body, fromMs + 20 * index);
  return all;
}

describe('AAC', () => {
  test('becomes units behind its configuration, which says its rate and channels', () => {
    const { units, told } = audioOf([aacBody(0, CONFIG), aacBody(1, FRAME), aacBody(1, FRAME)]);
    expect(units.map(({ dtsUs, ptsUs, key, data }) => [dtsUs, ptsUs, key, data])).toEqual([
      [1_020_000, 1_020_000, true, FRAME],
      [1_040_000, 1_040_000, true, FRAME],
    ]);
    expect(units[0]!.format).toEqual({
      kind: 'audio',
      codec: 'AAC',
      config: CONFIG,
      sampleRate: 48_000,
      channels: 2,
    });
    expect([units[1]!.format === units[0]!.format, told]).toEqual([true, []]);
  });

  test('that repeats its configuration keeps its format, and with another has another', () => {
    const configs = [CONFIG, CONFIG, OTHER_CONFIG, OTHER_CONFIG, CONFIG];
    const { units } = audioOf(configs.flatMap((config) => [aacBody(0, config), aacBody(1, FRAME)]));
    const formats = units.map(({ format }) => format);
    expect(formats.map((format) => [...new Set(formats)].indexOf(format))).toEqual([0, 0, 1, 1, 2]);
    expect(formats[2]).toMatchObject({ sampleRate: 44_100, channels: 1 });
  });

  test('has nothing of the message that its configuration came in', () => {
    const body = aacBody(0, CONFIG);
    const { demuxer, units } = audioOf([body]);
    body.fill(0xff);
    demuxer.audio(aacBody(1, FRAME), 0);
    expect(units[0]!.format).toMatchObject({ config: CONFIG });
  });

  test('without its configuration is told of once, after a second', () => {
    const { demuxer, units, told } = audioOf(Array(49).fill(aacBody(1, FRAME)));
    expect(told).toEqual([]);
    for (let index = 49; index < 500; index++) demuxer.audio(aacBody(1, FRAME), 20 * index);
    expect([units, told]).toEqual([[], [WITHOUT_CONFIG]]);
    demuxer.audio(aacBody(0, CONFIG), 10_000);
    demuxer.audio(aacBody(1, FRAME), 10_000);
    expect([units.length, told]).toEqual([1, [WITHOUT_CONFIG]]);
  });

  test.each([
    ['empty', ''],
    ['cut off', '11'],
    ['of no type of object', '0190'],
  ])('has no configuration in one that is %s, and goes on with the one before', (_, hex) => {
    const none = aacBody(0, Buffer.from(hex, 'hex'));
    const { units, demuxer } = audioOf([
      none,
      aacBody(1, FRAME),
      aacBody(0, CONFIG),
      aacBody(1, FRAME),
      none,
      aacBody(1, FRAME),
    ]);
    expect(units.map(({ format }) => (format as { config?: Buffer }).config)).toEqual([CONFIG, CONFIG]);
    expect(demuxer.malformed.audio).toBe(2);
  });

  test('whose frames are empty has none', () => {
    expect(audioOf([aacBody(0, CONFIG), aacBody(1, Buffer.alloc(0))]).units).toEqual([]);
  });
});

describe('AAC in frames of ADTS', () => {
  test.each([
    ['without a configuration', []],
    ['behind the same configuration', [aacBody(0, CONFIG)]],
    ['behind another configuration', [aacBody(0, OTHER_CONFIG)]],
  ])('says in each how it is decoded: %s', (_, header) => {
    const { units, told } = audioOf([
      ...header,
      aacBody(1, adts(FRAME)),
      aacBody(1, adts(FRAME, { hasCrc: true })),
    ]);
    expect(units.map(({ data }) => data)).toEqual([FRAME, FRAME]);
    expect(units[1]!.format).toBe(units[0]!.format);
    expect(units[0]!.format).toMatchObject({ config: CONFIG, sampleRate: 48_000, channels: 2 });
    expect(told).toEqual([]);
  });

  test('may hold several in a message, one behind the other in time', () => {
    const { units } = audioOf([aacBody(1, Buffer.concat([adts(FRAME), adts(FRAME), adts(FRAME)]))]);
    expect(units.map(({ dtsUs }) => dtsUs)).toEqual([1_000_000, 1_021_333, 1_042_667]);
  });

  test('may change', () => {
    const { units } = audioOf([
      aacBody(1, adts(FRAME)),
      aacBody(1, adts(FRAME, { rateIndex: 4, channels: 1 })),
    ]);
    expect(units[1]!.format).toMatchObject({ config: OTHER_CONFIG, sampleRate: 44_100, channels: 1 });
  });
});

describe('other codecs', () => {
  test.each<[string, number, number, string]>([
    ['A-law', 0x70, 1, 'PCMA'],
    ['A-law, stereo', 0x73, 2, 'PCMA'],
    ['µ-law', 0x82, 1, 'PCMU'],
  ])('%s is taken at 8 kHz, whatever its header says', (_, header, channels, codec) => {
    const data = Buffer.alloc(160, 0xd5);
    const { units, told } = audioOf([soundBody(header, data), soundBody(header, data)]);
    expect(units.map((unit) => [unit.dtsUs, unit.data, unit.key])).toEqual([
      [1_000_000, data, true],
      [1_020_000, data, true],
    ]);
    expect(units[0]!.format).toEqual({ kind: 'audio', codec, sampleRate: 8_000, channels });
    expect([units[1]!.format === units[0]!.format, told]).toEqual([true, []]);
  });

  test('MP3 has its rate in its own header', () => {
    const frame = Buffer.from('fffb9064', 'hex');
    const { units } = audioOf([soundBody(0x2f, frame), soundBody(0x2f, frame)]);
    expect(units.map(({ format, data }) => [format, data])).toEqual(
      Array(2).fill([{ kind: 'audio', codec: 'MP3' }, frame]),
    );
  });

  test('a change of codec is another format, and AAC behind another codec needs its configuration again', () => {
    const mp3 = soundBody(0x2f, Buffer.from('fffb9064', 'hex'));
    const aac = aacBody(1, FRAME);
    const { units } = audioOf([aacBody(0, CONFIG), aac, mp3, aac, aacBody(0, CONFIG), aac]);
    expect(units.map(({ format, dtsUs }) => `${format.codec} ${dtsUs / 1000}`)).toEqual([
      'AAC 1020',
      'MP3 1040',
      'AAC 1100',
    ]);
  });

  test.each<[string, Buffer]>([
    ['PCM', soundBody(0x3f, Buffer.alloc(10))],
    ['ADPCM', soundBody(0x1f, Buffer.alloc(10))],
    ['Speex', soundBody(0xb2, Buffer.alloc(10))],
    ['Nellymoser', soundBody(0x62, Buffer.alloc(10))],
    ['format 12', soundBody(0xcf, Buffer.alloc(10))],
    ['FLAC', exAudio(EX.frames, 'fLaC', FRAME)],
    ['AC-3', exAudio(EX.frames, 'ac-3', FRAME)],
    ['E-AC-3', exAudio(EX.frames, 'ec-3', FRAME)],
    ['xyz1', exAudio(EX.frames, 'xyz1', FRAME)],
  ])('of which no unit is made are told of once: %s', (codec, body) => {
    const { units, told, demuxer } = audioOf([body, body, body]);
    expect([units, told]).toEqual([[], [`audio: ${codec}`]]);
    for (const one of [soundBody(0x82, Buffer.alloc(10)), body, body]) demuxer.audio(one, 2_000);
    expect(told).toEqual([`audio: ${codec}`, `audio: ${codec}`]);
    expect(demuxer.malformed.audio).toBe(0);
  });

  test('of which no unit is made are told of each by its name', () => {
    const bodies = [0x1f, 0x3f, 0x1f].map((header) => soundBody(header, Buffer.alloc(10)));
    expect(audioOf(bodies).told).toEqual(['audio: ADPCM', 'audio: PCM', 'audio: ADPCM']);
  });
});

describe('Enhanced RTMP', () => {
  test.each<[string, string, Buffer, object]>([
    ['AAC', 'mp4a', CONFIG, { codec: 'AAC', config: CONFIG, sampleRate: 48_000, channels: 2 }],
    ['Opus', 'Opus', Buffer.from('OpusHead'), { codec: 'opus', sampleRate: 48_000 }],
    ['MP3', '.mp3', Buffer.alloc(0), { codec: 'MP3' }],
  ])('%s (%s) becomes units, and what begins it none', (_, fourCc, start, format) => {
    const frame = exAudio(EX.frames, fourCc, FRAME);
    const { units, told } = audioOf([
      exAudio(EX.start, fourCc, start),
      frame,
      exAudio(EX.end, fourCc, FRAME),
      frame,
    ]);
    expect(units.map(({ dtsUs, data }) => [dtsUs, data])).toEqual([
      [1_020_000, FRAME],
      [1_060_000, FRAME],
    ]);
    expect(units[0]!.format).toMatchObject(format);
    expect([units[1]!.format === units[0]!.format, told]).toEqual([true, []]);
  });

  test.each<[string, Parameters<typeof exAudio>[3]]>([
    ['nanoseconds in front', { modEx: [Buffer.from('0f4240', 'hex')] }],
    ['several modifiers', { modEx: [Buffer.alloc(1), Buffer.alloc(300)] }],
    ['the one track', { tracks: 'one' }],
    ['the first of two tracks', { tracks: 'many' }],
    ['the first of two tracks with codecs of their own', { tracks: 'many codecs' }],
  ])('may have %s', (_, options) => {
    const { units, told } = audioOf([exAudio(EX.frames, 'Opus', FRAME, options)]);
    expect([units.map(({ data }) => data), told]).toEqual([[FRAME], []]);
  });

  test('with a second track besides the first is the first alone', () => {
    const frame = (trackId: number) => exAudio(EX.frames, 'Opus', FRAME, { tracks: 'one', trackId });
    const { units, told, demuxer } = audioOf([frame(0), frame(1), frame(0), frame(1)]);
    expect(units.map(({ dtsUs }) => dtsUs)).toEqual([1_000_000, 1_040_000]);
    expect([told, demuxer.malformed.audio]).toEqual([[], 0]);
  });
});

test('what cannot be read is counted, and empty messages are not', () => {
  const bodies = ['', 'af', 'af0200', '914f70', '9709'].map((hex) => Buffer.from(hex, 'hex'));
  const { units, told, demuxer } = audioOf(bodies);
  expect([units, told, demuxer.malformed]).toEqual([[], [], { audio: 4, video: 0 }]);
});

test('times are of 32 bits', () => {
  const { demuxer, units } = demuxing();
  for (const ms of [2 ** 32 - 1, 19]) demuxer.audio(soundBody(0x82, FRAME), ms);
  expect(units.map(({ dtsUs }) => dtsUs)).toEqual([(2 ** 32 - 1) * 1000, 19_000]);
});

test('whatever strangers send becomes units that hold something, or none', () => {
  const samples = [
    aacBody(0, CONFIG),
    aacBody(1, FRAME),
    aacBody(1, Buffer.concat([adts(FRAME), adts(FRAME)])),
    soundBody(0x82, FRAME),
    exAudio(EX.frames, 'Opus', FRAME, { tracks: 'many', modEx: [FRAME] }),
  ];
  const { demuxer, units } = demuxing();
  let ms = 0;
  for (const body of mutationsOf(samples, 20_000)) demuxer.audio(body, ms++);
  expect(units.length).toBeGreaterThan(1_000);
  expect(units.filter(({ data }) => data.length === 0)).toEqual([]);
});
