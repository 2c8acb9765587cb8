import { describe, expect, test } from 'vitest';
import { commandMessage, statusMessage } from '../../../../gateways/rtmp/protocol/command.ts';
import { answering, connect } from './connecting.ts';

/* What a server will never take, however often it is asked, is told apart from what may go well the next time. */

const REJECTED = 'NetConnection.Connect.Rejected';
const rejected = (description: string) =>
  commandMessage('_error', 1, null, [{ level: 'error', code: REJECTED, description }], 0);

/** As servers that want a user name and password say so. */
const LOGINS: [string, string][] = [
  ['Adobe, at first', '[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : '],
  [
    'Adobe, with a challenge',
    '[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=x&salt=c0&challenge=of-the-server&opaque=c1',
  ],
  [
    'Adobe, without such a user',
    '[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=nosuchuser&opaque=x',
  ],
  ['Adobe, with a wrong password', '[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed'],
  ['Limelight', '[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] : '],
  ['Wowza, in other words', 'authmod=adobe code=403 need auth'],
  ['in capitals', '[ AccessManager.Reject ] : [ code=403 need auth; AUTHMOD=ADOBE ] : '],
];
const HOPELESS =
  'hopeless: 127.0.0.1 wants a user name and a password (authmod), which Patchroom cannot send: use an address or a key without.';

describe('a server that wants a login is told to be hopeless, without a word of its challenge:', () => {
  test.each(LOGINS)('%s', async (_, description) => {
    const { port } = await answering(() => rejected(description));
    const { events, happened } = connect(port);
    await happened(HOPELESS);
    expect(events).toEqual([HOPELESS]);
  });

  test('as a status', async () => {
    const { port } = await answering(() => statusMessage(0, 'error', REJECTED, LOGINS[0]![1]));
    const { events, happened } = connect(port);
    await happened(HOPELESS);
    expect(events).toEqual([HOPELESS]);
  });
});

describe('what may go well the next time is a refusal:', () => {
  test.each([
    '',
    'Connection failed: too many connections.',
    '[ Server.Reject ] : (_defaultRoot_, _defaultVHost_) : Application (live) is not loaded.',
    'The author of this event logs in at eight.',
  ])('%j', async (description) => {
    const { port } = await answering(() => rejected(description));
    const { happened } = connect(port);
    await happened(`refused ${REJECTED}: ${description}`);
  });
});
