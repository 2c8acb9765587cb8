/** The words that rooms share with every protocol and with the browser's page. */

/** What kind of thing takes part; phones and encoders show differently from people at a browser. */
export const PARTICIPANT_KINDS = ['browser', 'phone', 'encoder', 'service'] as const;
export type ParticipantKind = (typeof PARTICIPANT_KINDS)[number];

/** What a track is for; a participant may be allowed to publish some purposes only. */
export const TRACK_PURPOSES = ['voice', 'camera', 'screen', 'screen-audio'] as const;
export type TrackPurpose = (typeof TRACK_PURPOSES)[number];

export const CONNECTION_QUALITIES = ['excellent', 'good', 'poor', 'lost'] as const;
export type ConnectionQuality = (typeof CONNECTION_QUALITIES)[number];

export const LEAVE_REASONS = [
  'left',
  'removed',
  'replaced',
  'room-deleted',
  'connection-lost',
  'interrupted',
  'shutdown',
] as const;
export type LeaveReason = (typeof LEAVE_REASONS)[number];
