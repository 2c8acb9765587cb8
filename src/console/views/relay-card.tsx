import { useSignal } from '@preact/signals';
import { formatBitrate, formatDuration, STATE_WORDS } from '../client/relay-words.ts';
import type { Relays, RelayView } from '../client/relays.ts';
import { wordsOf } from '../client/room-resource.ts';

interface RelayCardProps {
  readonly relays: Relays;
  readonly relay: RelayView;
  /** Of who alone goes out there, where it is not the whole room. */
  readonly onlyName: string | undefined;
}

/** One destination: where, how it goes, why not, and the button that ends it. */
export function RelayCard({ relays, relay, onlyName }: RelayCardProps) {
  const stopping = useSignal(false);
  const problem = useSignal('');
  const { id, address, state, reason } = relay;
  const { words, tone } = STATE_WORDS[state];
  const failed = state === 'failed';

  const stop = async () => {
    stopping.value = true;
    problem.value = '';
    try {
      await relays.stop(id);
    } catch (error) {
      problem.value = wordsOf(error);
    } finally {
      stopping.value = false;
    }
  };

  return (
    <li class={`relay ${tone}`}>
      <div class="relay-head">
        <div class="relay-state" role="status">
          <strong>{words}</strong>
          {reason && <p>{reason}</p>}
        </div>
        {failed ? (
          <button type="button" onClick={() => relays.dismiss(id)}>
            Dismiss<span class="visually-hidden"> {address}</span>
          </button>
        ) : (
          <button type="button" disabled={stopping.value} onClick={stop}>
            {stopping.value ? 'Stopping…' : 'Stop'}
            <span class="visually-hidden"> {address}</span>
          </button>
        )}
      </div>
      <p class="relay-address">{address}</p>
      {onlyName && <p class="quiet">Only {onlyName}, not the whole room.</p>}
      <RelayFigures relay={relay} />
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </li>
  );
}

function RelayFigures({ relay }: { relay: RelayView }) {
  const { state, bitrateBps, uptimeMs, framesDropped, retries } = relay;
  const connected = state === 'live' || state === 'behind' || state === 'stalled';
  const figures: [string, string | number][] = [];
  if (connected) {
    figures.push(['Bitrate', formatBitrate(bitrateBps)], ['Uptime', formatDuration(uptimeMs)]);
  }
  if (connected || framesDropped > 0) figures.push(['Dropped frames', framesDropped]);
  if (retries > 0) figures.push(['Retries', retries]);
  if (figures.length === 0) return null;
  return (
    <dl>
      {figures.map(([name, figure]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{figure}</dd>
        </div>
      ))}
    </dl>
  );
}
