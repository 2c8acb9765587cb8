import { CallRefused } from '../peers/phone-call.ts';
import { PhoneDialog } from '../peers/phone-dialog.ts';
import type { Address, PhoneLine } from '../peers/phone-line.ts';
import { buildResponse } from '../peers/phone-message.ts';
import { buildSdp, offeredFormats, parseSdp } from '../peers/phone-sdp.ts';

export interface LoadCall {
  /** Where its RTP goes. */
  readonly remote: Address;
  hangUp(): Promise<void>;
}

/** Has a line that carries many calls answer what comes in them. */
export function answerRequests(line: PhoneLine): void {
  line.onRequest = (request) => (request.method === 'ACK' ? undefined : buildResponse(request, '200 OK'));
}

/**
 * A call in PCMU. RTCP comes to the port of RTP, so that one socket a call will do.
 * @param local - of its RTP
 * @throws CallRefused with the status
 */
export async function placeCall(
  line: PhoneLine,
  uri: string,
  local: Address,
  name: string,
): Promise<LoadCall> {
  const { address, port } = local;
  const sipAddress = { address, port: line.port };
  const dialog = new PhoneDialog({ uri, local: sipAddress, contact: sipAddress, name });
  const formats = offeredFormats(['PCMU']);
  const offer = buildSdp({ address, rtpPort: port, rtcpPort: port, rtcpMux: true, version: 1, formats });
  const response = await line.exchange(dialog.request('INVITE', [], offer), dialog.target, {
    acknowledge: (accepted) => {
      dialog.confirm(accepted);
      return { text: dialog.acknowledgement(1), to: dialog.target };
    },
  });
  if (response.status! >= 300) throw new CallRefused(response);
  return {
    remote: parseSdp(response.body),
    hangUp: async () => {
      await line.exchange(dialog.request('BYE'), dialog.target);
    },
  };
}
