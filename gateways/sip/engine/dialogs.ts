import { type Dialog, dialogId } from './dialog.ts';
import { tagOf } from './fields.ts';
import { header, type SipRequest } from './message.ts';

/** The table of dialogs. */
export class Dialogs {
  #byId = new Map<string, Dialog>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  /** The dialog that a request of the peer's says it is in (RFC 3261, section 12.2.2). */
  of(request: SipRequest): Dialog | undefined {
    const localTag = tagOf(header(request, 'to')!);
    if (localTag === undefined) return undefined;
    return this.#byId.get(dialogId(header(request, 'call-id')!, localTag, tagOf(header(request, 'from')!)));
  }

  all(): Dialog[] {
    return [...this.#byId.values()];
  }

  add(dialog: Dialog): void {
    this.#byId.set(dialog.id, dialog);
  }

  /** @returns whether it was there */
  delete(dialog: Dialog): boolean {
    return this.#byId.delete(dialog.id);
  }
}
