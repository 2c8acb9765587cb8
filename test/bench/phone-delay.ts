import { parseRtp } from '../../src/media/rtp/rtp.ts';
import type { Server } from '../../src/server.ts';
import { PhoneLine } from '../peers/phone-line.ts';
import { participantNamed, publishing, roomNamed } from '../peers/room-events.ts';
import { startServer } from '../peers/server.ts';
import { sipPort } from '../peers/sip-port.ts';
import { median } from './median.ts';
import { answerRequests, placeCall } from './phone-load-call.ts';
import { HubTap } from './phone-load-hub-tap.ts';
import { LoadLeg } from './phone-load-leg.ts';
import { OpusSpeaker, opusMark } from './phone-load-opus.ts';
import { percentile } from './phone-load-percentile.ts';
import { withPriority } from './phone-load-priority.ts';
import { Recording } from './phone-load-recording.ts';
import { FRAME_MS, FRAME_SAMPLES, SAMPLES_PER_MS } from './phone-load-sound.ts';

const RUNS = 3;
const WINDOW_S = 15;
const SETTLE_MS = 1_000;
const ADDRESS = '127.0.0.2';
/** They take turns with the marks, each at another place in the 20 ms, as the mixer's beat has one place. */
const SPEAKERS = 5;
/** From mark to mark: so long that the mixer has noticed that the one before is silent. */
const FRAMES_A_TURN = 25;
/** A mark that was not heard so long after it was said is missed. */
const LONGEST_MS = 450;
const MARKS = [0, 20, 40, 60, 80, 100, 120, 140].map((offset) => opusMark(offset, FRAMES_A_TURN));

/**
 * What the product adds to a voice on its way between a phone and the hub, where browsers are, in ms. To the
 * hub: from a packet of the phone to its payload at a consumer. From the hub: Opus, decoded and mixed, from
 * when somebody would hear it who plays every packet as it comes to the hub to when the phone hears it who
 * does the same with what it gets.
 */
export async function phoneDelay(): Promise<Record<string, number>> {
  const runs: Delays[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await withPriority(measureOne));
  const of = (figure: (run: Delays) => number) => median(runs.map(figure));
  return {
    'phone to hub p50, ms': of(({ toHub }) => percentile(toHub, 50)),
    'phone to hub p95, ms': of(({ toHub }) => percentile(toHub, 95)),
    'phone to hub, packets lost': of(({ lost }) => lost),
    'hub to phone p50, ms': of(({ fromHub }) => percentile(fromHub, 50)),
    'hub to phone p95, ms': of(({ fromHub }) => percentile(fromHub, 95)),
    'hub to phone, marks not heard': of(({ fromHub, said }) => said - fromHub.length),
  };
}

interface Delays {
  /** Packets of the phone that did not come out at the hub. */
  readonly lost: number;
  readonly toHub: readonly number[];
  readonly said: number;
  readonly fromHub: readonly number[];
}

async function measureOne(): Promise<Delays> {
  const server = await startServer();
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}

async function measure(server: Server): Promise<Delays> {
  const line = await PhoneLine.open(ADDRESS);
  answerRequests(line);
  const phone = await LoadLeg.open(ADDRESS, 1);
  const uri = `sip:bench@127.0.0.1:${sipPort(server)}`;
  const call = await placeCall(line, uri, { address: ADDRESS, port: phone.port }, 'phone');
  await phone.connect(call.remote);
  const room = await roomNamed(server, 'bench');
  const participant = await participantNamed(room, 'phone');
  await publishing(participant, 1);
  const tap = await HubTap.open(server, room);
  for (let index = 0; index < SPEAKERS; index++) await tap.publish(`speaker-${index}`, index + 1);
  const [track] = participant.tracks.values();
  const hold = await track!.hold();
  const conversation = new Conversation(phone, tap);
  await tap.consume(hold.producerId, conversation.onPacketAtHub);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const delays = await conversation.measure(WINDOW_S);
  conversation.close();
  hold.release();
  await call.hangUp();
  phone.close();
  line.close();
  return delays;
}

/** A phone that sends numbered packets of noise, and speakers at the hub who say marks in turn. */
class Conversation {
  #phone: LoadLeg;
  #tap: HubTap;
  #speakers = Array.from({ length: SPEAKERS }, (_, index) => new OpusSpeaker(index + 1));
  #payload = Buffer.from(Array.from({ length: FRAME_SAMPLES }, (_, at) => (at % 7) * 37));
  #timer: NodeJS.Timeout;
  #startedAt = performance.now();
  #slot = 0;
  /** Numbers of the phone's packets that were sent and did not come out yet, and when they were sent. */
  #underway = new Map<number, number>();
  #toHub: number[] = [];
  /** When each mark was to be heard at the hub. */
  #said: number[] = [];

  constructor(phone: LoadLeg, tap: HubTap) {
    this.#phone = phone;
    this.#tap = tap;
    this.#timer = setTimeout(this.#run, 0);
  }

  async measure(seconds: number): Promise<Delays> {
    this.#phone.recording = new Recording(seconds);
    this.#underway.clear();
    this.#toHub = [];
    this.#said = [];
    const until = performance.now() + seconds * 1000;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const said = this.#said.filter((at) => at < until - LONGEST_MS);
    const heard = this.#phone.recording.marks();
    const fromHub = said.flatMap((at) => {
      const heardAt = heard.find((one) => one > at && one < at + LONGEST_MS);
      return heardAt === undefined ? [] : [heardAt - at];
    });
    const lost = [...this.#underway.values()].filter((sentAt) => sentAt < until - LONGEST_MS).length;
    return { lost, toHub: this.#toHub, said: said.length, fromHub };
  }

  onPacketAtHub = (packet: Buffer): void => {
    const number = parseRtp(packet)?.payload.readUInt32BE(0) ?? 0;
    const sentAt = this.#underway.get(number);
    if (sentAt === undefined) return;
    this.#underway.delete(number);
    this.#toHub.push(performance.now() - sentAt);
  };

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Paced by the clock: in each 20 ms the speakers one after the other, each with the phone once in the first's place. */
  #run = (): void => {
    for (;;) {
      const dueAt = this.#startedAt + (this.#slot * FRAME_MS) / SPEAKERS;
      if (performance.now() < dueAt) break;
      const frame = Math.floor(this.#slot / SPEAKERS);
      if (this.#slot % SPEAKERS === 0) this.#sendPhone();
      this.#speak(this.#slot % SPEAKERS, frame);
      this.#slot++;
    }
    this.#timer = setTimeout(this.#run, 1);
  };

  #sendPhone(): void {
    const number = this.#payload.readUInt32BE(0) + 1;
    this.#payload.writeUInt32BE(number >>> 0, 0);
    this.#underway.set(number >>> 0, performance.now());
    this.#phone.send(this.#payload);
  }

  #speak(speaker: number, frame: number): void {
    const turn = Math.floor(frame / FRAMES_A_TURN);
    const { frames, begins } = MARKS[turn % MARKS.length]!;
    const at = frame % FRAMES_A_TURN;
    const isOn = turn % SPEAKERS === speaker;
    if (isOn && at === Math.floor(begins / FRAME_SAMPLES)) {
      this.#said.push(performance.now() + (begins % FRAME_SAMPLES) / SAMPLES_PER_MS);
    }
    this.#tap.send(this.#speakers[speaker]!.packet(frames[isOn ? at : 0]!));
  }
}
