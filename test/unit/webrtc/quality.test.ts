import { expect, test } from 'vitest';
import { qualityOf, statisticsOf } from '../../../gateways/webrtc/quality.ts';

type Producers = Parameters<typeof qualityOf>[0];
type Producer = Parameters<typeof statisticsOf>[0];

/** A producer with these scores, one for each quality that it sends. */
function sending(...scores: number[]): Producers[number] {
  return { paused: false, score: scores.map((score, index) => ({ ssrc: index, encodingIdx: index, score })) };
}

test.each<[string, string, Producers]>([
  ['nothing published', 'excellent', []],
  ['no score yet', 'excellent', [sending()]],
  ['10', 'excellent', [sending(10)]],
  ['8', 'excellent', [sending(8)]],
  ['7', 'good', [sending(7)]],
  ['5', 'good', [sending(5)]],
  ['4', 'poor', [sending(4)]],
  ['0', 'poor', [sending(0)]],
  ['the worst of two tracks', 'good', [sending(10), sending(6)]],
  ['the best of a simulcast stream', 'excellent', [sending(0, 0, 9)]],
  ['a paused track, which does not count', 'excellent', [{ ...sending(0), paused: true }, sending(9)]],
  ['nothing but a paused track', 'excellent', [{ ...sending(0), paused: true }]],
])('with %s the connection is %s', (_, quality, producers) => {
  expect(qualityOf(producers)).toBe(quality);
});

function producerWith(streams: object[], clockRate: number): Producer {
  const rtpParameters = { codecs: [{ clockRate }] };
  return { getStats: async () => streams, rtpParameters } as unknown as Producer;
}

test("all qualities of a simulcast stream are counted together, with the worst's jitter in ms", async () => {
  const streams = [
    { packetCount: 100, packetsLost: 3, bitrate: 150_000, jitter: 900 },
    { packetCount: 250, packetsLost: 0, bitrate: 850_000, jitter: 2700 },
  ];
  expect(await statisticsOf(producerWith(streams, 90000))).toEqual({
    packets: 350,
    packetsLost: 3,
    bitrateBps: 1_000_000,
    jitterMs: 30,
  });
});

test('duplicates, which make the number of lost packets negative, count as none lost', async () => {
  const streams = [{ packetCount: 10, packetsLost: -2, bitrate: 0, jitter: 0 }];
  expect(await statisticsOf(producerWith(streams, 48000))).toMatchObject({ packetsLost: 0 });
});

test('before anything arrived all figures are 0', async () => {
  expect(await statisticsOf(producerWith([], 48000))).toEqual({
    packets: 0,
    packetsLost: 0,
    bitrateBps: 0,
    jitterMs: 0,
  });
});
