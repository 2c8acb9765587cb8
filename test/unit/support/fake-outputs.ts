import { PatchroomError } from '../../../src/base/errors.ts';
import type { Output, OutputDestination, OutputSource } from '../../../src/outputs/output.ts';
import type { Room } from '../../../src/room/room.ts';
import type { DeliveryReport } from '../../../transcode/delivery/delivery-report.ts';

/** In every address that tests give: nothing that is answered may have it. */
export const STREAM_KEY = 'hush-7f3a9c-not-for-anybody';
export const STARTED_AT = 1_700_000_000_000;

export const LIVE: DeliveryReport = {
  state: 'live',
  reason: '',
  bitrateBps: 2_600_000,
  bytesSent: 1_000_000,
  framesDropped: 3,
  retries: 0,
  uptimeMs: 5_000,
};

export function addressAt(host: string): string {
  return `rtmp://${host}/app/${STREAM_KEY}`;
}

export function destinationAt(host: string, change: Partial<OutputDestination> = {}): OutputDestination {
  return {
    address: addressAt(host),
    shownAddress: `rtmp://${host}/app/{hus...ody}`,
    report: LIVE,
    startedAt: STARTED_AT,
    endedAt: undefined,
    status: 'active',
    error: '',
    ...change,
  };
}

/** One that runs, to one destination. */
export function outputOf(room: Pick<Room, 'name' | 'sid'>, change: Partial<Output> = {}): Output {
  return {
    id: 'EG_1',
    roomName: room.name,
    roomSid: room.sid,
    source: { type: 'room' },
    status: 'active',
    error: '',
    startedAt: STARTED_AT,
    updatedAt: STARTED_AT,
    endedAt: undefined,
    destinations: [destinationAt('cdn.example')],
    ...change,
  };
}

function hostOf(address: string): string {
  return new URL(address).host;
}

/** Outputs that go nowhere; remembers what was asked of it. */
export class FakeOutputs {
  readonly calls: unknown[][] = [];
  all: Output[] = [];
  whoIsShown: { identity: string; track: string } | undefined;

  async start(room: Room, source: OutputSource, addresses: readonly string[]): Promise<Output> {
    this.calls.push(['start', room.name, source, addresses]);
    if (addresses.some((address) => !address.startsWith('rtmp')))
      throw new PatchroomError('invalid-request', 'The address has to begin with rtmp:// or rtmps://.');
    const destinations = addresses.map((address) => destinationAt(hostOf(address)));
    const id = `EG_${this.all.length + 1}`;
    const output = outputOf(room, { id, source, status: 'starting', destinations });
    this.all.push(output);
    return output;
  }

  get(id: string): Output | undefined {
    return this.all.find((output) => output.id === id);
  }

  async update(
    id: string,
    change: { readonly add: readonly string[]; readonly remove: readonly string[] },
  ): Promise<Output> {
    this.calls.push(['update', id, change]);
    return this.#replace(id, ({ destinations }) => ({
      destinations: [...destinations, ...change.add.map((address) => destinationAt(hostOf(address)))],
    }));
  }

  async stop(id: string): Promise<Output> {
    this.calls.push(['stop', id]);
    return this.#replace(id, () => ({ status: 'ending' }));
  }

  shown(_room: Room): { identity: string; track: string } | undefined {
    return this.whoIsShown;
  }

  #replace(id: string, change: (output: Output) => Partial<Output>): Output {
    const index = this.all.findIndex((output) => output.id === id);
    const output = { ...this.all[index]!, ...change(this.all[index]!) };
    this.all[index] = output;
    return output;
  }
}
