import dgram from 'node:dgram';
import { once } from 'node:events';
import { branchOf, cseqOf, fieldOf, parseMessage, type SipMessage } from './phone-message.ts';

/** RFC 3261, section 17.1.1.1 */
const T1_MS = 500;
const T2_MS = 4000;
const LINGER_MS = 5000;

export interface Address {
  readonly port: number;
  readonly address: string;
}

interface ClientTransaction {
  readonly answer: (response: SipMessage) => void;
  readonly giveUp: () => void;
}

interface Outgoing {
  readonly text: string;
  readonly to: Address;
}

interface ServerTransaction {
  readonly response: string;
  readonly timer?: NodeJS.Timeout;
}

export interface ExchangeOptions {
  /** Makes the ACK of a 2xx; it goes out again for each copy of it. */
  readonly acknowledge?: (response: SipMessage) => Outgoing;
  readonly onProvisional?: (response: SipMessage) => void;
}

/** A phone's SIP socket: UDP, with the retransmissions of both sides' transactions (RFC 3261, section 17). */
export class PhoneLine {
  readonly port: number;
  /** First lines of messages that nobody waits for. */
  readonly strays: string[] = [];
  /** Statuses of final responses that came again. */
  readonly repeated: number[] = [];
  /** Gives the response to a request, or nothing to an ACK. */
  onRequest: (request: SipMessage) => string | undefined = () => undefined;
  #socket: dgram.Socket;
  #client = new Map<string, ClientTransaction>();
  #server = new Map<string, ServerTransaction>();
  #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  private constructor(socket: dgram.Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (datagram, from) => this.#receive(datagram.toString(), from));
  }

  static async open(address: string): Promise<PhoneLine> {
    const socket = dgram.createSocket('udp4');
    socket.on('error', () => {});
    socket.bind(0, address);
    await once(socket, 'listening');
    return new PhoneLine(socket);
  }

  send(text: string, to: Address): void {
    if (!this.#closed) this.#socket.send(text, to.port, to.address);
  }

  /**
   * Sends a request, again and again (timers A and E), and resolves with its final response. The ACK of a
   * refused INVITE is sent here (section 17.1.1.3).
   *
   * @throws when none comes within 32 s (timers B and F), or the line is closed before
   */
  exchange(text: string, to: Address, options: ExchangeOptions = {}): Promise<SipMessage> {
    const request = parseMessage(text)!;
    const isInvite = request.method === 'INVITE';
    return new Promise((resolve, reject) => {
      let intervalMs = T1_MS;
      let ack: Outgoing | undefined;
      let isFinal = false;
      const repeat = () => {
        this.send(text, to);
        intervalMs = isInvite ? intervalMs * 2 : Math.min(intervalMs * 2, T2_MS);
        timer = this.#after(intervalMs, repeat);
      };
      let timer = this.#after(intervalMs, repeat);
      const limit = this.#after(64 * T1_MS, () => {
        this.#cancel(timer);
        reject(new Error(`${request.method} was not answered within ${64 * T1_MS} ms`));
      });
      const answer = (response: SipMessage) => {
        const status = response.status!;
        if (status < 200) {
          // Section 17.1.1.2: then it waits for as long as it rings; 17.1.2.2: then it asks more rarely.
          if (isInvite) for (const one of [timer, limit]) this.#cancel(one);
          else intervalMs = T2_MS;
          options.onProvisional?.(response);
          return;
        }
        for (const one of [timer, limit]) this.#cancel(one);
        if (isInvite && status < 300) ack ??= options.acknowledge!(response);
        else if (isInvite) ack ??= { text: ackOfRefusal(request, response), to };
        if (ack) this.send(ack.text, ack.to);
        if (isFinal) this.repeated.push(status);
        isFinal = true;
        resolve(response);
      };
      const giveUp = () => reject(new Error(`Closed before ${request.method} was answered`));
      this.#client.set(keyOf(request), { answer, giveUp });
      this.send(text, to);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { giveUp } of this.#client.values()) giveUp();
    this.#socket.close();
  }

  /** Closes in 5 s, and until then answers what comes again; holds up nobody. */
  linger(): void {
    this.#socket.unref();
    setTimeout(() => this.close(), LINGER_MS).unref();
  }

  #receive(text: string, from: Address): void {
    const message = parseMessage(text);
    if (!message) {
      this.strays.push(text.slice(0, 60));
      return;
    }
    const transaction = this.#client.get(keyOf(message));
    if (message.status !== undefined && transaction) transaction.answer(message);
    else if (message.method) this.#serve(message, from);
    else this.strays.push(text.split('\r\n', 1)[0]!);
  }

  #serve(request: SipMessage, from: Address): void {
    const key = keyOf(request);
    const known = this.#server.get(key);
    if (known) {
      this.send(known.response, from);
      return;
    }
    if (request.method === 'ACK') {
      for (const [one, { timer }] of this.#server) {
        if (timer && one.endsWith(` ${cseqOf(request).number} INVITE`)) this.#cancel(timer);
      }
    }
    const response = this.onRequest(request);
    if (response === undefined) return;
    this.send(response, from);
    const timer =
      request.method === 'INVITE' ? this.#repeatUntilAcknowledged(key, response, from) : undefined;
    this.#server.set(key, { response, timer });
  }

  /** Section 13.3.1.4 */
  #repeatUntilAcknowledged(key: string, response: string, to: Address, intervalMs = T1_MS): NodeJS.Timeout {
    return this.#after(intervalMs, () => {
      this.send(response, to);
      const next = Math.min(intervalMs * 2, T2_MS);
      this.#server.set(key, { response, timer: this.#repeatUntilAcknowledged(key, response, to, next) });
    });
  }

  #after(delayMs: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) action();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}

/** Section 17.1.3: the branch and the method in CSeq. */
function keyOf(message: SipMessage): string {
  const { number, method } = cseqOf(message);
  return `${branchOf(message)} ${number} ${method}`;
}

function ackOfRefusal(invite: SipMessage, response: SipMessage): string {
  const copied = invite.fields.filter(([name]) =>
    ['via', 'max-forwards', 'from', 'call-id', 'route'].includes(name),
  );
  const lines = copied.map(([name, value]) => `${name}: ${value}`);
  const to = `To: ${fieldOf(response, 'to')}`;
  const cseq = `CSeq: ${cseqOf(invite).number} ACK`;
  return [`ACK ${invite.uri} SIP/2.0`, ...lines, to, cseq, 'Content-Length: 0', '', ''].join('\r\n');
}
