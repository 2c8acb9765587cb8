/** Where a message came from, or goes to. */
export interface Flow {
  readonly protocol: 'udp' | 'tcp';
  /** A plain address: IPv4 as such also on a socket for both, no zone. */
  readonly address: string;
  readonly port: number;
  /** Our end, as peers see it. */
  readonly localAddress: string;
  readonly localPort: number;
}

/** One listening protocol. Sends and receives whole messages; knows nothing of transactions. */
export interface Transport {
  readonly protocol: Flow['protocol'];
  /** Whether lost packets are its own business (RFC 3261's "reliable transport"). */
  readonly reliable: boolean;
  readonly port: number;
  /** @param onFailure - called later, never from within, when it certainly did not arrive */
  send(bytes: Buffer, to: Flow, onFailure: () => void): void;
  close(): Promise<void>;
}

export type OnMessage = (bytes: Buffer, from: Flow) => void;
