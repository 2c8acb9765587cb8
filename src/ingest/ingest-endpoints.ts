import { Ingest, type IngestOptions } from '../../transcode/ingest/ingest.ts';
import type { Clock } from '../base/clock.ts';
import { PatchroomError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { MediaHost } from '../workers/media-module.ts';
import type { IngestNotice, IngestReply, IngestRequest } from './messages.ts';

/** As much of its media worker as publishers' media needs. */
export type IngestHost = Pick<MediaHost<IngestNotice>, 'link' | 'openFrames' | 'notify'> & {
  readonly log: Logger;
  readonly clock: Clock;
};

interface Session {
  readonly ingest: Ingest;
  /** SSRCs that it sends to hubs with: a request to stop sending must mean the stream that is sent. */
  readonly sending: { audio?: number; video?: number };
}

/** The publishers whose connections one media worker has: what they send goes to hubs and programs as the control plane asks. */
export class IngestEndpoints {
  #host: IngestHost;
  #sessions = new Map<string, Session>();

  constructor(host: IngestHost) {
    this.#host = host;
  }

  /** A connection is there; what it sends is to be given to the ingest that this returns. */
  open(session: string, options: IngestOptions): Ingest {
    const { notify, clock, log } = this.#host;
    const ingest = new Ingest(options, clock, log.child({ session }), {
      encoder: (name) => notify({ type: 'encoder', session, name }),
      audio: (codec, { outcome, reason, steps }) =>
        notify({ type: 'track', session, kind: 'audio', codec, outcome, reason, steps: [...steps] }),
      video: (codec, size, { outcome, reason, steps }) =>
        notify({ type: 'track', session, kind: 'video', codec, ...size, outcome, reason, steps: [...steps] }),
    });
    this.#sessions.set(session, { ingest, sending: {} });
    return ingest;
  }

  /** The connection is gone. */
  close(session: string): void {
    this.#sessions.get(session)?.ingest.end();
    this.#sessions.delete(session);
  }

  /** @throws PatchroomError 'failed-precondition' when the connection is gone */
  handle(request: IngestRequest): IngestReply {
    const present = this.#sessions.get(request.session);
    if (request.type === 'unsend') {
      if (present?.sending[request.kind] === request.ssrc) present.ingest.close(request.kind);
      return {};
    }
    if (request.type === 'unsend-frames') {
      present?.ingest.removeTap(request.outlet);
      return {};
    }
    if (!present)
      throw new PatchroomError('failed-precondition', `Session ${request.session} is not open here.`);
    const { ingest, sending } = present;
    switch (request.type) {
      case 'send': {
        const { kind, ssrc, payloadType, link } = request;
        ingest.open(kind, { link: this.#host.link(link), ssrc, payloadType });
        sending[kind] = ssrc;
        return {};
      }
      case 'mute':
        ingest.setMuted(request.kind, request.muted);
        return {};
      case 'statistics':
        return { statistics: ingest.statistics };
      case 'send-frames': {
        const { outlet, port, token } = request;
        const sender = this.#host.openFrames({ port, token }, () => ingest.removeTap(outlet));
        ingest.addTap(outlet, sender);
        return {};
      }
    }
  }
}
