import { useCallback } from 'preact/hooks';
import type { ParticipantView, TrackView } from '../../../gateways/webrtc/messages.ts';
import type { ConnectionQuality, ParticipantKind } from '../../room/vocabulary.ts';
import type { ProgramChoice } from '../client/program-choice.ts';
import type { RoomSession } from '../client/room-session.ts';
import { explainWaiting } from '../client/words.ts';
import { EncoderDetails } from './encoder-details.tsx';
import { EncoderIcon, MicrophoneIcon, PhoneIcon, QualityIcon, ReencodeIcon, SoundOffIcon } from './icons.tsx';
import { ProgramPin } from './program-pin.tsx';
import { Video } from './video.tsx';

const QUALITY: Record<ConnectionQuality, { bars: 0 | 1 | 2 | 3; words: string }> = {
  excellent: { bars: 3, words: 'Connection: excellent' },
  good: { bars: 2, words: 'Connection: good' },
  poor: { bars: 1, words: 'Connection: poor' },
  lost: { bars: 0, words: 'Connection lost; coming back?' },
};

const KINDS: Record<ParticipantKind, string> = {
  browser: '',
  phone: 'on the phone',
  encoder: 'stream',
  service: 'service',
};

/** Widths in device pixels up to which a simulcast camera's smallest and middle qualities are enough. */
const LAYER_WIDTHS = [320, 640];

interface TileProps {
  readonly session: RoomSession;
  readonly participant: ParticipantView;
  /** The picture to show, if any. */
  readonly video: TrackView | undefined;
  readonly screen: boolean;
  /** Whose picture goes out of the room; undefined while nobody cares. */
  readonly program: ProgramChoice | undefined;
}

/** One participant, or one shared screen: picture or initials, name, kind, speaking, mute, connection. */
export function Tile({ session, participant, video, screen, program }: TileProps) {
  const isYou = participant.sid === session.room.you.value;
  const media =
    video &&
    (isYou ? session.outgoing.tracks.value.get(video.purpose)?.media : session.received.value.get(video.sid));
  const isEncoder = participant.kind === 'encoder' && !screen;
  const isAwaited = isEncoder && participant.attributes['ingest.status'] === 'waiting';
  const isGone = participant.quality === 'lost' && !isYou && !isEncoder;
  // What came last is no picture of now.
  const picture = video?.muted || isGone ? undefined : media;
  /** Why its picture is not passed on as it is. */
  const unfit = isEncoder ? participant.attributes['ingest.video'] : undefined;
  const refusal = video ? session.room.refused.value.get(video.sid) : unfit;
  const voice = participant.tracks.find(({ purpose }) => purpose === 'voice');
  const speaking = !screen && session.room.speakers.value.has(participant.sid);
  const quality = QUALITY[participant.quality];
  const name = `${participant.name}${isYou ? ' (you)' : ''}`;
  const digits = screen ? undefined : session.room.digits.value.get(participant.sid);
  const held = participant.attributes['sip.callStatus'] === 'hold';
  const label = held ? 'on hold' : KINDS[participant.kind];
  const sid = video?.sid;
  const layered = !isYou && (video?.layers ?? 1) > 1;
  const onWidth = useCallback(
    (width: number) => {
      const layer = LAYER_WIDTHS.filter((limit) => width > limit).length;
      if (sid && layered) session.preferLayer(sid, layer);
    },
    [session, sid, layered],
  );

  return (
    <article
      class={`tile${speaking ? ' speaking' : ''}${screen ? ' screen' : ''}${isEncoder ? ' encoder' : ''}`}
      data-participant={participant.sid}
      data-track={video?.sid}
    >
      {picture ? (
        <Video
          track={picture}
          mirrored={isYou && !screen}
          label={`${screen ? 'Screen' : 'Camera'} of ${name}`}
          onWidth={onWidth}
        />
      ) : (
        <div class="no-picture" style={{ '--hue': hueOf(participant.identity) }}>
          {!isAwaited && refusal && <p class="refusal">No picture: {refusal}</p>}
          {!isAwaited && !refusal && (
            <span class="initials">{initials(participant.name) || <PhoneIcon />}</span>
          )}
        </div>
      )}
      {isGone && !screen && <p class="overlay">{participant.name} lost the connection; coming back?</p>}
      {isEncoder && (
        <div class="waiting" role="status">
          {isAwaited && <p class="overlay">{explainWaiting(participant.name)}</p>}
        </div>
      )}
      {session.room.permissions.value.admin && !isYou && !screen && (
        <div class="moderation">
          {voice && !voice.muted && (
            <button type="button" onClick={() => session.moderate(participant.sid, 'mute')}>
              Mute<span class="visually-hidden"> {participant.name}</span>
            </button>
          )}
          <button type="button" onClick={() => session.moderate(participant.sid, 'remove')}>
            Remove<span class="visually-hidden"> {participant.name}</span>
          </button>
        </div>
      )}
      {program && video && isPinnable(participant, video) && (
        <ProgramPin program={program} participant={participant} track={video.sid} />
      )}
      {digits && <p class="digits">{digits}</p>}
      <footer>
        {participant.kind === 'phone' && <PhoneIcon />}
        {participant.kind === 'encoder' && <EncoderIcon />}
        <span class="name">
          {screen ? `${name}: screen` : name}
          {label && <small> {label}</small>}
        </span>
        {speaking && <span class="visually-hidden">is speaking</span>}
        {picture && unfit && (
          <span class="re-encoded" title="The picture is re-encoded">
            <ReencodeIcon />
            <span class="words">re-encoded</span>
          </span>
        )}
        {!screen && (!voice || voice.muted) && <Silent isEncoder={isEncoder} isMuted={voice !== undefined} />}
        <span class={`quality ${participant.quality}`} title={quality.words}>
          <QualityIcon bars={quality.bars} />
          <span class="visually-hidden">{quality.words}</span>
        </span>
        {isEncoder && <EncoderDetails participant={participant} />}
      </footer>
    </article>
  );
}

/** A program shows somebody's screen rather than the camera. */
function isPinnable({ tracks }: ParticipantView, video: TrackView): boolean {
  const sharing = tracks.some(({ purpose, muted }) => purpose === 'screen' && !muted);
  return !video.muted && (video.purpose === 'screen' || !sharing);
}

/** Nothing is heard of it: an encoder has no microphone that is off, but may send no sound. */
function Silent({ isEncoder, isMuted }: { isEncoder: boolean; isMuted: boolean }) {
  const words = isEncoder ? (isMuted ? 'sound muted' : 'no sound') : 'microphone off';
  return (
    <span class="muted" title={words[0]!.toUpperCase() + words.slice(1)}>
      {isEncoder ? <SoundOffIcon /> : <MicrophoneIcon off />}
      <span class="visually-hidden">{words}</span>
    </span>
  );
}

/** Empty for a telephone number. */
function initials(name: string): string {
  const words = name
    .trim()
    .split(/\s+/)
    .filter((word) => /^\p{L}/u.test(word));
  return words
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();
}

function hueOf(identity: string): number {
  return [...identity].reduce((sum, character) => sum + character.charCodeAt(0) * 37, 0) % 360;
}
