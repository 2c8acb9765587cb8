import { createHash, timingSafeEqual } from 'node:crypto';

/** One stream that may be published. */
export interface StreamKey {
  readonly room: string;
  readonly name: string;
  /** Names the stream among the others without telling the key. */
  readonly id: string;
}

export interface ConfiguredKey {
  readonly key: string;
  readonly room: string;
  readonly name: string;
}

const MAX_KEY_CHARACTERS = 512;
const MAX_NAME_CHARACTERS = 100;

/** The keys that encoders may publish with. Secrets are compared by their digests, all of them each time: constant time. */
export class StreamKeys {
  #keys: readonly { readonly digest: Buffer; readonly stream: StreamKey }[];
  #roomNames: boolean;

  /** @param roomNames - whether a room's name is a key for it (demo mode); `room?name=…` names the participant as well */
  constructor(keys: readonly ConfiguredKey[], roomNames: boolean) {
    this.#keys = keys.map(({ key, room, name }, index) => ({
      digest: digest(key),
      stream: { room, name, id: `key-${index}` },
    }));
    this.#roomNames = roomNames;
  }

  /** Whether there is any way in. */
  get any(): boolean {
    return this.#roomNames || this.#keys.length > 0;
  }

  /** Whether it is one of the configuration, which nobody else knows. */
  isConfigured(text: string): boolean {
    return this.#configured(text) !== undefined;
  }

  /** @param text - as the encoder sent it. @returns undefined for a key that is none */
  find(text: string): StreamKey | undefined {
    return (
      this.#configured(text) ??
      (this.#roomNames && text.length <= MAX_KEY_CHARACTERS ? byRoomName(text) : undefined)
    );
  }

  /** With what people append to it for other services; a key may have question marks of its own. */
  #configured(text: string): StreamKey | undefined {
    if (text.length > MAX_KEY_CHARACTERS) return undefined;
    let found: StreamKey | undefined;
    for (let end = text.length; end > 0 && !found; end = text.lastIndexOf('?', end - 1)) {
      const given = digest(text.slice(0, end));
      for (const { digest: known, stream } of this.#keys) {
        if (timingSafeEqual(known, given)) found = stream;
      }
    }
    return found;
  }
}

function byRoomName(text: string): StreamKey | undefined {
  const [room = '', query = ''] = text.split('?', 2);
  if (room === '') return undefined;
  const name = new URLSearchParams(query).get('name')?.trim().slice(0, MAX_NAME_CHARACTERS) || '';
  return { room, name, id: `room-${room}?${name}` };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
