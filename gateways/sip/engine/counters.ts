/** What came in, and what of it was dropped or refused and why. They only grow. */
export interface CoreCounters {
  /** Messages, before anything was asked about them. */
  received: number;
  /** Could not be read, or lack what they must have; answered 400 or 505 where there is a request to answer. */
  malformed: number;
  /** Repeated by the peer, and answered from memory. */
  retransmissions: number;
  /** ACKs and responses to nothing. */
  unmatched: number;
  /** 503: nobody is there to answer. */
  noApplication: number;
  /** 503: too many calls at once. */
  overMaxCalls: number;
  /** 503: too many transactions at once. */
  overTransactions: number;
  /** 405 */
  methodNotAllowed: number;
  /** 416 */
  badScheme: number;
  /** 482 */
  merged: number;
  /** 420 */
  badExtension: number;
  /** 481 */
  noDialog: number;
  /** 500: a sequence number that was used. */
  outOfOrder: number;
  /** 500: an INVITE while another one is not answered. */
  overlapping: number;
  /** Answered by us because the application did not. */
  unanswered: number;
  /** Calls that were answered, and ended because no ACK came. */
  noAck: number;
}

export function zeroCounters(): CoreCounters {
  return {
    received: 0,
    malformed: 0,
    retransmissions: 0,
    unmatched: 0,
    noApplication: 0,
    overMaxCalls: 0,
    overTransactions: 0,
    methodNotAllowed: 0,
    badScheme: 0,
    merged: 0,
    badExtension: 0,
    noDialog: 0,
    outOfOrder: 0,
    overlapping: 0,
    unanswered: 0,
    noAck: 0,
  };
}
