import { expect } from 'vitest';
import { Call } from '../../../gateways/sip/call.ts';
import { PortPool } from '../../../gateways/sip/port-pool.ts';
import { RoomPhones } from '../../../gateways/sip/room-phones.ts';
import type { Body, DialogEvents, IncomingCall } from '../../../gateways/sip/signalling.ts';
import { createLogger } from '../../../src/gateway.ts';
import { ASTERISK } from '../sip/sdp-offers.ts';
import { fakeHost } from './fake-media-plane.ts';
import { turn } from './fake-process.ts';
import { Gate } from './gate.ts';
import { openRoom } from './rooms.ts';

const PAIRS = 3;
export const SDP = 'application/sdp';
/** Of a phone, to an offer of ours. */
export const ANSWER = `v=0
o=- 1 1 IN IP4 198.51.100.30
s=-
c=IN IP4 198.51.100.30
t=0 0
m=audio 5000 RTP/AVP 0
`;

export interface Options {
  readonly offer?: Body | undefined;
  readonly maxParticipants?: number;
  readonly pairs?: number;
}

/** A call that arrives, with all that it meets; everything that it can wait for waits for the test. */
export function incoming(options: Options = {}) {
  const { maxParticipants = 0, pairs = PAIRS } = options;
  const offer = 'offer' in options ? options.offer : { type: SDP, text: ASTERISK };
  const { room } = openRoom({ maxParticipants });
  const { host, media, clock, admitting, joining } = fakeHost(room);
  const [opening, starting, accepting] = [new Gate(), new Gate(), new Gate()];
  media.gates.open = opening;
  media.gates.start = starting;
  const ports = new PortPool({ min: 40_000, max: 40_000 + 2 * pairs - 1 }, clock);
  const said: string[] = [];
  let cancel = () => {};
  let dialog: DialogEvents | undefined;
  let accepted: string | undefined;
  const one = {
    callId: 'call-1',
    uri: 'sip:lounge@example.org',
    from: '<sip:ann@example.org>',
    source: { protocol: 'udp', address: '192.0.2.7', port: 5060 },
    offer,
    cancelled: false,
    onCancel: (listener: () => void) => {
      cancel = listener;
    },
    refuse: (status: number, text: string) => said.push(`refuse ${status} ${text}`),
    accept: (sdp: string, onAnswered: (made: unknown) => void, onFailed: () => void) => {
      accepted = sdp;
      said.push('200');
      const made = {
        record: { callId: 'call-1' },
        listen: (events: DialogEvents) => {
          dialog = events;
        },
        isThere: async () => false,
        bye: async (reason: string) => void said.push(`BYE ${reason}`),
      };
      accepting.pass().then(() => onAnswered(made), onFailed);
    },
  };
  const phones: RoomPhones[] = [];
  let over = 0;
  const call = new Call(
    one as unknown as IncomingCall,
    {
      host,
      ports,
      mediaAddress: '192.0.2.1',
      codecs: ['opus', 'PCMU', 'PCMA'],
      mediaTimeoutMs: 30_000,
      phonesOf: () => {
        const present = phones.at(-1);
        if (present) return present;
        const made: RoomPhones = new RoomPhones(
          room,
          host,
          8,
          () => void phones.splice(phones.indexOf(made), 1),
        );
        phones.push(made);
        return made;
      },
      onOver: () => over++,
    },
    createLogger('silent'),
  );
  const gates = { admitting, joining, opening, starting, accepting };
  return {
    room,
    media,
    clock,
    ports,
    said,
    call,
    gates,
    arrive: () => call.arrive({ room: 'lounge', identity: 'phone-1', name: 'Ann' }),
    cancel: () => cancel(),
    /** What drachtio-srf tells of the dialog. */
    get dialog() {
      return dialog!;
    },
    get accepted() {
      return accepted;
    },
    get participant() {
      return room.participant('phone-1');
    },
    get over() {
      return over > 0;
    },
    /** Nothing of it is left, and every port is back exactly once. */
    async expectNothing() {
      await call.ending;
      await turn();
      expect({ over: over > 0, record: call.record }).toEqual({ over: true, record: undefined });
      expect({
        participants: room.participants,
        open: media.open.size,
        producers: media.producers.size,
      }).toEqual({
        participants: [],
        open: 0,
        producers: 0,
      });
      expect([phones.length, media.mixHolds]).toEqual([0, 0]);
      clock.advance(70_000);
      const free = Array.from({ length: pairs + 1 }, () => ports.take());
      expect(free.filter((pair) => pair !== undefined)).toHaveLength(pairs);
    },
  };
}

export type Incoming = ReturnType<typeof incoming>;

/** One that was answered, with its ACK. */
export async function standing(options: Options = {}): Promise<Incoming> {
  const one = incoming(options);
  await one.arrive();
  await turn();
  one.dialog.acknowledged(undefined);
  return one;
}
