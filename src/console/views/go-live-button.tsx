import { useLayoutEffect, useRef } from 'preact/hooks';
import type { OnAir } from '../client/on-air.ts';
import { GoLiveIcon } from './icons.tsx';

/** Opens and closes the panel; nothing where the server does not let this page send the room out. */
export function GoLiveButton({ onAir }: { onAir: OnAir }) {
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  const open = onAir.panelOpen.value;
  useLayoutEffect(() => {
    // What had the focus went with the panel.
    if (wasOpen.current && !open && document.activeElement === document.body) button.current?.focus();
    wasOpen.current = open;
  }, [open]);
  if (!onAir.relays.offered.value) return null;
  return (
    <button
      ref={button}
      type="button"
      class={open || onAir.relays.running.value ? 'on' : ''}
      aria-expanded={open}
      aria-controls="relays"
      onClick={() => (onAir.panelOpen.value = !open)}
    >
      <GoLiveIcon />
      <span>Go live</span>
    </button>
  );
}
