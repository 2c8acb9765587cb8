import { signal } from '@preact/signals';
import type { RoomSession } from '../client/room-session.ts';
import { EndedView } from './ended.tsx';
import { HomeView } from './home.tsx';
import { LobbyView } from './lobby.tsx';
import { RoomView } from './room.tsx';

const session = signal<RoomSession | undefined>(undefined);

/** The page: which view is shown, by the address and by whether the user is in the room. */
export function App() {
  const room = decodeURIComponent(location.pathname.slice(1));
  const current = session.value;
  if (!room) return <HomeView />;
  if (!current) return <LobbyView room={room} onJoined={(joined) => (session.value = joined)} />;
  const state = current.state.value;
  if (state.at === 'out')
    return <EndedView reason={state.reason} onAgain={() => (session.value = undefined)} />;
  return <RoomView session={current} />;
}

export type { RoomSession };
