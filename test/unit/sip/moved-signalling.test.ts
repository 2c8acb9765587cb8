import { expect, test } from 'vitest';
import { turn } from '../support/fake-process.ts';
import { SDP, standing } from '../support/incoming-call.ts';
import { ASTERISK } from './sdp-offers.ts';

test('a phone whose re-INVITE comes from another address is looked for at that address from then on', async () => {
  const one = await standing();
  const answers: string[] = [];
  const reinvite = {
    source: { protocol: 'udp', address: '203.0.113.50', port: 5060 },
    offer: { type: SDP, text: ASTERISK.replaceAll('198.51.100.22', '10.0.0.7') },
    accept: (sdp: string) => answers.push(sdp),
    refuse: (status: number, text: string) => answers.push(`${status} ${text}`),
  };
  one.dialog.reinvited(reinvite);
  await turn();
  expect(answers).toEqual([expect.stringContaining('m=audio 40000')]);
  expect(one.media.requests.findLast(({ type }) => type === 'start')).toMatchObject({
    remote: { address: '10.0.0.7', signalled: '203.0.113.50' },
  });
});
