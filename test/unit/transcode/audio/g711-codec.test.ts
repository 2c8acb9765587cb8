import { describe, expect, test } from 'vitest';
import { A_LAW_TO_LINEAR, encodeALaw, encodeMuLaw, MU_LAW_TO_LINEAR } from '../../../../src/media/g711.ts';
import { createDecoder, createEncoder, decodingRate } from '../../../../transcode/audio/audio-codec.ts';

const LAWS = [
  { law: 'PCMU', encode: encodeMuLaw, table: MU_LAW_TO_LINEAR },
  { law: 'PCMA', encode: encodeALaw, table: A_LAW_TO_LINEAR },
] as const;

const CODES = Uint8Array.from({ length: 256 }, (_, code) => code);
const SAMPLES = Int16Array.from({ length: 160 }, (_, index) => Math.round(9000 * Math.sin(index / 7)));

describe.each(LAWS)('$law', ({ law, encode, table }) => {
  test('is decoded at 8000 Hz for any mix', () => {
    expect([8000, 16_000, 48_000].map((rate) => decodingRate(law, rate as 8000))).toEqual([8000, 8000, 8000]);
    expect(createDecoder(law, 8000).rate).toBe(8000);
  });

  test('decodes every code', () => {
    const output = new Int16Array(960);
    expect(createDecoder(law, 8000).decode(CODES, output)).toBe(256);
    expect(output.subarray(0, 256)).toEqual(table);
  });

  test.each([80, 160, 240, 480, 960])('decodes packets of %i samples', (count) => {
    expect(createDecoder(law, 8000).decode(new Uint8Array(count), new Int16Array(5760))).toBe(count);
  });

  test.each([
    ['empty', 0, 5760],
    ['longer than 120 ms', 961, 5760],
    ['longer than the output', 160, 159],
  ])('takes a payload that is %s for none', (_, bytes, room) => {
    const output = new Int16Array(room);
    expect(createDecoder(law, 8000).decode(new Uint8Array(bytes), output)).toBe(0);
    expect(output.every((sample) => sample === 0)).toBe(true);
  });

  test('encodes 20 ms at an offset', () => {
    const target = new Uint8Array(12 + 160 + 1);
    const encoder = createEncoder(law, 8000);
    expect(encoder.encode(SAMPLES, target, 12)).toBe(160);
    expect(target).toEqual(Uint8Array.from([...new Uint8Array(12), ...Array.from(SAMPLES, encode), 0]));
    expect({ ...encoder, rate: encoder.rate }).toMatchObject({
      rate: 8000,
      hasMemory: false,
      timestampStep: 160,
    });
  });

  test('makes up for what is lost, and forgets it at a reset', () => {
    const decoder = createDecoder(law, 8000);
    const output = new Int16Array(480);
    const payload = Uint8Array.from({ length: 480 }, (_, index) =>
      encode(9000 * Math.sin((2 * Math.PI * index) / 80)),
    );
    decoder.decode(payload, output);
    expect(decoder.conceal(160, undefined, output)).toBe(160);
    expect(Math.max(...output.subarray(0, 80))).toBeGreaterThan(8000);
    expect(decoder.conceal(160, undefined, new Int16Array(100))).toBe(100);
    decoder.reset();
    decoder.conceal(160, undefined, output);
    expect(output.subarray(0, 160)).toEqual(new Int16Array(160));
  });

  test('blends the first good packet with what was made up', () => {
    const decoder = createDecoder(law, 8000);
    const output = new Int16Array(160);
    decoder.decode(new Uint8Array(160).fill(encode(4000)), output);
    decoder.conceal(160, undefined, output);
    decoder.decode(new Uint8Array(160).fill(encode(-4000)), output);
    expect(output[0]).toBeGreaterThan(0);
    expect(output[159]).toBe(table[encode(-4000)]);
  });
});
