import { describe, expect, test } from 'vitest';
import { egressInfo } from '../../../src/api/egress-views.ts';
import type { Output, OutputDestination } from '../../../src/outputs/output.ts';
import { destinationAt, LIVE, outputOf, STARTED_AT, STREAM_KEY } from '../support/fake-outputs.ts';

const LOUNGE = { name: 'lounge', sid: 'RM_1' };
const NS = '000000';

function view(change: Partial<Output> = {}): Record<string, unknown> {
  const info = egressInfo(outputOf(LOUNGE, change));
  return info.toJson({ useProtoFieldName: true, emitDefaultValues: true }) as Record<string, unknown>;
}

const streamOf = (change: Partial<OutputDestination>) =>
  (view({ destinations: [destinationAt('cdn.example', change)] }).stream_results as object[])[0];

describe('an output as LiveKit shows it', () => {
  test('has its room, its times in nanoseconds, its request and its streams', () => {
    const stream = {
      url: 'rtmp://cdn.example/app/{hus...ody}',
      status: 'ACTIVE',
      started_at: `1700000000000${NS}`,
      ended_at: '0',
      duration: '0',
      error: '',
      retries: 0,
      last_retry_at: '0',
    };
    expect(view({ updatedAt: STARTED_AT + 7 })).toMatchObject({
      egress_id: 'EG_1',
      room_id: 'RM_1',
      room_name: 'lounge',
      source_type: 'EGRESS_SOURCE_TYPE_WEB',
      status: 'EGRESS_ACTIVE',
      started_at: `1700000000000${NS}`,
      updated_at: `1700000000007${NS}`,
      ended_at: '0',
      room_composite: {
        room_name: 'lounge',
        layout: 'single-speaker',
        stream_outputs: [{ protocol: 'RTMP', urls: ['rtmp://cdn.example/app/{hus...ody}'] }],
      },
      stream_results: [stream],
      stream: { info: [stream] },
      file_results: [],
      error: '',
    });
  });

  test('of one participant has his identity', () => {
    const info = view({ source: { type: 'participant', identity: 'ann' } });
    expect(info).toMatchObject({
      source_type: 'EGRESS_SOURCE_TYPE_SDK',
      participant: { room_name: 'lounge', identity: 'ann', stream_outputs: [{ protocol: 'RTMP' }] },
    });
    expect(info).not.toHaveProperty('room_composite');
  });

  test.each([
    ['starting', 'EGRESS_STARTING'],
    ['active', 'EGRESS_ACTIVE'],
    ['ending', 'EGRESS_ENDING'],
    ['complete', 'EGRESS_COMPLETE'],
    ['failed', 'EGRESS_FAILED'],
    ['aborted', 'EGRESS_ABORTED'],
  ] as const)('that is %s is %s', (status, expected) => {
    expect(view({ status }).status).toBe(expected);
  });

  test('that failed has its end and its cause', () => {
    expect(view({ status: 'failed', error: 'No more.', endedAt: STARTED_AT + 1 })).toMatchObject({
      error: 'No more.',
      ended_at: `1700000000001${NS}`,
    });
  });

  test.each<[string, Partial<OutputDestination>, object]>([
    ['runs', {}, { status: 'ACTIVE', duration: '0' }],
    [
      'was ended',
      { status: 'finished', endedAt: STARTED_AT + 1500 },
      { status: 'FINISHED', ended_at: `1700000001500${NS}`, duration: `1500${NS}` },
    ],
    [
      'failed',
      { status: 'failed', endedAt: STARTED_AT, error: 'BadName' },
      { status: 'FAILED', error: 'BadName', duration: '0' },
    ],
    [
      'ended before it started, when clocks were set',
      { status: 'finished', endedAt: STARTED_AT - 5 },
      { duration: '0' },
    ],
    [
      'was tried again',
      { report: { ...LIVE, retries: 4, lastRetryAt: STARTED_AT + 0.6 } },
      { retries: 4, last_retry_at: `1700000000001${NS}` },
    ],
  ])('its stream that %s', (_, change, expected) => {
    expect(streamOf(change)).toMatchObject(expected);
  });

  test('has in words how its running destinations are doing', () => {
    const destinations = [
      destinationAt('a.example'),
      destinationAt('b.example', {
        report: { ...LIVE, state: 'waiting', reason: 'NetStream.Publish.BadName: busy' },
      }),
      destinationAt('c.example', { status: 'finished', endedAt: STARTED_AT }),
    ];
    expect(view({ destinations }).details).toBe(
      'rtmp://a.example/app/{hus...ody} is live; rtmp://b.example/app/{hus...ody} is waiting: NetStream.Publish.BadName: busy',
    );
  });

  test('has no key', () => {
    const destinations = [destinationAt('a.example'), destinationAt('b.example', { status: 'finished' })];
    for (const source of [{ type: 'room' }, { type: 'participant', identity: 'ann' }] as const) {
      expect(JSON.stringify(view({ source, destinations }))).not.toContain(STREAM_KEY);
    }
  });
});
