import { describe, expect, test } from 'vitest';
import type { Logger } from '../../../src/base/log.ts';
import { IngestEndpoints } from '../../../src/ingest/ingest-endpoints.ts';
import type { IngestNotice, IngestRequest } from '../../../src/ingest/messages.ts';
import type { AudioFormat, SourceUnit } from '../../../src/media/access-unit.ts';
import { parseRtp } from '../../../src/media/rtp/rtp.ts';
import type { Ingest, IngestOptions } from '../../../transcode/ingest/ingest.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLink } from '../support/fake-link.ts';
import { FakeLog } from '../support/fake-log.ts';
import { withLengths } from '../support/nal-units.ts';
import { formatOf, INTER, KEY, PLAIN } from '../support/picture-path.ts';

const OPTIONS: IngestOptions = {
  video: {
    maxKeyFrameGapMs: 3_000,
    maxHeight: 720,
    bitrateBps: 2e6,
    preset: 'superfast',
    maxWaitMs: 500,
  },
  audio: { bitrateBps: 96_000, maxWaitMs: 500 },
};
const TARGET = { port: 4_000, token: 'secret' };
const FORMAT = formatOf(PLAIN);
/** Passes through, so that no child is needed. */
const PCMA: AudioFormat = { kind: 'audio', codec: 'PCMA', sampleRate: 8_000, channels: 1 };
const FLAGS = { disposable: false, discontinuity: false };

/** Who takes a publisher's video for a program. */
class FakeTaker {
  readonly units: SourceUnit[] = [];
  closed = 0;
  readonly target: typeof TARGET;
  /** Its socket is gone. */
  readonly lose: () => void;

  constructor(target: typeof TARGET, lose: () => void) {
    this.target = target;
    this.lose = lose;
  }

  send(unit: SourceUnit): void {
    this.units.push(unit);
  }

  close(): void {
    this.closed++;
  }

  /** K and i. */
  get letters(): string {
    return this.units.map(({ key }) => (key ? 'K' : 'i')).join('');
  }
}

function endpoints() {
  const clock = new FakeClock();
  const links = new Map([
    ['video link', new FakeLink()],
    ['audio link', new FakeLink()],
  ]);
  const notices: IngestNotice[] = [];
  const takers: FakeTaker[] = [];
  const all = new IngestEndpoints({
    clock,
    log: new FakeLog() as unknown as Logger,
    link: (id) => {
      const link = links.get(id);
      if (!link) throw new Error(`no link ${id}`);
      return link;
    },
    openFrames: (target, onClose) => {
      const taker = new FakeTaker(target as typeof TARGET, onClose);
      takers.push(taker);
      return taker;
    },
    notify: (notice) => void notices.push(notice),
  });
  const open = (session: string) => all.open(session, OPTIONS);
  const send = (kind: 'audio' | 'video', ssrc: number, session = 'one'): IngestRequest => ({
    ...{ type: 'send', session, kind, link: `${kind} link`, ssrc, payloadType: kind === 'video' ? 103 : 8 },
  });
  /** SSRCs of what went out. */
  const ssrcs = (kind: 'audio' | 'video') =>
    links.get(`${kind} link`)!.sent.map((packet) => parseRtp(packet)!.ssrc);
  return { endpoints: all, clock, links, notices, takers, open, send, ssrcs };
}

/** @param letters - K and i, in real time */
function play(ingest: Ingest, clock: FakeClock, letters: string): void {
  for (const letter of letters) {
    const key = letter === 'K';
    const times = { dtsUs: clock.now() * 1000, ptsUs: clock.now() * 1000 };
    ingest.receive({ format: FORMAT, data: withLengths([key ? KEY : INTER]), key, ...times, ...FLAGS });
    clock.advance(40);
  }
}

function speak(ingest: Ingest, clock: FakeClock): void {
  const times = { dtsUs: clock.now() * 1000, ptsUs: clock.now() * 1000 };
  ingest.receive({ format: PCMA, data: Buffer.alloc(160, 0xd5), key: true, ...times, ...FLAGS });
  clock.advance(20);
}

describe('what a publisher sends is told to the control plane', () => {
  test('with its session, its size and how it gets to browsers', () => {
    const { open, clock, notices } = endpoints();
    const ingest = open('one');
    ingest.rename('OBS');
    play(ingest, clock, 'K');
    speak(ingest, clock);
    ingest.refuse('audio', 'Speex', undefined);
    expect(notices).toEqual([
      { type: 'encoder', session: 'one', name: 'OBS' },
      {
        ...{ type: 'track', session: 'one', kind: 'video', codec: 'H264', width: 640, height: 360 },
        ...{ outcome: 'pass-through', reason: 'browsers take it as it is' },
        steps: [{ action: 'repacketize', detail: 'H.264 to RTP' }],
      },
      {
        ...{ type: 'track', session: 'one', kind: 'audio', codec: 'PCMA' },
        ...{ outcome: 'pass-through', reason: 'browsers take it as it is', steps: [] },
      },
      {
        ...{ type: 'track', session: 'one', kind: 'audio', codec: 'Speex', outcome: 'refused', steps: [] },
        reason: 'OBS sends Speex audio, which is not taken: set the audio encoder to AAC',
      },
    ]);
  });

  test('of each by itself', () => {
    const { open, notices } = endpoints();
    const [first, second] = [open('one'), open('two')];
    second.rename('OBS');
    first.rename('Lavf60');
    expect(notices).toEqual([
      { type: 'encoder', session: 'two', name: 'OBS' },
      { type: 'encoder', session: 'one', name: 'FFmpeg' },
    ]);
  });
});

describe('to a hub it goes', () => {
  test('from the request to send it to the request not to', () => {
    const { endpoints: all, open, clock, send, ssrcs } = endpoints();
    const ingest = open('one');
    play(ingest, clock, 'K');
    expect(all.handle(send('video', 7))).toEqual({});
    play(ingest, clock, 'Ki');
    expect(all.handle({ type: 'unsend', session: 'one', kind: 'video', ssrc: 7 })).toEqual({});
    const { length } = ssrcs('video');
    expect(new Set(ssrcs('video'))).toEqual(new Set([7]));
    play(ingest, clock, 'Ki');
    expect(ssrcs('video')).toHaveLength(length);
  });

  test('each kind by itself', () => {
    const { endpoints: all, open, clock, send, ssrcs } = endpoints();
    const ingest = open('one');
    all.handle(send('video', 7));
    all.handle(send('audio', 8));
    speak(ingest, clock);
    all.handle({ type: 'unsend', session: 'one', kind: 'video', ssrc: 7 });
    play(ingest, clock, 'K');
    speak(ingest, clock);
    expect([ssrcs('video'), ssrcs('audio')]).toEqual([[], [8, 8]]);
  });

  test('on, when the request not to send it means a stream before the present one', () => {
    const { endpoints: all, open, clock, send, ssrcs, links } = endpoints();
    const ingest = open('one');
    all.handle(send('video', 7));
    all.handle(send('video', 9));
    all.handle({ type: 'unsend', session: 'one', kind: 'video', ssrc: 7 });
    play(ingest, clock, 'K');
    expect(new Set(ssrcs('video'))).toEqual(new Set([9]));
    // Of the stream before nothing is left behind.
    expect(links.get('video link')!.listeners).toBe(2);
  });

  test('not while it is muted', () => {
    const { endpoints: all, open, clock, send, ssrcs } = endpoints();
    const ingest = open('one');
    all.handle(send('audio', 8));
    all.handle({ type: 'mute', session: 'one', kind: 'audio', muted: true });
    speak(ingest, clock);
    expect(ssrcs('audio')).toEqual([]);
    all.handle({ type: 'mute', session: 'one', kind: 'audio', muted: false });
    speak(ingest, clock);
    expect(ssrcs('audio')).toEqual([8]);
  });

  test('not over a link that is not there, of which the control plane is told', () => {
    const { endpoints: all, open, send } = endpoints();
    open('one');
    expect(() => all.handle({ ...send('video', 7), link: 'another' } as IngestRequest)).toThrow(
      'no link another',
    );
  });
});

describe('to programs it goes', () => {
  const taking = (outlet: string): IngestRequest => ({
    ...{ type: 'send-frames', session: 'one', outlet, ...TARGET },
  });

  test('from the last key frame on, to where it is asked for, until it is not wanted any more', () => {
    const { endpoints: all, open, clock, takers } = endpoints();
    const ingest = open('one');
    play(ingest, clock, 'Ki');
    expect(all.handle(taking('a'))).toEqual({});
    expect(takers.map(({ target }) => target)).toEqual([TARGET]);
    play(ingest, clock, 'i');
    all.handle({ type: 'unsend-frames', session: 'one', outlet: 'a' });
    play(ingest, clock, 'i');
    expect([takers[0]!.letters, takers[0]!.closed]).toEqual(['Kii', 1]);
  });

  test('to several at once', () => {
    const { endpoints: all, open, clock, takers } = endpoints();
    const ingest = open('one');
    all.handle(taking('a'));
    play(ingest, clock, 'K');
    all.handle(taking('b'));
    all.handle({ type: 'unsend-frames', session: 'one', outlet: 'a' });
    play(ingest, clock, 'i');
    expect(takers.map(({ letters }) => letters)).toEqual(['K', 'Ki']);
  });

  test('until nobody is there any more', () => {
    const { endpoints: all, open, clock, takers } = endpoints();
    const ingest = open('one');
    all.handle(taking('a'));
    play(ingest, clock, 'K');
    takers[0]!.lose();
    play(ingest, clock, 'i');
    expect(takers[0]!.letters).toBe('K');
  });
});

test('statistics are those of the session', () => {
  const { endpoints: all, open, clock } = endpoints();
  const [first] = [open('one'), open('two')];
  play(first!, clock, 'K');
  const of = (session: string) => all.handle({ type: 'statistics', session }).statistics;
  expect(of('one')).toMatchObject({ video: { format: 'H.264 Main', width: 640, height: 360 } });
  expect(of('two')).toEqual({ repairs: { jumps: 0, steps: 0 } });
});

describe('a connection that is gone', () => {
  test('ends all that was made of it, and leaves nothing behind', () => {
    const { endpoints: all, open, clock, takers, send, links, ssrcs } = endpoints();
    const ingest = open('one');
    all.handle(send('video', 7));
    all.handle(send('audio', 8));
    all.handle({ type: 'send-frames', session: 'one', outlet: 'a', ...TARGET });
    play(ingest, clock, 'K');
    all.close('one');
    const { length } = ssrcs('video');
    play(ingest, clock, 'K');
    expect([ssrcs('video').length, takers[0]!.letters, takers[0]!.closed]).toEqual([length, 'K', 1]);
    expect([...links.values()].map(({ listeners }) => listeners)).toEqual([0, 0]);
    expect(clock.pending).toBe(0);
    all.close('one');
  });

  test.each<[string, IngestRequest]>([
    ['to send', endpoints().send('video', 7)],
    ['to mute', { type: 'mute', session: 'one', kind: 'audio', muted: true }],
    ['for statistics', { type: 'statistics', session: 'one' }],
    ['for its frames', { type: 'send-frames', session: 'one', outlet: 'a', ...TARGET }],
  ])('refuses requests %s', (_, request) => {
    const { endpoints: all, open, takers } = endpoints();
    open('one');
    all.close('one');
    expect(() => all.handle(request)).toThrow(
      expect.objectContaining({
        code: 'failed-precondition',
        message: 'Session one is not open here.',
      }),
    );
    expect(takers).toEqual([]);
  });

  test.each<[string, IngestRequest]>([
    ['not to send any more', { type: 'unsend', session: 'one', kind: 'video', ssrc: 7 }],
    ['not to send frames any more', { type: 'unsend-frames', session: 'one', outlet: 'a' }],
  ])('does not mind requests %s', (_, request) => {
    const { endpoints: all } = endpoints();
    expect(all.handle(request)).toEqual({});
  });
});
