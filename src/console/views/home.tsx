/** The page without a room in its address: asks for one. */
export function HomeView() {
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('room')).trim();
    if (name) location.href = `/${encodeURIComponent(name)}`;
  };
  return (
    <main class="card">
      <h1>Patchroom</h1>
      <p>Phones, encoders and browsers in one room.</p>
      <form onSubmit={go}>
        <label>
          Room
          <input name="room" required maxLength={128} autocomplete="off" placeholder="demo" />
        </label>
        <button type="submit" class="primary">
          Open
        </button>
      </form>
    </main>
  );
}
