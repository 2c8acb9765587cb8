import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Relays } from '../client/relays.ts';
import { wordsOf } from '../client/room-resource.ts';
import { joinStreamAddress } from '../client/stream-address.ts';
import { EyeIcon, GoLiveIcon } from './icons.tsx';

/** Server and stream key, as streaming services give them. What was typed is forgotten once it has started. */
export function RelayForm({ relays }: { relays: Relays }) {
  const server = useSignal('');
  const key = useSignal('');
  const keyShown = useSignal(false);
  const starting = useSignal(false);
  const problem = useSignal('');
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);

  const start = async (event: SubmitEvent) => {
    event.preventDefault();
    if (starting.value) return;
    starting.value = true;
    problem.value = '';
    try {
      await relays.start(joinStreamAddress(server.value, key.value));
      server.value = '';
      key.value = '';
      keyShown.value = false;
    } catch (error) {
      problem.value = wordsOf(error);
    } finally {
      starting.value = false;
    }
  };

  return (
    <form onSubmit={start} autocomplete="off">
      <label>
        Server
        <input
          ref={first}
          value={server.value}
          onInput={(event) => (server.value = event.currentTarget.value)}
          inputMode="url"
          spellcheck={false}
          autocapitalize="none"
          autocomplete="off"
          placeholder="rtmp://live.example.com/app"
          aria-describedby="relay-hint"
          required
        />
      </label>
      <div class="field">
        <label for="stream-key">Stream key</label>
        <span class="with-button">
          <input
            id="stream-key"
            // Preact's types know no field that changes from one into the other.
            type={(keyShown.value ? 'text' : 'password') as 'password'}
            value={key.value}
            onInput={(event) => (key.value = event.currentTarget.value)}
            spellcheck={false}
            autocapitalize="none"
            autocomplete="off"
            aria-describedby="relay-hint"
          />
          <button
            type="button"
            aria-pressed={keyShown.value}
            title={keyShown.value ? 'Hide the key' : 'Show the key'}
            onClick={() => (keyShown.value = !keyShown.value)}
          >
            <EyeIcon off={keyShown.value} />
            <span class="visually-hidden">Show the key</span>
          </button>
        </span>
      </div>
      <p id="relay-hint" class="quiet">
        As your streaming service gives them for OBS. A whole address with its key fits into the first field.
      </p>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <button type="submit" class="primary" disabled={starting.value}>
        <GoLiveIcon />
        {starting.value ? 'Starting…' : 'Start'}
      </button>
    </form>
  );
}
