import type { ParticipantView } from '../../../gateways/webrtc/messages.ts';
import type { ProgramChoice } from '../client/program-choice.ts';
import { PinIcon } from './icons.tsx';

interface ProgramPinProps {
  readonly program: ProgramChoice;
  readonly participant: ParticipantView;
  /** sid of the picture that the tile shows. */
  readonly track: string;
}

/** On a tile: whether its picture is what goes out, and the button that makes it so or leaves it to the server again. */
export function ProgramPin({ program, participant, track }: ProgramPinProps) {
  const now = program.now.value;
  if (!now) return null;
  const pinned = now.pinned === participant.identity;
  const shown = now.shown?.track === track;
  const words = `Show ${participant.name} in the stream`;
  return (
    <div class={`program-pin${shown ? ' shown' : ''}`}>
      <button
        type="button"
        aria-pressed={pinned}
        title={pinned ? 'Pinned: press to leave the choice to the server' : 'Show this in the stream'}
        onClick={() => void program.pin(pinned ? null : participant.identity)}
      >
        <PinIcon filled={pinned} />
        <span class="visually-hidden">{words}</span>
      </button>
      {shown && <span class="in-stream">In the stream</span>}
    </div>
  );
}
