import './relays.css';
import type { OnAir } from '../client/on-air.ts';
import type { RoomState } from '../client/room-state.ts';
import { CloseIcon } from './icons.tsx';
import { RelayCard } from './relay-card.tsx';
import { RelayForm } from './relay-form.tsx';

/** Beside the tiles: where the room goes out to, and the form that sends it to one place more. */
export function RelayPanel({ onAir, room }: { onAir: OnAir; room: RoomState }) {
  const { relays, program } = onAir;
  const close = () => (onAir.panelOpen.value = false);
  const nameOf = (identity: string) =>
    [...room.participants.value.values()].find((one) => one.identity === identity)?.name ?? identity;
  const problem = relays.problem.value || program.problem.value;
  const { pinned, shown } = program.now.value ?? { pinned: null, shown: null };
  return (
    <aside
      id="relays"
      class="relays"
      aria-labelledby="relays-title"
      onKeyDown={({ key }) => {
        if (key === 'Escape') close();
      }}
    >
      <header>
        <h2 id="relays-title">Go live</h2>
        <button type="button" class="bare" title="Close" onClick={close}>
          <CloseIcon />
          <span class="visually-hidden">Close</span>
        </button>
      </header>
      <RelayForm relays={relays} />
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {relays.list.value.length > 0 && (
        <ul aria-label="Destinations">
          {relays.list.value.map((relay) => (
            <RelayCard
              key={relay.id}
              relays={relays}
              relay={relay}
              onlyName={relay.participant && nameOf(relay.participant)}
            />
          ))}
        </ul>
      )}
      {program.now.value && (relays.running.value || pinned !== null) && (
        <div class="program">
          <p>
            {shown
              ? `The stream shows ${nameOf(shown.participant)}`
              : 'The stream shows no picture of anybody'}
            {shown && (pinned === shown.participant ? ', pinned.' : ', chosen automatically.')}
            {!shown && '.'}
            {pinned !== null && pinned !== shown?.participant && ` Pinned is ${nameOf(pinned)}.`}
          </p>
          {pinned !== null && (
            <button type="button" onClick={() => void program.pin(null)}>
              Unpin
            </button>
          )}
        </div>
      )}
    </aside>
  );
}
