import './encoder-details.css';
import { useSignal } from '@preact/signals';
import type { ParticipantView, TrackView } from '../../../gateways/webrtc/messages.ts';
import { asSentence, type EncoderWay, explainWay } from '../client/words.ts';
import { InfoIcon } from './icons.tsx';

const WAYS: Record<EncoderWay, string> = {
  'passed-on': 'Passed on as it is.',
  're-encoded': 'Re-encoded.',
  refused: 'Not passed on.',
  none: '',
};

/**
 * What an encoder sends and what is done about it: a button for the tile's footer, and the panel that it opens.
 * The panel is a popover because tiles may be smaller than it; Escape and a press elsewhere close it.
 */
export function EncoderDetails({ participant }: { participant: ParticipantView }) {
  const open = useSignal(false);
  const { sid, name, attributes, tracks } = participant;
  const panel = `details-${sid}`;
  const words = `What ${name} sends`;
  return (
    <>
      <button
        type="button"
        class="details-button"
        popovertarget={panel}
        aria-expanded={open.value}
        aria-controls={panel}
        title={words}
      >
        <InfoIcon />
        <span class="visually-hidden">{words}</span>
      </button>
      <section
        id={panel}
        class="details"
        popover="auto"
        aria-labelledby={`${panel}-title`}
        onToggle={({ newState }) => {
          open.value = newState === 'open';
        }}
      >
        <h2 id={`${panel}-title`}>{words}</h2>
        {attributes['ingest.status'] === 'waiting' && (
          <p class="quiet">Its connection is lost at present. This is how it was before.</p>
        )}
        <dl>
          <dt>Picture</dt>
          <Stream
            facts={attributes['ingest.picture']}
            reason={attributes['ingest.video']}
            cost={attributes['ingest.cost']}
            track={tracks.find(({ purpose }) => purpose === 'camera')}
          />
          <dt>Sound</dt>
          <Stream
            facts={attributes['ingest.sound']}
            reason={attributes['ingest.audio']}
            track={tracks.find(({ purpose }) => purpose === 'voice')}
          />
        </dl>
        {attributes['ingest.repairs'] && <p class="quiet">{asSentence(attributes['ingest.repairs'])}</p>}
      </section>
    </>
  );
}

interface StreamProps {
  readonly facts: string | undefined;
  /** Why it is not passed on as it is; absent where it is. */
  readonly reason: string | undefined;
  /** What re-encoding takes, where that is known. */
  readonly cost?: string | undefined;
  readonly track: TrackView | undefined;
}

function Stream({ facts, reason, cost, track }: StreamProps) {
  const way = explainWay(track !== undefined, reason);
  return (
    <dd>
      {facts || (way === 'none' ? 'none' : '')}
      {way !== 'none' && (
        <p class="quiet">
          <strong>{WAYS[way]}</strong> {asSentence(way === 'passed-on' ? 'browsers take it' : reason!)}
          {cost && ` It takes ${cost}.`}
          {track?.muted && ' It is muted at present.'}
        </p>
      )}
    </dd>
  );
}
