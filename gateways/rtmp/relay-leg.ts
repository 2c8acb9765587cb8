import type { Delivery } from '../../src/gateway.ts';
import { type DeliveryReport, NOTHING_DELIVERED } from '../../transcode/delivery/delivery-report.ts';

/** A push to a CDN, as its media half reports it. */
export class RelayLeg implements Delivery {
  readonly shownAddress: string;
  readonly ended: Promise<string>;
  #report: DeliveryReport = NOTHING_DELIVERED;
  #listener: () => void = () => {};
  #over: (cause: string) => void = () => {};
  #end: () => Promise<void>;
  #hasEnded = false;

  constructor(shownAddress: string, end: () => Promise<void>) {
    this.shownAddress = shownAddress;
    this.#end = end;
    this.ended = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  get report(): DeliveryReport {
    return this.#report;
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  update(report: DeliveryReport): void {
    if (this.#hasEnded) return;
    this.#report = report;
    this.#listener();
  }

  /** It was given up. */
  fail(reason: string): void {
    if (this.#hasEnded) return;
    this.#report = { ...this.#report, state: 'failed', reason, bitrateBps: 0, uptimeMs: 0 };
    this.#finish(reason);
  }

  /** The process that carried it is gone. */
  lose(): void {
    this.#finish('The media worker ended.');
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#end();
  }

  #finish(cause: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#over(cause);
    this.#listener();
  }
}
