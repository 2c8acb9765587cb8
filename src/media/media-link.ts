/**
 * A loopback socket to one room's hub, for one kind of media. Packets are whole RTP or RTCP packets.
 * Never blocks: what the kernel refuses is dropped and counted.
 */
export interface MediaLink {
  /** Sends to the hub. The buffer must not change until the next turn of the event loop. */
  send(packet: Buffer): void;
  /**
   * Receives the packets of one stream. The buffer is the receiver's to keep.
   * @returns ends it
   */
  receive(ssrc: number, onPacket: (packet: Buffer) => void): () => void;
  /**
   * What the hub asks of a stream that is sent to it: retransmissions and key frames (RTCP feedback, RFC 4585), as
   * whole packets.
   * @returns ends it
   */
  onFeedback(ssrc: number, listener: (packet: Buffer) => void): () => void;
  /** Called when the link closes, with everything that was received through it. @returns takes it back */
  onClose(listener: () => void): () => void;
}
