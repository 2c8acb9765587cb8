import {
  type Clock,
  type MediaHost,
  type MediaModule,
  PatchroomError,
  type Timer,
} from '../../src/gateway.ts';
import { CallMedia } from './media/call-media.ts';
import { messages, type Notice, type Reply, type Request } from './media/messages.ts';
import { sendPhoneMix } from './media/phone-mix.ts';

/** How often calls are looked after: reports, timeouts. */
const WATCH_MS = 1_000;
const SPEAKERS_MS = 300;

type Body<T extends Request['type']> = Extract<Request, { type: T }>;

/** Calls `action` again and again until it is closed. */
class Repeated {
  #timer: Timer;

  constructor(clock: Clock, everyMs: number, action: () => void) {
    const wait = (): Timer =>
      clock.after(everyMs, () => {
        this.#timer = wait();
        action();
      });
    this.#timer = wait();
  }

  close(): void {
    this.#timer.cancel();
  }
}

/** The phones of one media worker: a CallMedia each, and the mixes of phones that go to hubs. */
class PhoneMedia {
  #host: MediaHost<Notice>;
  #calls = new Map<string, CallMedia>();
  /** Calls whose sockets are being opened. */
  #opening = new Map<string, Promise<void>>();
  /** What ends each mix that is sent to a hub, by the mix. */
  #sentMixes = new Map<string, () => void>();
  #repeated: Repeated[];

  constructor(host: MediaHost<Notice>) {
    this.#host = host;
    this.#repeated = [
      new Repeated(host.clock, WATCH_MS, () => {
        for (const call of this.#calls.values()) call.watch();
      }),
      new Repeated(host.clock, SPEAKERS_MS, () => this.#tellSpeakers()),
    ];
  }

  async handle(request: Request): Promise<Reply> {
    switch (request.type) {
      case 'open': {
        const opening = this.#open(request);
        const opened = opening.then(
          () => {},
          () => {},
        );
        this.#opening.set(request.call, opened);
        await opening.finally(() => this.#opening.delete(request.call));
        return {};
      }
      case 'start':
        this.#mustGet(request.call).start(request.remote, request.timeoutMs);
        return {};
      case 'mute':
        this.#mustGet(request.call).mute(request.muted);
        return {};
      case 'keep':
        this.#calls.get(request.call)?.stay();
        return {};
      case 'hear':
        this.#mustGet(request.call).hear(request.receives);
        return {};
      case 'pass': {
        const { link, ssrc, payloadType } = request;
        this.#mustGet(request.call).pass(this.#host.link(link), ssrc, payloadType);
        return {};
      }
      case 'unpass':
        this.#calls.get(request.call)?.unpass();
        return {};
      case 'send-mix':
        this.#sendMix(request);
        return {};
      case 'unsend-mix':
        this.#endMix(request.mix);
        return {};
      case 'statistics':
        return { statistics: this.#mustGet(request.call).statistics };
      case 'close': {
        await this.#opening.get(request.call); // whoever gave up waiting must not leave sockets behind
        const media = this.#calls.get(request.call);
        this.#calls.delete(request.call);
        const statistics = media?.statistics;
        await media?.close();
        return statistics ? { statistics } : {};
      }
    }
  }

  async close(): Promise<void> {
    for (const repeated of this.#repeated) repeated.close();
    for (const end of this.#sentMixes.values()) end();
    await Promise.all([...this.#calls.values()].map((media) => media.close()));
  }

  async #open({ call, mix, ...options }: Body<'open'>): Promise<void> {
    const { notify } = this.#host;
    const media = await CallMedia.open({ call, ...options }, () => this.#host.mix(mix), this.#host.clock, {
      digit: (digit) => notify({ type: 'digit', call, digit }),
      quality: (quality) => notify({ type: 'quality', call, quality }),
      silent: () => notify({ type: 'silent', call }),
    }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE'
        ? new PatchroomError(
            'limit-reached',
            `The ports ${options.rtpPort} and ${options.rtcpPort} are taken.`,
          )
        : error;
    });
    this.#calls.set(call, media);
  }

  #sendMix({ mix, link, ssrc, payloadType }: Body<'send-mix'>): void {
    this.#endMix(mix);
    const toHub = this.#host.link(link); // first: without it there is nothing to mix for
    const end = sendPhoneMix(this.#host.mix(mix), toHub, { ssrc, payloadType }, () => {
      if (this.#sentMixes.get(mix) === end) this.#sentMixes.delete(mix);
    });
    this.#sentMixes.set(mix, end);
  }

  #endMix(mix: string): void {
    if (!this.#sentMixes.has(mix)) return;
    this.#sentMixes.get(mix)?.();
    this.#host.notify({ type: 'speakers', mix, levels: [] });
  }

  #tellSpeakers(): void {
    for (const mix of this.#sentMixes.keys()) {
      const levels = this.#host.mix(mix).speakers('gateway');
      this.#host.notify({
        type: 'speakers',
        mix,
        levels: levels.map(({ id, levelDb }) => ({ call: id, levelDb })),
      });
    }
  }

  #mustGet(call: string): CallMedia {
    const media = this.#calls.get(call);
    if (!media) throw new PatchroomError('failed-precondition', `There is no call ${call} here.`);
    return media;
  }
}

const sipMedia: MediaModule<Request, Reply, Notice> = { messages, create: (host) => new PhoneMedia(host) };
export default sipMedia;
