import type { LossyRelay } from './lossy-relay.ts';
import type { CodecName } from './phone-codec.ts';
import { fieldOf, type SipMessage } from './phone-message.ts';
import type { SdpOverrides } from './phone-sdp.ts';

export interface CallOptions {
  /** The user part of the address when only a port is given. */
  readonly room?: string;
  /** Display name of the caller. */
  readonly name?: string;
  /** User part of the caller's address. */
  readonly user?: string;
  /** Instead of one of its own. */
  readonly callId?: string;
  /** What it offers, in the order of preference; it sends what the other side likes best. */
  readonly codec?: CodecName | readonly CodecName[];
  readonly toneHz?: number;
  /** In dBFS. */
  readonly toneLevelDb?: number;
  /** Where its sockets are. */
  readonly localAddress?: string;
  readonly sdp?: SdpOverrides;
  /** INVITE without SDP: the offer comes with the 200, the answer goes with the ACK. */
  readonly lateOffer?: boolean;
  /** Header lines added to the INVITE. */
  readonly headers?: readonly string[];
  /** What its packets go through. A number is a port on loopback that SIP goes to instead. */
  readonly via?: { readonly sip?: number | LossyRelay; readonly rtp?: LossyRelay };
  /** How long it waits for an answer. */
  readonly limitMs?: number;
}

/** How a call ended. */
export interface Ending {
  /** Who ended it; 'vanished' is this phone without a word. */
  readonly by: 'server' | 'phone' | 'vanished';
  /** Value of the Reason field of the server's BYE (RFC 3326). */
  readonly reasonHeader?: string;
  /** The answer to this phone's BYE, or what refused the call. */
  readonly status?: number;
}

/** The call was answered with something else than a 2xx. */
export class CallRefused extends Error {
  readonly status: number;
  readonly response: SipMessage;

  constructor(response: SipMessage) {
    const warning = fieldOf(response, 'warning');
    super(`Refused with ${response.status} ${response.reason}${warning ? ` (warning: ${warning})` : ''}`);
    this.status = response.status!;
    this.response = response;
  }
}
