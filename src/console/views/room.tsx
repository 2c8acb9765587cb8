import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { ParticipantView } from '../../../gateways/webrtc/messages.ts';
import type { TrackPurpose } from '../../room/vocabulary.ts';
import { camera, microphone } from '../client/local-media.ts';
import { OnAir } from '../client/on-air.ts';
import type { RoomSession } from '../client/room-session.ts';
import { AirHeader } from './air-header.tsx';
import { AudioOutput } from './audio.tsx';
import { Controls } from './controls.tsx';
import { RelayPanel } from './relays.tsx';
import { Tile } from './tile.tsx';

/** In the room: a tile for everybody, shared screens first and larger, and the controls. */
export function RoomView({ session }: { session: RoomSession }) {
  const state = session.state.value;
  const participants = [...session.room.participants.value.values()];
  const screens = participants.flatMap((participant) =>
    participant.tracks.filter(({ purpose }) => purpose === 'screen').map((video) => ({ participant, video })),
  );

  const onAir = useOnAir(session);
  const program = onAir.active.value ? onAir.program : undefined;

  useDevice(session, 'voice', microphone);
  useDevice(session, 'camera', camera);

  return (
    <main class="room">
      {state.at === 'reconnecting' && (
        <p class="banner" role="alert">
          {state.reason} Trying again…
        </p>
      )}
      <p class="visually-hidden" aria-live="polite">
        {session.room.announcement.value}
      </p>
      <AirHeader relays={onAir.relays} room={session.room.info.value.name} />
      <section
        class="tiles"
        style={gridFor(participants.length, screens.length > 0)}
        aria-label={`People in ${session.room.info.value.name}`}
      >
        {screens.map(({ participant, video }) => (
          <Tile
            key={video.sid}
            session={session}
            participant={participant}
            video={video}
            program={program}
            screen
          />
        ))}
        {participants.map((participant) => (
          <Tile
            key={participant.sid}
            session={session}
            participant={participant}
            video={cameraOf(participant)}
            program={program}
            screen={false}
          />
        ))}
      </section>
      <Controls session={session} onAir={onAir} />
      {onAir.panelOpen.value && <RelayPanel onAir={onAir} room={session.room} />}
      <AudioOutput tracks={[...session.received.value.values()].filter(({ kind }) => kind === 'audio')} />
    </main>
  );
}

const narrowWindow = matchMedia('(max-width: 560px)');
const narrow = signal(narrowWindow.matches);
narrowWindow.addEventListener('change', () => {
  narrow.value = narrowWindow.matches;
});

/** Near a square of tiles; narrow windows get fewer columns, and beside a screen they are a strip. */
function gridFor(tiles: number, besideScreen: boolean) {
  const square = Math.ceil(Math.sqrt(tiles));
  let columns = Math.min(6, besideScreen ? Math.max(4, square) : square);
  if (narrow.value) columns = besideScreen || tiles > 3 ? 2 : 1;
  const rows = besideScreen ? 4 : Math.ceil(tiles / columns);
  return { '--columns': columns, '--rows': rows };
}

/** What goes out of the room, followed while the server can be reached. */
function useOnAir(session: RoomSession): OnAir {
  const onAir = useMemo(() => {
    const token = new URLSearchParams(location.search).get('token') ?? undefined;
    return new OnAir(session.room.info.value.name, token);
  }, [session]);
  const connected = session.state.value.at === 'in';
  useEffect(() => (connected ? onAir.follow() : undefined), [onAir, connected]);
  return onAir;
}

/** Publishes a device while it is on and permitted, again when another is chosen; without permission it is turned off. */
function useDevice(session: RoomSession, purpose: TrackPurpose, device: typeof microphone) {
  const track = device.track.value;
  const permitted = session.room.permissions.value.publish.includes(purpose);
  useEffect(() => {
    if (track && permitted) void session.publish(purpose, track);
    else if (track) device.stop();
    else if (session.outgoing.tracks.value.has(purpose)) session.outgoing.unpublish(purpose);
  }, [session, purpose, device, track, permitted]);
}

function cameraOf({ tracks }: ParticipantView) {
  return tracks.find(({ purpose }) => purpose === 'camera');
}
