// npm run fuzz [name …] [--seconds N] [--seed S]: feeds our parsers with broken input, a minute each unless told
// otherwise, and ends with code 1 at the first failure, with what it takes to repeat it.
import { parseArgs } from 'node:util';
import { type Fuzzer, FuzzFailure } from './failure.ts';
import { fuzzMedia } from './media.ts';
import { fuzzRtmp } from './rtmp.ts';

const FUZZERS: Record<string, Fuzzer> = {
  rtmp: fuzzRtmp,
  media: fuzzMedia,
};

/** Of one batch, which has a seed of its own. */
const ROUNDS = 500;
const PROGRESS_MS = 5000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const firstSeed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
const unknown = positionals.filter((name) => !Object.hasOwn(FUZZERS, name));
if (unknown.length > 0)
  fail(`No such fuzzer: ${unknown.join(', ')}. There are: ${Object.keys(FUZZERS).join(', ')}.`);
if (!(seconds > 0) || !Number.isInteger(firstSeed))
  fail('--seconds takes a number above 0, --seed an integer.');

for (const name of positionals.length > 0 ? positionals : Object.keys(FUZZERS)) run(name, FUZZERS[name]!);

function run(name: string, fuzz: Fuzzer): void {
  const start = performance.now();
  const refused: Record<string, number> = {};
  let rounds = 0;
  let printed = start;
  const print = () => {
    const reasons = Object.entries(refused).map(([code, count]) => `${code} ${count}`);
    console.log(`${name}: ${rounds} inputs from seed ${firstSeed}, refused: ${reasons.join(', ') || 'none'}`);
  };
  for (let seed = firstSeed; performance.now() - start < seconds * 1000; seed++) {
    try {
      const report = fuzz(seed, ROUNDS);
      rounds += report.rounds;
      for (const [code, count] of Object.entries(report.refused))
        refused[code] = (refused[code] ?? 0) + count;
    } catch (error) {
      console.error(error);
      const bytes = error instanceof FuzzFailure ? ` The bytes, in hex:\n${error.bytes.toString('hex')}` : '';
      fail(`${name} failed with seed ${seed} (again: npm run fuzz ${name} -- --seed ${seed}).${bytes}`);
    }
    if (performance.now() - printed < PROGRESS_MS) continue;
    printed = performance.now();
    print();
  }
  print();
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
