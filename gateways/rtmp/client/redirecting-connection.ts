import type { AccessUnit, MediaFormat } from '../../../src/media/access-unit.ts';
import type { ProgramDescription } from '../../../src/media/program.ts';
import type {
  DeliveryConnection,
  DeliveryConnectionEvents,
} from '../../../transcode/delivery/delivery-connection.ts';
import {
  ClientConnection,
  type ClientConnectionOptions,
  type ConnectionEvents,
} from './client-connection.ts';
import { maskedAddress, parseRtmpAddress, type RtmpAddress } from './rtmp-address.ts';

const MAX_REDIRECTS = 3;

/** One attempt to publish: follows the server to where it sends us, as often as that is sensible. */
export class RedirectingConnection implements DeliveryConnection {
  #options: ClientConnectionOptions;
  #events: DeliveryConnectionEvents;
  #connection: ClientConnection;
  #redirects = 0;

  /** Begins to connect. No event comes before this has returned. */
  constructor(options: ClientConnectionOptions, events: DeliveryConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#connection = this.#connect(options.address);
  }

  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  get bytesSent(): number {
    return this.#connection.bytesSent;
  }

  get bytesAcknowledged(): number {
    return this.#connection.bytesAcknowledged;
  }

  get acknowledges(): boolean {
    return this.#connection.acknowledges;
  }

  get largestAcknowledgementBytes(): number {
    return this.#connection.largestAcknowledgementBytes;
  }

  describe(description: ProgramDescription, formats: readonly MediaFormat[]): void {
    this.#connection.describe(description, formats);
  }

  send(unit: AccessUnit, originUs: number): void {
    this.#connection.send(unit, originUs);
  }

  finish(): void {
    this.#connection.finish();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #connect(address: RtmpAddress): ClientConnection {
    const events: ConnectionEvents = { ...this.#events, redirected: (url) => this.#follow(url) };
    return new ClientConnection({ ...this.#options, address }, events);
  }

  #follow(url: string): void {
    const address = withKey(url, this.#options.address.key);
    if (!address) {
      this.#events.closed('The server redirects to what is not an RTMP address.');
    } else if (this.#options.address.secure && !address.secure) {
      this.#events.closed(
        'The server redirects from rtmps:// to rtmp://, where the key could be read on the way.',
      );
    } else if (++this.#redirects > MAX_REDIRECTS) {
      this.#events.closed(`The server redirects more than ${MAX_REDIRECTS} times.`);
    } else {
      this.#connection = this.#connect(address);
      this.#events.redirected(maskedAddress(`${address.tcUrl}/${address.key}`)); // which may end it
    }
  }
}

/** Servers name the app alone, or app and stream. */
function withKey(url: string, key: string): RtmpAddress | undefined {
  const [name] = key.split('?');
  const whole = parseRtmpAddress(url);
  if (!('reason' in whole) && whole.key.split('?')[0] === name) return { ...whole, key };
  const extended = parseRtmpAddress(`${url.replace(/\/+$/, '')}/${key}`);
  return 'reason' in extended ? undefined : extended;
}
