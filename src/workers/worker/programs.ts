import type { MixListener } from '../../../transcode/audio/mix-listener.ts';
import type { Mixer } from '../../../transcode/audio/mixer.ts';
import { Program } from '../../../transcode/program/program.ts';
import type { Clock } from '../../base/clock.ts';
import { PatchroomError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { fromMachineTime } from '../../base/machine-time.ts';
import type { MediaLink } from '../../media/media-link.ts';
import type { FrameAddress } from '../../room/track.ts';
import type { ProgramStatistics, WorkerRequest } from '../messages.ts';
import { FrameReceivers } from './frame-receivers.ts';
import { receiveFromHub } from './hub-frames.ts';

type Body<T extends WorkerRequest['type']> = Extract<WorkerRequest, { type: T }>;

export interface ProgramsHost {
  readonly clock: Clock;
  readonly log: Logger;
  mix(id: string): Mixer;
  link(id: string): MediaLink;
}

interface Source {
  /** The tracks of its participant's sound, by which the mix knows them. */
  readonly tracks: readonly string[];
  /** The last that was known, ms. */
  mixDelayMs: number;
  readonly close: () => void;
}

interface Running {
  readonly program: Program;
  readonly mixer: Mixer;
  readonly listener: MixListener;
  readonly sources: Map<string, Source>;
}

/** How long sound waits in the mix before anything is known of it. */
const USUAL_MIX_DELAY_MS = 50;

/** The programs that this worker makes: their sound from a mix here, their pictures from the hub or another worker. */
export class Programs {
  #host: ProgramsHost;
  #receivers: FrameReceivers;
  #running = new Map<string, Running>();

  constructor(host: ProgramsHost) {
    this.#host = host;
    this.#receivers = new FrameReceivers(host.clock);
  }

  /** @throws PatchroomError 'failed-precondition' */
  get(id: string): Program {
    return this.#mustGet(id).program;
  }

  open({ program: id, mix, title, encoding, audioBitrateBps, epochAt }: Body<'open-program'>): void {
    const { clock } = this.#host;
    const log = this.#host.log.child({ program: id });
    const sources = new Map<string, Source>();
    const mixer = this.#host.mix(mix);
    const program = new Program({
      clock,
      encoding,
      audioBitrateBps,
      title,
      epochAt: fromMachineTime(epochAt),
      mixDelayMs: (source) => mixDelayOf(mixer, sources.get(source)),
      onDeath: (what, cause) => log.error({ what, cause }, 'program child ended'),
      onPlan: (plan, reason) => log.info({ plan, reason }, 'program video plan'),
    });
    const listener = mixer.addListener(
      { codec: 'L16', rate: 48_000, channels: 2 },
      {
        deliver: (payload, bytes) => program.audio.tick(payload.subarray(0, bytes)),
        skip: (frames) => program.audio.skip(frames),
      },
    );
    this.#running.set(id, { program, mixer, listener, sources });
  }

  /** A source's pictures come by the hub from now on. */
  addFromHub({ program: id, source, tracks, link, ssrc, codec }: Body<'program-hub-source'>): void {
    const { program, sources } = this.#mustGet(id);
    sources.get(source)?.close();
    const stop = receiveFromHub(this.#host.link(link), { ssrc, codec }, this.#host.clock, (unit) =>
      program.video.receive(source, unit),
    );
    sources.set(source, { tracks, mixDelayMs: USUAL_MIX_DELAY_MS, close: stop });
  }

  /** A source's pictures come from where it is pushed to. @returns where they are to be sent */
  async addFromPush({ program: id, source, tracks }: Body<'program-push-source'>): Promise<FrameAddress> {
    const running = this.#mustGet(id);
    const { program, sources } = running;
    const inlet = await this.#receivers.open((unit) => program.video.receive(source, unit));
    if (this.#running.get(id) !== running) inlet.close(); // nobody would close it any more
    this.#mustGet(id);
    sources.get(source)?.close();
    sources.set(source, { tracks, mixDelayMs: USUAL_MIX_DELAY_MS, close: inlet.close });
    return inlet.target;
  }

  /** @returns when it is shown, or not wanted any more */
  async show({ program, source }: Body<'program-show'>): Promise<void> {
    await this.#mustGet(program).program.video.show(source);
  }

  removeSource({ program, source }: Body<'program-remove-source'>): void {
    const sources = this.#running.get(program)?.sources;
    sources?.get(source)?.close();
    sources?.delete(source);
  }

  async close(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    running.mixer.removeListener(running.listener);
    for (const { close } of running.sources.values()) close();
    await running.program.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.close(id)));
    this.#receivers.close();
  }

  get statistics(): ProgramStatistics[] {
    return [...this.#running].map(
      ([
        id,
        {
          program: { video, audio },
        },
      ]) => ({
        program: id,
        picture: video.mode,
        frames: video.frames,
        bytes: video.bytes,
        encoderDelayMs: Math.round(video.encoderDelayMs),
        pids: [video.pid, audio.pid].filter((pid) => pid > 0),
        deaths: audio.deaths.total + video.deaths,
        silences: audio.silences,
      }),
    );
  }

  #mustGet(id: string): Running {
    const running = this.#running.get(id);
    if (!running) throw new PatchroomError('failed-precondition', `There is no program ${id} here.`);
    return running;
  }
}

/** Of the tracks that sound at present; what was true before, while all are silent. */
function mixDelayOf(mixer: Mixer, source: Source | undefined): number {
  if (!source) return USUAL_MIX_DELAY_MS;
  for (const track of source.tracks) {
    const delayMs = mixer.contributor(track)?.delayMs ?? 0;
    if (delayMs > 0) source.mixDelayMs = delayMs;
  }
  return source.mixDelayMs;
}
