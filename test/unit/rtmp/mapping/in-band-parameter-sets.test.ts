import { describe, expect, test } from 'vitest';
import {
  annexB,
  avcBody,
  DELIMITER,
  EX,
  exVideo,
  interSlice,
  keySlice,
  PLAIN,
  PPS,
  recordOf,
  SEI,
  sequenceHeader,
  WITH_B,
} from '../../support/flv-bodies.ts';
import { withLengths } from '../../support/nal-units.ts';
import { GROUP, sliceNumbers, stream, wholePictures } from '../../support/picture-stream.ts';
import { push } from '../../support/push.ts';

/* The configuration of H.264 as encoders send it where the specification wants a record in a message of its own, and lengths. */

const SECONDS = 3;
const SENT = SECONDS * GROUP;
/** Lengths from 256 to 511 look like the start code of three bytes and a NAL unit's header. */
const LIKE_A_START_CODE = [0x141, 0x165, 0x167, 0x1ff];

interface Encoder {
  /** What comes first. */
  readonly header?: Buffer;
  picture(key: boolean, number: number, sps: Buffer): Buffer;
}

type Join = (units: readonly Buffer[]) => Buffer;

const slice = (key: boolean, number: number) => (key ? keySlice(number) : interSlice(number));

/** @param join - how NAL units are strung together */
function encoder(join: Join, header?: Buffer): Encoder {
  return {
    ...(header ? { header } : {}),
    picture: (key, number, sps) =>
      avcBody(join(key ? [sps, PPS, slice(key, number)] : [slice(key, number)]), {
        frame: key ? 'key' : 'inter',
      }),
  };
}

/** The sets are in the header alone. */
function bare(join: Join, header: Buffer): Encoder {
  const picture = (key: boolean, number: number) =>
    avcBody(join([slice(key, number)]), { frame: key ? 'key' : 'inter' });
  return { header, picture };
}

const startCodes =
  (bytes: 3 | 4 | 'mixed'): Join =>
  (units) =>
    annexB(units, bytes);
const HEADER = sequenceHeader(recordOf(PLAIN));

const ENCODERS: [string, Encoder][] = [
  ['without a header, behind lengths', encoder(withLengths)],
  ['without a header, behind start codes of four bytes', encoder(startCodes(4))],
  ['without a header, behind start codes of three bytes', encoder(startCodes(3))],
  ['without a header, behind start codes of both kinds', encoder(startCodes('mixed'))],
  ['behind an empty header, behind start codes', encoder(startCodes(4), sequenceHeader(Buffer.alloc(0)))],
  ['behind a right header, behind start codes of four bytes', encoder(startCodes(4), HEADER)],
  ['behind a right header, behind start codes of three bytes', encoder(startCodes(3), HEADER)],
  ['in a right header alone, before pictures behind start codes', bare(startCodes(4), HEADER)],
  [
    'in a header that has them behind start codes, before pictures behind start codes',
    bare(startCodes(4), sequenceHeader(annexB([PLAIN, PPS]))),
  ],
  [
    'in a header that has them behind start codes, before pictures behind lengths',
    bare(withLengths, sequenceHeader(annexB([PLAIN, PPS]))),
  ],
  [
    'behind start codes, with delimiters and SEI, and zeros behind all',
    encoder((units) => Buffer.concat([annexB([DELIMITER, SEI, ...units]), Buffer.alloc(3)])),
  ],
  [
    'without a header, with pictures whose lengths look like start codes',
    {
      picture: (key, number, sps) => {
        const bytes = LIKE_A_START_CODE[number % LIKE_A_START_CODE.length]!;
        const units = key ? [sps, PPS, keySlice(number, bytes)] : [interSlice(number, bytes)];
        return avcBody(withLengths(units), { frame: key ? 'key' : 'inter' });
      },
    },
  ],
  [
    'once, before the first picture',
    {
      picture: (key, number, sps) => {
        const sets = number === 0 ? [sps, PPS] : [];
        return avcBody(withLengths([...sets, slice(key, number)]), { frame: key ? 'key' : 'inter' });
      },
    },
  ],
  [
    'without a header, in messages of Enhanced RTMP',
    {
      picture: (key, number, sps) => {
        const units = key ? [sps, PPS, keySlice(number)] : [interSlice(number)];
        return exVideo(EX.framesX, 'avc1', withLengths(units), { frame: key ? 'key' : 'inter' });
      },
    },
  ],
];

/** It is watched, and shown in a program. */
function watched({ header, picture }: Encoder, sps = PLAIN) {
  const all = push();
  all.open('video');
  const program = all.program();
  if (header) all.video(header, 0);
  stream(all, (key, number, ms) => all.video(picture(key, number, sps), ms), { seconds: SECONDS });
  return { ...all, program };
}

/** Without the first group, before which an encoder's manner may have to be found out, and the last picture. */
function settled<T extends { readonly nals: readonly Buffer[] }>(pictures: readonly T[]): T[] {
  return pictures.filter((picture) => {
    const [number = -1] = sliceNumbers([picture])[0]!;
    return number >= GROUP && number < SENT - 1;
  });
}

const withoutSei = (nals: readonly Buffer[]) => nals.filter((nal) => (nal[0]! & 0x1f) !== 6);

describe('H.264 is taken whose parameter sets come', () => {
  test.each(ENCODERS)('%s', (_, one) => {
    const { pictures, plan, statistics } = watched(one);
    expect(plan('video')).toMatchObject({ codec: 'H264', outcome: 'pass-through', width: 640, height: 360 });
    expect(statistics.video).toMatchObject({ format: 'H.264 Main', width: 640, height: 360 });
    // A header that is none may count.
    expect(statistics.video?.dropped).toBeLessThanOrEqual(1);
    const shown = settled(pictures());
    expect(sliceNumbers(shown)).toEqual(wholePictures(GROUP, SENT - 1));
    for (const { nals } of shown) {
      const [number] = sliceNumbers([{ nals }])[0]!;
      const isKey = number! % GROUP === 0;
      const sets = isKey ? [PLAIN, PPS] : [];
      expect(withoutSei(nals).slice(0, -1)).toEqual(sets);
    }
  });

  test.each(ENCODERS)('%s, by programs', (_, one) => {
    const { program } = watched(one);
    const shown = settled(program);
    expect(sliceNumbers(shown)).toEqual(wholePictures(GROUP, SENT - 1));
    for (const { parameterSets, nals, width, height, key } of shown) {
      expect({ parameterSets, width, height }).toEqual({
        parameterSets: [PLAIN, PPS],
        width: 640,
        height: 360,
      });
      const number = sliceNumbers([{ nals }])[0]![0]!;
      const sent = slice(key, number);
      expect([nals.at(-1)!.subarray(0, sent.length - 2), key]).toEqual([
        sent.subarray(0, -2),
        number % GROUP === 0,
      ]);
    }
  });

  test.each(ENCODERS.filter(([, { header }]) => !header))(
    '%s, and is re-encoded where it has to be',
    (_, one) => {
      const { encoders, plan } = watched(one, WITH_B);
      expect(plan('video')).toMatchObject({ codec: 'H264', outcome: 'transcode', width: 640 });
      const fed = settled(encoders.flatMap(({ units }) => units.map((nals) => ({ nals }))));
      expect(sliceNumbers(fed)).toEqual(wholePictures(GROUP, SENT - 1));
      expect(withoutSei(fed[0]!.nals).slice(0, 2)).toEqual([WITH_B, PPS]);
    },
  );
});
