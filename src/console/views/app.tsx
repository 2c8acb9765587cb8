import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { camera, microphone } from '../client/local-media.ts';
import type { RoomSession } from '../client/room-session.ts';
import { EndedView } from './ended.tsx';
import { HomeView } from './home.tsx';
import { LobbyView } from './lobby.tsx';
import { RoomView } from './room.tsx';

const session = signal<RoomSession | undefined>(undefined);

/** The page: which view is shown, by the address and by whether the user is in the room. */
export function App() {
  const room = roomOf(location.pathname);
  const current = session.value;
  const isOut = current?.state.value.at === 'out';
  useEffect(() => {
    // Also what was turned on and is not sent, such as a camera that nobody may publish.
    if (!isOut) return;
    microphone.stop();
    camera.stop();
  }, [isOut]);
  if (!room) return <HomeView />;
  if (!current) return <LobbyView room={room} onJoined={(joined) => (session.value = joined)} />;
  const state = current.state.value;
  if (state.at === 'out')
    return <EndedView reason={state.reason} onAgain={() => (session.value = undefined)} />;
  return <RoomView session={current} />;
}

/** @returns the room that an address names; empty where it names none */
function roomOf(path: string): string {
  try {
    return decodeURIComponent(path.replace(/^\/+|\/+$/g, ''));
  } catch {
    return path.replace(/^\/+|\/+$/g, ''); // an escape that is none: as it was typed
  }
}

export type { RoomSession };
