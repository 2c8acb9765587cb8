import { describe, expect, test } from 'vitest';
import { aacBody } from '../../support/flv-bodies.ts';
import { decoderConfig, decoderFrames, push } from '../../support/push.ts';

/* AAC as encoders send it where FLV wants its configuration first, and frames without headers of their own. */

interface Shape {
  /** AudioSpecificConfig of it (ISO/IEC 14496-3, section 1.6.2.1). */
  readonly config: Buffer;
  readonly rateIndex: number;
  readonly channels: number;
  readonly frameMs: number;
}

const SHAPES: [string, Shape][] = [
  ['48 kHz stereo', { config: Buffer.from('1190', 'hex'), rateIndex: 3, channels: 2, frameMs: 1024 / 48 }],
  [
    '44.1 kHz stereo',
    { config: Buffer.from('1210', 'hex'), rateIndex: 4, channels: 2, frameMs: 1024 / 44.1 },
  ],
  ['8 kHz mono', { config: Buffer.from('1588', 'hex'), rateIndex: 11, channels: 1, frameMs: 128 }],
];
const [[, USUAL]] = SHAPES as [[string, Shape]];
const SECONDS = 5;

/** A frame that is told from others. */
function frame(number: number): Buffer {
  return Buffer.concat([Buffer.of(0x21, 0x10, 1 + (number % 250)), Buffer.alloc(60, 0x5a)]);
}

/** Behind a header as in MPEG transport streams: 7 bytes, or 9 with a checksum (ISO/IEC 13818-7, section 6.2). */
function adts({ rateIndex, channels }: Shape, data: Buffer, hasChecksum = false): Buffer {
  const bytes = data.length + (hasChecksum ? 9 : 7);
  const low = 1; // profile of AAC-LC
  return Buffer.concat([
    Buffer.of(0xff, hasChecksum ? 0xf0 : 0xf1, (low << 6) | (rateIndex << 2) | (channels >> 2)),
    Buffer.of(((channels & 3) << 6) | (bytes >> 11), (bytes >> 3) & 0xff, ((bytes & 7) << 5) | 0x1f, 0xfc),
    ...(hasChecksum ? [Buffer.of(0x12, 0x34)] : []),
    data,
  ]);
}

/** Sends frames in real time. @param body - of one message @param perMessage - frames that it holds */
function play(body: (number: number) => Buffer, { frameMs }: Shape, perMessage = 1, config?: Buffer) {
  const all = push();
  all.open('audio');
  if (config) all.audio(aacBody(0, config), 0);
  for (let number = 0; number * frameMs < SECONDS * 1000; number += perMessage) {
    all.audio(body(number), Math.round(number * frameMs));
    all.clock.advance(frameMs * perMessage);
  }
  return all;
}

function expectDecoded({ config }: Shape): void {
  expect(decoderConfig()).toEqual(config);
  const frames = decoderFrames();
  expect(frames.length).toBeGreaterThan(30);
  const first = frames[0]!;
  const numbers = Array.from({ length: 250 }, (_, number) => frame(number));
  const from = numbers.findIndex((one) => one.equals(first));
  expect(frames.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, index) => frame(from + index)));
}

describe('AAC behind headers of transport streams (ADTS) is decoded', () => {
  test.each(SHAPES)('without a configuration: %s', (_, shape) => {
    const { plan, statistics } = play((number) => aacBody(1, adts(shape, frame(number))), shape);
    expect(plan('audio')).toMatchObject({ codec: 'AAC', outcome: 'transcode' });
    expect(statistics.audio?.format).toMatch(/^AAC-LC \d+(\.\d+)? kHz (stereo|mono)$/);
    expectDecoded(shape);
  });

  test.each(SHAPES)('behind the configuration that promises frames without them: %s', (_, shape) => {
    play((number) => aacBody(1, adts(shape, frame(number))), shape, 1, shape.config);
    expectDecoded(shape);
  });

  test.each(SHAPES)('with checksums: %s', (_, shape) => {
    play((number) => aacBody(1, adts(shape, frame(number), true)), shape);
    expectDecoded(shape);
  });

  test.each(SHAPES)('with two frames in a message: %s', (_, shape) => {
    const two = (number: number) => [number, number + 1].map((one) => adts(shape, frame(one)));
    play((number) => aacBody(1, Buffer.concat(two(number))), shape, 2);
    expectDecoded(shape);
  });
});

describe('AAC without its configuration', () => {
  const bare = () => play((number) => aacBody(1, frame(number)), USUAL);

  test('is refused in words, as it cannot be decoded', () => {
    const { plan, log } = bare();
    expect(plan('audio')).toMatchObject({ codec: 'AAC', outcome: 'refused' });
    expect(plan('audio')?.reason).toMatch(/configuration|sequence header/i);
    expect(log.text).toMatch(/configuration|sequence header/i);
  });

  test('is refused once, however long it comes', () => {
    const { plans } = bare();
    expect(plans.filter(({ outcome }) => outcome === 'refused')).toHaveLength(1);
  });

  test('is taken as soon as that comes', () => {
    const all = bare();
    expect(all.plan('audio')?.outcome).toBe('refused');
    all.audio(aacBody(0, USUAL.config), SECONDS * 1000);
    for (let number = 0; number < 50; number++) {
      all.audio(aacBody(1, frame(number)), SECONDS * 1000 + number * 21);
      all.clock.advance(21);
    }
    expect(all.plan('audio')).toMatchObject({ codec: 'AAC', outcome: 'transcode' });
    expectDecoded(USUAL);
  });

  test.each<[string, string]>([
    ['empty', ''],
    ['of one byte', '11'],
    ['all zeros', '0000'],
  ])('is not helped by one that is %s', (_, config) => {
    const { plan } = play((number) => aacBody(1, frame(number)), USUAL, 1, Buffer.from(config, 'hex'));
    expect(plan('audio')).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/configuration|sequence header/i),
    });
  });
});
