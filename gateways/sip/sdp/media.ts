/** What an offer and its answer agree on (RFC 3264). Everything is seen from here: "remote" is the phone. */

/** Who sends, said by the side whose description it stands in (RFC 3264, section 5.1). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** The codecs that phones may use here. */
export type PhoneCodec = 'opus' | 'PCMU' | 'PCMA';

/** Stands for an address that has yet to be learned. Nothing may be sent to it: to this machine, it means itself. */
export const UNKNOWN_ADDRESS = '0.0.0.0';

/** What we use of a phone's description. */
export interface RemoteMedia {
  /**
   * Where the phone wants RTP, an IPv4 or IPv6 unicast address; or `UNKNOWN_ADDRESS`, when it is to be learned from the
   * packets that arrive (symmetric RTP, RFC 4961): the phone named a host, a multicast group, or no address (0.0.0.0, ::).
   */
  readonly address: string;
  /** 1 to 65535 */
  readonly port: number;
  /** From a=rtcp (RFC 3605), else `port` + 1 (65535 has no next one and stands for itself); `port` when muxed. */
  readonly rtcpPort: number;
  /** Both sides said that RTP and RTCP share a port (RFC 5761, section 5.1.1). */
  readonly rtcpMux: boolean;
  readonly codec: {
    readonly name: PhoneCodec;
    /** What we send with. */
    readonly payloadType: number;
    /** What the phone sends with; the same unless we made the offer and the phone renumbered. */
    readonly receivePayloadType: number;
    /** What the phone said about its decoder (RFC 7587, section 6.1); empty for G.711. */
    readonly parameters: Readonly<Record<string, string | number>>;
  };
  /** Telephone events (RFC 4733) and their RTP clock rate in Hz; payload types as for the codec. */
  readonly digits:
    | { readonly payloadType: number; readonly receivePayloadType: number; readonly clockRate: number }
    | undefined;
  /** What the phone does. On hold as RFC 2543 had it (address 0.0.0.0), it only sends, or does nothing. */
  readonly direction: Direction;
  /** Milliseconds of audio that the phone prefers in a packet, and takes at most; above 0, up to 1000. */
  readonly ptime: number | undefined;
  readonly maxptime: number | undefined;
  /** What the phone takes at most, bit/s; of the codec's own limit and that of the line the lower. */
  readonly maxBitrateBps: number | undefined;
}

/** Our side of a call. */
export interface LocalMedia {
  /** An IPv4 or IPv6 address that the phone can reach. */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  /** Stays the same for the whole call. */
  readonly sessionId: number;
  /** Grows by one with each description that differs from the last (RFC 3264, section 8). */
  readonly version: number;
}

export interface SdpPreferences {
  /** What phones may use; in an offer of ours, the best first. */
  readonly codecs: readonly PhoneCodec[];
}

/** Why there is no agreement: the SIP status that says so, and words for the log and the Reason header, in ASCII. */
export interface SdpRefusal {
  readonly outcome: 'refused';
  /** 400 for text that is no description, 488 (Not Acceptable Here) for one that asks for what we do not have. */
  readonly status: 400 | 488;
  readonly reason: string;
}
