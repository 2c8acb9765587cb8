// The load's process: started by phone-load.ts, does what it is asked one after the other, ends with its parent.
import type { Address } from '../peers/phone-line.ts';
import { PhoneLine } from '../peers/phone-line.ts';
import type { LoadReply, LoadRequest } from './phone-load.ts';
import { answerRequests, type LoadCall, placeCall } from './phone-load-call.ts';
import { PhoneCrowd } from './phone-load-crowd.ts';
import { LoadLeg } from './phone-load-leg.ts';

/** Not the one that the product is on: so nobody takes a port that another is about to. */
const ADDRESS = '127.0.0.2';
/** Below the rate at which the product lets one address call unless it is told otherwise. */
const CALLS_PER_SECOND = 45;

const line = await PhoneLine.open(ADDRESS);
answerRequests(line);
let legs: LoadLeg[] = [];
let calls: LoadCall[] = [];
let crowd: PhoneCrowd | undefined;

async function open(count: number): Promise<void> {
  legs = await Promise.all(Array.from({ length: count }, (_, index) => LoadLeg.open(ADDRESS, index + 1)));
}

async function call(uri: string, count: number, talkers: number): Promise<void> {
  await open(count);
  const placed = legs.map(async (leg, index) => {
    await new Promise((resolve) => setTimeout(resolve, (index * 1000) / CALLS_PER_SECOND));
    const one = await placeCall(line, uri, { address: ADDRESS, port: leg.port }, `caller ${index}`);
    calls.push(one);
    await leg.connect(one.remote);
  });
  await Promise.all(placed);
  crowd = new PhoneCrowd(legs, talkers);
}

async function join(remotes: readonly Address[], talkers: number): Promise<void> {
  await open(remotes.length);
  await Promise.all(legs.map((leg, index) => leg.connect(remotes[index]!)));
  crowd = new PhoneCrowd(legs, talkers);
}

async function end(): Promise<void> {
  await Promise.all(calls.map((one) => one.hangUp()));
  crowd?.close();
  calls = [];
}

async function handle(request: LoadRequest): Promise<LoadReply> {
  switch (request.type) {
    case 'call':
      await call(request.uri, request.calls, request.talkers);
      return {};
    case 'join':
      await join(request.remotes, request.talkers);
      return {};
    case 'measure':
      return { figures: await crowd!.measure(request.seconds) };
    case 'end':
      await end();
      return {};
  }
}

process.on('message', (request) => {
  handle(request as LoadRequest).then(
    (reply) => process.send!(reply),
    (error: Error) => process.send!({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send!({});
