import { describe, expect, test } from 'vitest';
import {
  annexB,
  avcBody,
  EX,
  exVideo,
  PLAIN,
  pictureBody,
  recordOf,
  sequenceHeader,
  soundBody,
} from '../../support/flv-bodies.ts';
import { stream } from '../../support/picture-stream.ts';
import { type Push, push } from '../../support/push.ts';

/* Whatever an encoder sends, the room is told what becomes of it: by its name, and with what to set instead. */

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** HEVCDecoderConfigurationRecord with VPS, SPS and PPS (ISO/IEC 14496-15, section 8.3.3.1). */
const VPS = hex('40010c01ffff0220000003009000000300000300 3c959409');
const HEVC_SPS = hex(
  '42010102200000030090000003000003003ca00a080c1f3b6595952930bc05a02000000300200000030141',
);
const HEVC_PPS = hex('4401c073c18927');
const HEVC_RECORD = Buffer.concat([
  hex('01 02 20000000 900000000000 3c f000 fc fd fa fa 0000 0f 03'),
  ...[VPS, HEVC_SPS, HEVC_PPS].map((unit) =>
    Buffer.concat([Buffer.of((unit[0]! >> 1) & 0x3f, 0, 1, unit.length >> 8, unit.length & 0xff), unit]),
  ),
]);
/** An IDR picture's slice, and another one's. */
const hevcSlice = (key: boolean) => Buffer.concat([hex(key ? '2601af' : '0201d0'), Buffer.alloc(20, 0x5a)]);
const behindLength = (unit: Buffer) => Buffer.concat([Buffer.of(0, 0, 0, unit.length), unit]);

type Send = (push: Push, key: boolean, ms: number) => void;

/** @param body - of each picture @param header - what comes once, before all */
function pictures(body: (key: boolean) => Buffer, header?: Buffer): Send {
  return ({ video }, key, ms) => {
    if (header && ms === 0) video(header, 0);
    video(body(key), ms);
  };
}

function sounds(body: Buffer): Send {
  return ({ audio }, _, ms) => audio(body, ms);
}

/** Five seconds of it, while somebody watches and listens. */
function play(send: Send): Push {
  const all = push();
  all.open('video', 'audio');
  stream(all, (key, _, ms) => send(all, key, ms), { seconds: 5 });
  return all;
}

const VIDEO_ADVICE = /set .*H\.264/;
const AUDIO_ADVICE = /set .*AAC/;
const data = Buffer.alloc(50, 0x5a);

describe('a codec that nobody takes is told by its name', () => {
  test.each<[string, number, RegExp]>([
    ['ADPCM', 0x1f, /ADPCM/],
    ['sound of format 12, which is nobody’s', 0xcf, /12/],
    ['device-specific sound', 0xff, /device|15/i],
  ])('%s', (_, header, name) => {
    const { plan, log } = play(sounds(soundBody(header, data)));
    expect(plan('audio')).toMatchObject({ outcome: 'refused' });
    for (const text of [plan('audio')!.reason, log.text]) expect(text).toMatch(name);
    expect(plan('audio')!.reason).toMatch(AUDIO_ADVICE);
    expect(plan('audio')!.codec).not.toBe('other');
  });

  test.each<[string, (key: boolean) => Buffer, RegExp]>([
    ['video of codec 1', (key) => soundBody(key ? 0x11 : 0x21, data), /\b1\b|JPEG/],
    ['video of codec 9', (key) => soundBody(key ? 0x19 : 0x29, data), /\b9\b/],
    [
      'VP8 of Enhanced RTMP',
      (key) => exVideo(EX.frames, 'vp08', data, { frame: key ? 'key' : 'inter' }),
      /VP8|vp08/,
    ],
    ['VVC', (key) => exVideo(EX.frames, 'vvc1', data, { frame: key ? 'key' : 'inter' }), /VVC|H\.266|vvc1/],
    [
      'what nobody knows',
      (key) => exVideo(EX.frames, 'xyz1', data, { frame: key ? 'key' : 'inter' }),
      /xyz1/,
    ],
  ])('%s', (_, body, name) => {
    const { plan, log } = play(pictures(body));
    // What can be decoded may be taken.
    if (plan('video')?.outcome !== 'transcode') expect(plan('video')?.outcome).toBe('refused');
    for (const text of [plan('video')!.reason, log.text]) expect(text).toMatch(name);
    if (plan('video')?.outcome === 'refused') expect(plan('video')!.reason).toMatch(VIDEO_ADVICE);
  });
});

describe('H.264 that cannot be decoded is refused in words', () => {
  const record = recordOf(PLAIN);
  test.each<[string, Buffer | undefined]>([
    ['without a configuration', undefined],
    ['with one that is cut off', sequenceHeader(record.subarray(0, 20))],
    ['with one that is empty', sequenceHeader(Buffer.alloc(0))],
    ['with one of another version', sequenceHeader(Buffer.concat([Buffer.of(0), record.subarray(1)]))],
    ['with one that has no parameter sets', sequenceHeader(hex('014d401effe000'))],
    ['with one of zeros', sequenceHeader(Buffer.alloc(40))],
  ])('%s', (_, header) => {
    const { plan, plans, log } = play(pictures((key) => pictureBody(key), header));
    expect(plan('video')).toMatchObject({ codec: 'H264', outcome: 'refused' });
    for (const text of [plan('video')!.reason, log.text])
      expect(text).toMatch(/configuration|parameter sets|sequence header/i);
    expect(plans).toHaveLength(1);
  });

  test('where its pictures are neither behind lengths nor behind start codes', () => {
    const body = (key: boolean) => avcBody(Buffer.alloc(60, 0xee), { frame: key ? 'key' : 'inter' });
    const { plan } = play(pictures(body, sequenceHeader(record)));
    expect(plan('video')).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/NAL|cannot be read|malformed|broken/i),
    });
  });

  test('until its configuration comes', () => {
    const all = play(pictures((key) => pictureBody(key)));
    expect(all.plan('video')?.outcome).toBe('refused');
    all.video(sequenceHeader(record), 5_000);
    stream(all, (key, number, ms) => all.video(pictureBody(key, number), ms), { from: 125, seconds: 3 });
    expect(all.plan('video')).toMatchObject({ outcome: 'pass-through', width: 640 });
  });
});

/** HEVC that says that it is H.264, as some cameras send it. */
describe('HEVC under the number of H.264 is told as HEVC', () => {
  const inBand = (join: (units: readonly Buffer[]) => Buffer) => (key: boolean) =>
    avcBody(join(key ? [VPS, HEVC_SPS, HEVC_PPS, hevcSlice(true)] : [hevcSlice(false)]), {
      frame: key ? 'key' : 'inter',
    });
  test.each<[string, Send]>([
    [
      'with its configuration',
      pictures(
        (key) => avcBody(behindLength(hevcSlice(key)), { frame: key ? 'key' : 'inter' }),
        sequenceHeader(HEVC_RECORD),
      ),
    ],
    ['with parameter sets in band', pictures(inBand((units) => Buffer.concat(units.map(behindLength))))],
    ['behind start codes', pictures(inBand((units) => annexB(units)))],
  ])('%s', (_, send) => {
    const { plan } = play(send);
    expect(plan('video')?.outcome).toMatch(/^(transcode|refused)$/);
    expect(plan('video')?.reason).toMatch(/HEVC|H\.?265/);
  });
});

test.each<[string, number | undefined]>([
  ['12', 12],
  ['by its FourCC', undefined],
])('HEVC %s without its configuration is taken from its pictures, or refused in words', (_, codecId) => {
  const body = (key: boolean) => {
    const frame = key ? ('key' as const) : ('inter' as const);
    const nals = key ? [VPS, HEVC_SPS, HEVC_PPS, hevcSlice(true)] : [hevcSlice(false)];
    const units = Buffer.concat(nals.map(behindLength));
    return codecId ? avcBody(units, { frame, codecId }) : exVideo(EX.framesX, 'hvc1', units, { frame });
  };
  const { plan, encoders } = play(pictures(body));
  expect(plan('video')?.reason).toMatch(/HEVC|H\.?265/);
  if (plan('video')?.outcome !== 'refused') expect(encoders.at(-1)?.fed.length).toBeGreaterThan(0);
});

test('pictures without a byte are said not to be any', () => {
  const body = (key: boolean) => avcBody(Buffer.alloc(0), { frame: key ? 'key' : 'inter' });
  const { plan } = play(pictures(body, sequenceHeader(recordOf(PLAIN))));
  expect(plan('video')).toMatchObject({
    outcome: 'refused',
    reason: expect.stringMatching(/empty|no (picture|data|NAL)|without/i),
  });
});

test('an encoder that sends what nobody takes is told of once, however long it sends', () => {
  const { plans } = play(({ video, audio }, key, ms) => {
    video(soundBody(key ? 0x19 : 0x29, data), ms);
    audio(soundBody(0x1f, data), ms);
  });
  expect(plans.map(({ kind, codec, outcome }) => [kind, codec === 'other', outcome])).toEqual([
    ['video', false, 'refused'],
    ['audio', false, 'refused'],
  ]);
});
