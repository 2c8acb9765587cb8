import { firstItem, parseCseq, parseVia, tagOf } from './fields.ts';
import { header, type SipRequest } from './message.ts';

/** What marks a branch as unique (RFC 3261, section 8.1.1.7); alone, it is not. */
const UNIQUE = /^z9hg4bk./i;

/**
 * What tells requests of one transaction from others (RFC 3261, section 17.2.3).
 * @param method - of the transaction: INVITE for an ACK to it, and for the INVITE that a CANCEL is about
 */
export function transactionKey(request: SipRequest, method: string): string {
  const via = parseVia(firstItem(header(request, 'via')!).item)!;
  const branch = via.parameters.get('branch') ?? '';
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`;
  if (UNIQUE.test(branch)) return `${branch} ${sentBy} ${method}`;
  // RFC 2543 branches are not unique: everything that has to be equal, but for the tag in To, which an ACK adds.
  const { number } = parseCseq(header(request, 'cseq')!)!;
  const from = tagOf(header(request, 'from')!) ?? '';
  return [branch, sentBy, method, header(request, 'call-id'), number, from, request.uri].join(' ');
}

/** The same for a request and its copies that took other ways (section 8.2.2.2). */
export function originOf(request: SipRequest): string {
  const from = tagOf(header(request, 'from')!) ?? '';
  return `${header(request, 'call-id')} ${from} ${header(request, 'cseq')}`;
}
