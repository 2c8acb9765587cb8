import type { Receiver } from '../../../gateways/webrtc/subscriptions.ts';
import type { hubTypes } from '../../../src/gateway.ts';
import { Gate } from './gate.ts';

export class FakeConsumer {
  readonly id: string;
  readonly producerId: string;
  readonly kind = 'audio';
  readonly type = 'simple';
  readonly rtpParameters = { codecs: [] };
  paused = true;
  closed = false;

  constructor(producerId: string) {
    this.id = `consumer of ${producerId}`;
    this.producerId = producerId;
  }

  async pause(): Promise<void> {
    this.paused = true;
  }

  async resume(): Promise<void> {
    this.paused = false;
  }

  close(): void {
    this.closed = true;
  }
}

export const OPUS = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 } as const;

/**
 * A browser's receiving connection that takes these codecs; says what was consumed through it.
 * @param gate - that every consumer has to pass
 */
export function fakeReceiver(
  codecs: unknown = [OPUS],
  gate = new Gate(),
): { receiver: Receiver; consumers: FakeConsumer[] } {
  const consumers: FakeConsumer[] = [];
  const consume = async ({ producerId }: { producerId: string }) => {
    await gate.pass();
    const consumer = new FakeConsumer(producerId);
    consumers.push(consumer);
    return consumer;
  };
  const receiver = {
    hub: { canConsume: () => true },
    transport: { consume },
    capabilities: { codecs } as hubTypes.RtpCapabilities,
  };
  return { receiver: receiver as unknown as Receiver, consumers };
}
