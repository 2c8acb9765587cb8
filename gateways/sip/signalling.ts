import type { EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';
import type { Logger } from '../../src/gateway.ts';
import { descriptionIn } from './body-parts.ts';
import type { DialogRecord } from './engine/process-messages.ts';

/*
 * drachtio-srf, and nothing else of the gateway knows it: calls come in by the wire protocol from an
 * engine, embedded or external, and are answered through here.
 */

export interface EngineAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Whether to try again when the connection is lost; an embedded engine is replaced by another instead. */
  readonly reconnect: boolean;
}

export interface Source {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

export interface SignallingEvents {
  call(call: IncomingCall): void;
  /** The connection to the engine is gone, and with it all that it knew. */
  lost(): void;
}

/** A description that came, with the words for what it is. */
export interface Body {
  readonly type: string;
  readonly text: string;
}

type Headers = Record<string, string>;

export const USER_AGENT = 'Patchroom';
export const ALLOWED_METHODS = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO';
const CONNECT_LIMIT_MS = 5_000;
const LONGEST_RETRY_MS = 5_000;
/** Of a body that was compressed, or encoded otherwise: it is none that is read. */
const ENCODED = 'encoded';

/** The connection to an engine. */
export class Signalling {
  #srf: Srf;
  #closing = false;

  private constructor(srf: Srf) {
    this.#srf = srf;
  }

  /** @throws Error in words when the engine cannot be reached or refuses the secret */
  static async connect(engine: EngineAddress, events: SignallingEvents, log: Logger): Promise<Signalling> {
    const srf = new Srf();
    const signalling = new Signalling(srf);
    srf.invite((req: Srf.SrfRequest, res: Srf.SrfResponse) => events.call(new IncomingCall(srf, req, res)));
    srf.use('options', (_req: Srf.SrfRequest, res: Srf.SrfResponse) =>
      res.send(200, { headers: { ...OURS, Accept: 'application/sdp' } }),
    );
    srf.on('error', (error: Error) => {
      if (!signalling.#closing) log.warn({ err: error }, 'connection to the SIP engine');
    });
    (srf as EventEmitter).on('close', () => {
      if (!signalling.#closing) events.lost();
    });
    await new Promise<void>((resolve, reject) => {
      const where = `${engine.host}:${engine.port}`;
      const limit = setTimeout(
        () => reject(new Error(`The SIP engine at ${where} does not answer.`)),
        CONNECT_LIMIT_MS,
      );
      srf.on('connect', (error: Error | null) => {
        clearTimeout(limit);
        if (error) reject(new Error(`The SIP engine at ${where} refuses us: ${error.message}.`));
        else resolve();
      });
      srf.connect({
        host: engine.host,
        port: engine.port,
        secret: engine.secret,
        reconnect: engine.reconnect ? { retryMaxDelay: LONGEST_RETRY_MS } : { maxAttempts: 1 },
      } as Srf.SrfConfig);
    }).catch((error: unknown) => {
      signalling.close();
      throw error;
    });
    return signalling;
  }

  close(): void {
    this.#closing = true;
    try {
      this.#srf.disconnect();
    } catch {
      // It was not connected any more.
    }
  }
}

/** An INVITE that starts a call, until it is answered. */
export class IncomingCall {
  readonly callId: string;
  readonly uri: string;
  /** Value of the From header. */
  readonly from: string;
  readonly source: Source;
  readonly offer: Body | undefined;
  /** Its caller gave up. */
  cancelled = false;
  #srf: Srf;
  #req: Srf.SrfRequest;
  #res: Srf.SrfResponse;

  constructor(srf: Srf, req: Srf.SrfRequest, res: Srf.SrfResponse) {
    this.#srf = srf;
    this.#req = req;
    this.#res = res;
    this.callId = req.get('Call-ID');
    this.uri = req.uri;
    this.from = req.get('From');
    this.source = { protocol: req.protocol, address: req.source_address, port: Number(req.source_port) };
    this.offer = bodyOf(req);
  }

  onCancel(listener: () => void): void {
    this.#req.on('cancel', () => {
      this.cancelled = true;
      listener();
    });
  }

  /** @param text - why, for people (RFC 3261, section 20.43) */
  refuse(status: number, text: string): void {
    this.#res.send(status, { headers: refusal(status, text) });
  }

  /**
   * Answers 200.
   * @param onAnswered - called before anything that follows can come in: a BYE may be in the next bytes
   * @param onFailed - it was cancelled meanwhile, or the engine could not send it, or drachtio-srf makes no dialog of it
   */
  accept(sdp: string, onAnswered: (dialog: CallDialog) => void, onFailed: () => void): void {
    const headers: Headers = { ...OURS, 'Content-Type': 'application/sdp' };
    let settled = false;
    this.#srf.createUAS(
      this.#req,
      this.#res,
      { localSdp: sdp, headers },
      (error: unknown, dialog: Srf.Dialog) => {
        if (settled) return;
        settled = true;
        if (!error) onAnswered(new CallDialog(dialog, this.#req, this.source));
        else {
          this.#endUnmade();
          onFailed();
        }
      },
    );
  }

  /** A 200 that went out although there is no dialog here: the engine has the call, and the phone is told that it is over. */
  #endUnmade(): void {
    const { stackDialogId } = this.#res as { stackDialogId?: string };
    const { agent, socket } = this.#req as unknown as {
      agent: { request(options: object, callback: () => void): void };
      socket: unknown;
    };
    if (this.cancelled || !stackDialogId) return;
    try {
      agent.request({ method: 'BYE', stackDialogId, _socket: socket }, () => {});
    } catch {
      // The engine is gone, and its calls with it.
    }
  }
}

/** A re-INVITE (RFC 3261, section 14). */
export interface Reinvite {
  /** Where it came from. */
  readonly source: Source;
  readonly offer: Body | undefined;
  accept(sdp: string): void;
  refuse(status: number, text: string): void;
}

export interface DialogEvents {
  /** The ACK of a 200; with a description where the offer was ours. */
  acknowledged(answer: Body | undefined): void;
  reinvited(reinvite: Reinvite): void;
  info(body: Body): void;
  /** BYE from the phone; or the engine ended it, as no ACK came. */
  ended(by: 'phone' | 'engine'): void;
}

/** A call that was answered. */
export class CallDialog {
  /** What another engine needs to end it. */
  readonly record: DialogRecord;
  #dialog: Srf.Dialog;

  constructor(dialog: Srf.Dialog, req: Srf.SrfRequest, source: Source) {
    this.#dialog = dialog;
    // What drachtio-srf compares with the next offer must be text.
    dialog.remote.sdp ??= '';
    this.record = recordOf(dialog, req, source);
  }

  listen(events: DialogEvents): void {
    const dialog = this.#dialog;
    dialog.on('ack', (ack) => events.acknowledged(bodyOf(ack)));
    dialog.on('destroy', (bye: Srf.SrfRequest) =>
      events.ended((bye as { source?: string }).source === 'application' ? 'engine' : 'phone'),
    );
    dialog.on('info', (req, res) => {
      const body = bodyOf(req);
      if (body) events.info(body);
      res.send(200, { headers: OURS });
    });
    dialog.on('modify', (req, res) =>
      events.reinvited({
        source: { protocol: req.protocol, address: req.source_address, port: Number(req.source_port) },
        offer: bodyOf(req),
        accept: (sdp) =>
          res.send(200, { body: sdp, headers: { ...OURS, 'Content-Type': 'application/sdp' } }),
        refuse: (status, text) => res.send(status, { headers: refusal(status, text) }),
      }),
    );
  }

  /** Asks the phone whether it knows the call (RFC 3261, sections 11 and 12.2.1.2): any answer but 481 and 408 says so. */
  async isThere(): Promise<boolean> {
    const ask = this.#dialog.request.bind(this.#dialog) as (options: object) => Promise<{ status?: number }>;
    const status = await ask({ method: 'OPTIONS' }).then(
      (response) => response?.status,
      () => undefined,
    );
    return status !== undefined && status !== 481 && status !== 408;
  }

  /** Ends it. Resolves when the phone answered, or did not in time. @param reason - value of the Reason header (RFC 3326) */
  async bye(reason: string): Promise<void> {
    const destroy = this.#dialog.destroy.bind(this.#dialog) as (options: {
      headers: Headers;
    }) => Promise<unknown>;
    await destroy({ headers: { Reason: reason } }).catch(() => {}); // the engine is gone, or the call
  }
}

const OURS: Readonly<Headers> = { Allow: ALLOWED_METHODS, 'User-Agent': USER_AGENT };

/** Why, for people (RFC 3261, section 20.43), when to come back (21.5.4), what would be understood (21.4.13). */
function refusal(status: number, text: string): Headers {
  return {
    ...OURS,
    Warning: `399 patchroom "${quotable(text)}"`,
    ...(status === 503 ? { 'Retry-After': '5' } : {}),
    ...(status === 415 ? { Accept: 'application/sdp', 'Accept-Encoding': 'identity' } : {}),
  };
}

function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, "'");
}

function bodyOf(req: Srf.SrfRequest): Body | undefined {
  const text = (req as { body?: string }).body;
  if (!text) return undefined;
  const encoding = req.get('Content-Encoding') ?? req.get('e') ?? '';
  if (!/^(?:identity)?$/i.test(String(encoding).trim())) return { type: ENCODED, text: '' };
  return descriptionIn({ type: req.get('Content-Type') ?? '', text });
}

function recordOf(dialog: Srf.Dialog, req: Srf.SrfRequest, source: Source): DialogRecord {
  const routes: unknown = req.get('Record-Route');
  const routeSet = (Array.isArray(routes) ? routes : [routes]).filter((route) => typeof route === 'string');
  const to = req.get('To');
  const [localAddress = '', localPort = '0'] = splitLast((req as { receivedOn?: string }).receivedOn ?? '');
  return {
    callId: dialog.sip.callId,
    local: `${to};tag=${dialog.sip.localTag}`,
    remote: req.get('From'),
    routeSet,
    remoteTarget: dialog.remote.uri,
    // Far from what the engine used so far for requests of its own.
    localSequence: 1000,
    flow: {
      protocol: source.protocol === 'tcp' ? 'tcp' : 'udp',
      address: source.address,
      port: source.port,
      localAddress,
      localPort: Number(localPort),
    },
  };
}

/** `host:port`, where the host may have colons. */
function splitLast(text: string): [string, string] {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}
