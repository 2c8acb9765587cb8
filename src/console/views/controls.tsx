import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { camera, microphone } from '../client/local-media.ts';
import type { OnAir } from '../client/on-air.ts';
import type { RoomSession } from '../client/room-session.ts';
import { GoLiveButton } from './go-live-button.tsx';
import { CameraIcon, LeaveIcon, MicrophoneIcon, ScreenIcon } from './icons.tsx';

/** Microphone (M), camera (V), screen (S), going live and leave; each key works while no field has the focus. */
export function Controls({ session, onAir }: { session: RoomSession; onAir: OnAir }) {
  const problem = useSignal('');
  const { publish } = session.room.permissions.value;
  const voice = session.outgoing.tracks.value.get('voice');
  const sharing = session.outgoing.tracks.value.has('screen');
  const micOn = voice !== undefined && !voice.muted;
  const cameraOn = camera.track.value !== undefined;

  const toggleMicrophone = async () => {
    if (voice) session.outgoing.setMuted('voice', !voice.muted);
    else await microphone.start();
    problem.value = microphone.problem.value ?? '';
  };
  const toggleCamera = async () => {
    if (cameraOn) camera.stop();
    else await camera.start();
    problem.value = camera.problem.value ?? '';
  };
  const toggleScreen = async () => {
    problem.value = '';
    if (sharing) return stopSharing(session);
    try {
      await share(session);
    } catch (error) {
      // Pressing "Cancel" in the browser's question is no problem to talk about.
      if (error instanceof DOMException && error.name === 'NotAllowedError') return;
      problem.value = `The screen could not be shared: ${error instanceof Error ? error.message : 'unknown reason'}`;
    }
  };
  const leave = () => {
    microphone.stop();
    camera.stop();
    stopSharing(session);
    void session.leave();
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const key = event.key.toLowerCase();
      if (key === 'm' && publish.includes('voice')) void toggleMicrophone();
      if (key === 'v' && publish.includes('camera')) void toggleCamera();
      if (key === 's' && publish.includes('screen')) void toggleScreen();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });

  return (
    <nav class="controls" aria-label="Controls">
      {(problem.value || session.outgoing.problem.value) && (
        <p class="problem" role="alert">
          {problem.value || session.outgoing.problem.value}
        </p>
      )}
      {publish.includes('voice') && (
        <Toggle on={micOn} words={micOn ? 'Mute' : 'Unmute'} shortcut="M" onClick={toggleMicrophone}>
          <MicrophoneIcon off={!micOn} />
        </Toggle>
      )}
      {publish.includes('camera') && (
        <Toggle on={cameraOn} words={cameraOn ? 'Stop camera' : 'Camera'} shortcut="V" onClick={toggleCamera}>
          <CameraIcon off={!cameraOn} />
        </Toggle>
      )}
      {publish.includes('screen') && 'getDisplayMedia' in (navigator.mediaDevices ?? {}) && (
        <Toggle
          on={sharing}
          words={sharing ? 'Stop sharing' : 'Share screen'}
          shortcut="S"
          onClick={toggleScreen}
        >
          <ScreenIcon />
        </Toggle>
      )}
      <GoLiveButton onAir={onAir} />
      <button type="button" class="danger" onClick={leave}>
        <LeaveIcon />
        <span>Leave</span>
      </button>
    </nav>
  );
}

interface ToggleProps {
  readonly on: boolean;
  readonly words: string;
  readonly shortcut: string;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}

function Toggle({ on, words, shortcut, onClick, children }: ToggleProps) {
  return (
    <button type="button" class={on ? 'on' : ''} onClick={onClick} title={`${words} (${shortcut})`}>
      {children}
      <span>{words}</span>
    </button>
  );
}

async function share(session: RoomSession): Promise<void> {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { max: 30 } },
    audio: true,
  });
  const [video] = stream.getVideoTracks();
  const [audio] = stream.getAudioTracks();
  // The browser's own "Stop sharing" button ends the track.
  video!.onended = () => stopSharing(session);
  await session.publish('screen', video!);
  if (audio && session.room.permissions.value.publish.includes('screen-audio'))
    await session.publish('screen-audio', audio);
}

function stopSharing(session: RoomSession): void {
  for (const purpose of ['screen', 'screen-audio'] as const) {
    session.outgoing.tracks.value.get(purpose)?.media.stop();
    session.outgoing.unpublish(purpose);
  }
}
