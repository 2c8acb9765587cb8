import { useEffect, useRef } from 'preact/hooks';

interface VideoProps {
  readonly track: MediaStreamTrack;
  readonly label: string;
  readonly mirrored?: boolean;
  /** Told the picture's width on screen in device pixels, when it changes. */
  readonly onWidth?: (width: number) => void;
}

export function Video({ track, label, mirrored = false, onWidth }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current!;
    video.srcObject = new MediaStream([track]);
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    if (!onWidth) return;
    const observer = new ResizeObserver(([entry]) => onWidth(entry!.contentRect.width * devicePixelRatio));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [onWidth]);
  return (
    <video ref={element} class={mirrored ? 'mirrored' : ''} autoPlay playsInline muted aria-label={label} />
  );
}
