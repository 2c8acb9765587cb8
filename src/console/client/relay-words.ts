/* What relays are doing, in few words. */

export const RELAY_STATES = [
  'connecting',
  'live',
  'behind',
  'stalled',
  'waiting',
  'failed',
  'ended',
] as const;
export type RelayState = (typeof RELAY_STATES)[number];

/** How a state looks: good, to be watched, bad, or none of it. */
export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export const STATE_WORDS: Record<RelayState, { readonly words: string; readonly tone: Tone }> = {
  connecting: { words: 'Connecting', tone: 'neutral' },
  live: { words: 'Live', tone: 'good' },
  behind: { words: 'Falling behind', tone: 'warning' },
  stalled: { words: 'Stalled', tone: 'warning' },
  waiting: { words: 'Waiting to try again', tone: 'warning' },
  failed: { words: 'Given up', tone: 'bad' },
  ended: { words: 'Ended', tone: 'neutral' },
};

/** Of all relays together. */
export interface AirState {
  readonly words: string;
  /** Every one of them is live. */
  readonly whole: boolean;
  /** At least one is. */
  readonly live: boolean;
}

/** @returns undefined where there are none */
export function airState(states: readonly RelayState[]): AirState | undefined {
  if (states.length === 0) return undefined;
  const live = states.filter((state) => state === 'live' || state === 'behind').length;
  if (live === states.length) return { words: 'LIVE', whole: true, live: true };
  if (live > 0) return { words: `LIVE on ${live} of ${states.length}`, whole: false, live: true };
  const connecting = states.every((state) => state === 'connecting');
  return { words: connecting ? 'Connecting' : 'Not live', whole: false, live: false };
}

export function formatBitrate(bps: number): string {
  return bps >= 1_000_000 ? `${(bps / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`;
}

/** 0:07, 12:34, 1:02:03. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const parts = hours > 0 ? [hours, twoDigits(minutes)] : [minutes];
  return [...parts, twoDigits(seconds % 60)].join(':');
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
