import { useEffect, useRef } from 'preact/hooks';
import { watchLevel } from '../client/local-media.ts';

/** Shows how loud the microphone is; drawn without re-rendering. */
export function LevelMeter({ track }: { track: MediaStreamTrack | undefined }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!track) return;
    return watchLevel(track, (level) => {
      if (bar.current) bar.current.style.transform = `scaleX(${level})`;
    });
  }, [track]);
  return (
    <div class="meter" role="img" aria-label={track ? 'Microphone level' : 'Microphone is off'}>
      <div ref={bar} />
    </div>
  );
}
