// npm run bench [name …]: measures and prints. Figures for docs/measurements.md, with the machine they are from.
import os from 'node:os';
import { callRate } from './call-rate.ts';
import { encoderDelay } from './encoder-delay.ts';
import { encoderTranscode } from './encoder-transcode.ts';
import { encoders } from './encoders.ts';
import { fanOut } from './fan-out.ts';
import { lipSync } from './lip-sync.ts';
import { phoneDelay } from './phone-delay.ts';
import { phones } from './phones.ts';
import { relayDelay } from './relay-delay.ts';
import { relayStart } from './relay-start.ts';
import { relays } from './relays.ts';
import { firstStart, laterStart } from './startup.ts';

const BENCHES: Record<string, () => Promise<Record<string, number>>> = {
  startup: laterStart,
  'fan-out': fanOut,
  phones,
  'phone-delay': phoneDelay,
  'call-rate': callRate,
  encoders,
  'encoder-delay': encoderDelay,
  'encoder-transcode': encoderTranscode,
  'lip-sync': lipSync,
  relays,
  'relay-delay': relayDelay,
  'relay-start': relayStart,
  // Builds the mediasoup worker: minutes. Only when named.
  'first-start': firstStart,
};

const named = process.argv.slice(2);
const wanted = named.length > 0 ? named : Object.keys(BENCHES).filter((name) => name !== 'first-start');
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
const [cpu] = os.cpus();
console.log(
  `${os.availableParallelism()} cores of ${cpu?.model.trim()}, Linux ${os.release()}, Node ${process.version}`,
);
for (const name of wanted) {
  const figures = await BENCHES[name]!();
  for (const [what, figure] of Object.entries(figures))
    console.log(`${name.padEnd(17)} ${what.padEnd(55)} ${Number(figure.toPrecision(3))}`);
}
