/** Out of the room: why, and the way back. */
export function EndedView({ reason, onAgain }: { reason: string; onAgain: () => void }) {
  return (
    <main class="card" aria-live="assertive">
      <h1>{reason}</h1>
      <button type="button" class="primary" onClick={onAgain}>
        Back to the door
      </button>
    </main>
  );
}
