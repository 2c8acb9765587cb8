import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  camera,
  devices,
  listDevices,
  microphone,
  originalSound,
  setOriginalSound,
} from '../client/local-media.ts';
import { RoomSession } from '../client/room-session.ts';
import { explainJoinError } from '../client/words.ts';
import { LevelMeter } from './level-meter.tsx';
import { Video } from './video.tsx';

const query = new URLSearchParams(location.search);

/** Before the room: name, microphone and camera with preview and level, and the button to join. */
export function LobbyView({ room, onJoined }: { room: string; onJoined: (session: RoomSession) => void }) {
  const name = useSignal(localStorage.getItem('patchroom.name') ?? '');
  const problem = useSignal('');
  const joining = useSignal(false);

  useEffect(() => {
    document.title = `${room} · Patchroom`;
    void listDevices();
    // Asked for together, browsers show one question; apart, one missing device does not spoil the other.
    void microphone.start().then(() => camera.start());
  }, [room]);

  const join = async (event: SubmitEvent) => {
    event.preventDefault();
    joining.value = true;
    problem.value = '';
    localStorage.setItem('patchroom.name', name.value);
    try {
      const session = await RoomSession.join({
        url: `${location.origin.replace(/^http/, 'ws')}/rtc`,
        room,
        name: name.value,
        token: query.get('token') ?? undefined,
        preferences: {
          tcpOnly: query.get('transport') === 'tcp',
          relayOnly: query.get('transport') === 'relay',
          videoCodec: query.get('video')?.toLowerCase() === 'h264' ? 'H264' : 'VP8',
        },
      });
      onJoined(session);
    } catch (error) {
      problem.value = explainJoinError(error);
    } finally {
      joining.value = false;
    }
  };

  return (
    <main class="lobby">
      <header>
        <h1>{room}</h1>
        <p>Check how you look and sound, then join.</p>
      </header>
      <section class="preview" aria-label="Preview">
        {camera.track.value ? (
          <Video track={camera.track.value} mirrored label="Your camera" />
        ) : (
          <div class="no-picture">Camera is off</div>
        )}
        <LevelMeter track={microphone.track.value} />
      </section>
      <form onSubmit={join}>
        <label>
          Your name
          <input
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
            maxLength={100}
            required
            autocomplete="name"
          />
        </label>
        <DeviceChoice device={microphone} label="Microphone" kind="audioinput" />
        <DeviceChoice device={camera} label="Camera" kind="videoinput" />
        <label class="check">
          <input
            type="checkbox"
            checked={originalSound.value}
            onChange={(event) => setOriginalSound(event.currentTarget.checked)}
          />
          Original sound (for music: no echo cancellation, noise suppression or gain control)
        </label>
        {problem.value && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        <button type="submit" class="primary" disabled={joining.value}>
          {joining.value ? 'Joining…' : 'Join'}
        </button>
      </form>
    </main>
  );
}

interface ChoiceProps {
  readonly device: typeof microphone;
  readonly label: string;
  readonly kind: MediaDeviceKind;
}

const OFF = 'off';

function DeviceChoice({ device, label, kind }: ChoiceProps) {
  const choices = devices.value.filter((one) => one.kind === kind && one.deviceId !== '');
  const current = device.track.value?.getSettings().deviceId ?? '';
  const choose = (value: string) => (value === OFF ? device.stop() : void start(value));
  const start = async (id: string) => {
    await device.choose(id);
    if (!device.track.value) await device.start();
  };
  return (
    <div class="choice">
      <label>
        {label}
        <select
          value={device.track.value ? current : OFF}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          <option value={OFF}>Off</option>
          {choices.length === 0 && <option value="">Default</option>}
          {choices.map(({ deviceId, label: name }, index) => (
            <option key={deviceId} value={deviceId}>
              {name || `${label} ${index + 1}`}
            </option>
          ))}
        </select>
      </label>
      {device.problem.value && (
        <p class="problem" role="alert">
          {device.problem.value}{' '}
          <button type="button" onClick={() => void device.start()}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}
