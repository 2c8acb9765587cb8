import { airState } from '../client/relay-words.ts';
import type { Relays } from '../client/relays.ts';

/** Above the tiles while the room goes out: its name, and whether that works everywhere. */
export function AirHeader({ relays, room }: { relays: Relays; room: string }) {
  const state = airState(relays.list.value.map((relay) => relay.state));
  return (
    <header class={`air-header${state ? '' : ' empty'}`}>
      {state && <h1>{room}</h1>}
      <p role="status">
        {state && <span class={`air-badge ${state.whole ? 'whole' : 'partly'}`}>{state.words}</span>}
      </p>
    </header>
  );
}
