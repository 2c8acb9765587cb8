import { seededRandom } from '../../signals/random.ts';

/**
 * Bytes as a stranger might send them: pure noise, and `samples` that are cut off, have bits turned over, bytes set to
 * extremes, taken out or doubled. The same for the same seed.
 */
export function* mutationsOf(samples: readonly Uint8Array[], rounds: number, seed = 7): Generator<Buffer> {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let round = 0; round < rounds; round++) {
    if (samples.length === 0 || below(8) === 0) {
      yield Buffer.from(Array.from({ length: below(120) }, () => below(256)));
      continue;
    }
    let bytes = Buffer.from(samples[below(samples.length)]!);
    for (let change = below(4); change >= 0 && bytes.length > 0; change--) {
      const at = below(bytes.length);
      const kind = below(6);
      if (kind === 0) bytes = bytes.subarray(0, at);
      else if (kind === 1) bytes[at] = bytes[at]! ^ (1 << below(8));
      else if (kind === 2) bytes[at] = 0xff;
      else if (kind === 3) bytes[at] = 0;
      else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(4))]);
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(0, below(20)), bytes.subarray(at)]);
    }
    yield bytes;
  }
}
