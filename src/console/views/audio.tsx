import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** Plays what is heard. Browsers that refuse to play before a click get a button to click. */
export function AudioOutput({ tracks }: { tracks: readonly MediaStreamTrack[] }) {
  const blocked = useSignal(false);
  return (
    <>
      {tracks.map((track) => (
        <Player key={track.id} track={track} blocked={blocked} />
      ))}
      {blocked.value && (
        <button type="button" class="primary unblock" onClick={() => (blocked.value = false)}>
          Your browser is silent until you press here
        </button>
      )}
    </>
  );
}

function Player({ track, blocked }: { track: MediaStreamTrack; blocked: Signal<boolean> }) {
  const element = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    element.current!.srcObject = new MediaStream([track]);
  }, [track]);
  // Runs again after the click that unblocks.
  useEffect(() => {
    if (blocked.value) return;
    element.current?.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') blocked.value = true;
    });
  }, [blocked.value, track]);
  // biome-ignore lint/a11y/useMediaCaption: live speech has no captions here
  return <audio ref={element} />;
}
