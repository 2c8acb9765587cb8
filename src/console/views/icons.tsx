import type { ComponentChildren } from 'preact';

/** Small line drawings, 24 units square; the label beside or on the button says what they mean. */
function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const MicrophoneIcon = ({ off = false }) => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5 11a7 7 0 0 0 14 0M12 18v3" />
    {off && <path d="M4 3l16 18" />}
  </Icon>
);

export const CameraIcon = ({ off = false }) => (
  <Icon>
    <rect x="3" y="6" width="12" height="12" rx="2" />
    <path d="M15 11l6-4v10l-6-4" />
    {off && <path d="M4 3l16 18" />}
  </Icon>
);

export const ScreenIcon = () => (
  <Icon>
    <rect x="3" y="4" width="18" height="12" rx="2" />
    <path d="M8 20h8M12 13V8M9.5 10L12 7.5l2.5 2.5" />
  </Icon>
);

export const LeaveIcon = () => (
  <Icon>
    <path d="M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9" />
  </Icon>
);

export const PhoneIcon = () => (
  <Icon>
    <path d="M6 3h3l2 5-2.5 1.5a12 12 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z" />
  </Icon>
);

export const EncoderIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="2" />
    <path d="M8 8a6 6 0 0 0 0 8M16 8a6 6 0 0 1 0 8M5 5a10 10 0 0 0 0 14M19 5a10 10 0 0 1 0 14" />
  </Icon>
);

export const SoundOffIcon = () => (
  <Icon>
    <path d="M4 9v6h4l5 4V5L8 9H4zM17 9.5l5 5M22 9.5l-5 5" />
  </Icon>
);

export const ReencodeIcon = () => (
  <Icon>
    <path d="M4 11a8 8 0 0 1 14-4l2 2M20 4v5h-5M20 13a8 8 0 0 1-14 4l-2-2M4 20v-5h5" />
  </Icon>
);

export const InfoIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5.5M12 7.5v.01" />
  </Icon>
);

/** A camera's red light. */
export const GoLiveIcon = () => (
  <Icon>
    <rect x="3" y="5" width="18" height="14" rx="3" />
    <circle cx="12" cy="12" r="3" fill="currentColor" />
  </Icon>
);

export const PinIcon = ({ filled = false }) => (
  <Icon>
    <path d="M9 3h6l-1 7 4 4H6l4-4-1-7z" fill={filled ? 'currentColor' : 'none'} />
    <path d="M12 14v7" />
  </Icon>
);

export const EyeIcon = ({ off = false }) => (
  <Icon>
    <path d="M2 12c2.5-4.5 6-7 10-7s7.5 2.5 10 7c-2.5 4.5-6 7-10 7s-7.5-2.5-10-7z" />
    <circle cx="12" cy="12" r="3" />
    {off && <path d="M4 3l16 18" />}
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

/** Three bars, as many filled as the connection is good. */
export const QualityIcon = ({ bars }: { bars: 0 | 1 | 2 | 3 }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    {[1, 2, 3].map((bar) => (
      <rect
        key={bar}
        x={bar * 6 - 3}
        y={20 - bar * 5}
        width="4"
        height={bar * 5}
        rx="1"
        fill="currentColor"
        opacity={bar <= bars ? 1 : 0.3}
      />
    ))}
  </svg>
);
