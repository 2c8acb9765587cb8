import { afterEach, describe, expect, test, vi } from 'vitest';
import { EncodedFrames } from '../../../../transcode/audio/encoded-frames.ts';
import { G711Encoder } from '../../../../transcode/audio/g711-codec.ts';
import type { AudioCodecName } from '../../../../transcode/audio/mix-format.ts';
import { MixListener } from '../../../../transcode/audio/mix-listener.ts';
import { OpusEncoder } from '../../../../transcode/audio/opus-codec.ts';
import { Ear, samplesOf, throughLaw } from '../../support/sounds.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const silence = new Int16Array(160);

/** For each tick whether he needs a mix of his own. */
function ownTicks(codec: AudioCodecName, speaks: readonly boolean[]): boolean[] {
  const listener = new MixListener({ codec, rate: 8000 }, new Ear());
  return speaks.map((speaking) => listener.takesOwn(speaking));
}

const times = (count: number, value: boolean) => new Array<boolean>(count).fill(value);

describe('a mix of his own', () => {
  test.each<[string, AudioCodecName, boolean[], boolean[]]>([
    ['is never needed by the silent', 'opus', times(300, false), times(300, false)],
    [
      'goes with the speech in G.711',
      'PCMU',
      [true, true, false, true, false],
      [true, true, false, true, false],
    ],
    [
      'stays for 99 ticks of silence in Opus',
      'opus',
      [true, ...times(150, false)],
      [...times(100, true), ...times(51, false)],
    ],
    [
      'stays for as long after every further word',
      'opus',
      [true, ...times(60, false), true, ...times(150, false)],
      [...times(161, true), ...times(51, false)],
    ],
  ])('%s', (_, codec, speaks, expected) => {
    expect(ownTicks(codec, speaks)).toEqual(expected);
  });
});

describe('the first frame of his own', () => {
  test('goes on from the shared mix of the tick before, once for each change', () => {
    const listener = new MixListener({ codec: 'opus', rate: 8000 }, new Ear());
    const encoded: number[] = [];
    const encode = vi.spyOn(OpusEncoder.prototype, 'encode');
    encode.mockImplementation((samples) => encoded.push(samples[0]!));
    const reset = vi.spyOn(OpusEncoder.prototype, 'reset');
    const frame = (value: number) => new Int16Array(160).fill(value);
    const speak = (value: number, before: number) => {
      expect(listener.takesOwn(true)).toBe(true);
      listener.encode(frame(value), frame(before));
    };
    speak(1, 101);
    speak(2, 102);
    for (let tick = 0; tick < 100; tick++) listener.takesOwn(false);
    speak(3, 103);
    expect(encoded).toEqual([101, 1, 2, 103, 3]);
    expect(reset).toHaveBeenCalledTimes(2);
  });

  test('is just encoded in G.711, which remembers nothing', () => {
    const ear = new Ear();
    const listener = new MixListener({ codec: 'PCMA', rate: 8000 }, ear);
    const encode = vi.spyOn(G711Encoder.prototype, 'encode');
    listener.takesOwn(true);
    listener.encode(new Int16Array(160).fill(5000), silence);
    expect(encode).toHaveBeenCalledOnce();
    expect(samplesOf(ear.heard, 'PCMA')).toEqual(new Array(160).fill(throughLaw(5000, 'PCMA')));
  });
});

test('what is shared and what is skipped goes to the sink as it is', () => {
  const ear = new Ear();
  const listener = new MixListener({ codec: 'PCMU', rate: 8000 }, ear);
  const frames = new EncodedFrames(listener.encoding, listener.format);
  frames.encode(new Int16Array(160));
  const [payload] = frames.payloads;
  listener.deliver(frames);
  listener.skip(5);
  expect(ear.memory).toEqual([payload]);
  expect(ear.heard).toEqual(payload!.subarray(0, 160));
  expect(ear.skipped).toEqual([5]);
});
