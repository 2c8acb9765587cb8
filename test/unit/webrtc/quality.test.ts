import { expect, test } from 'vitest';
import { qualityOf, statisticsOf } from '../../../gateways/webrtc/quality.ts';

type Producers = Parameters<typeof qualityOf>[0];
type Producer = Parameters<typeof statisticsOf>[0];

/** A producer with these scores, one for each quality that it sends. */
function sending(...scores: number[]): Producers[number] {
  return { paused: false, score: scores.map((score, index) => ({ ssrc: index, encodingIdx: index, score })) };
}

test.each<[string, Producers, string]>([
  ['nothing published', [], 'excellent'],
  ['no score yet', [sending()], 'excellent'],
  ['10', [sending(10)], 'excellent'],
  ['8', [sending(8)], 'excellent'],
  ['7', [sending(7)], 'good'],
  ['5', [sending(5)], 'good'],
  ['4', [sending(4)], 'poor'],
  ['0', [sending(0)], 'poor'],
  ['the worst of two tracks', [sending(10), sending(6)], 'good'],
  ['the best of a simulcast stream', [sending(0, 0, 9)], 'excellent'],
  ['a paused track, which does not count', [{ ...sending(0), paused: true }, sending(9)], 'excellent'],
  ['nothing but a paused track', [{ ...sending(0), paused: true }], 'excellent'],
])('with %s the connection of %j is %s', (_, producers, quality) => {
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
