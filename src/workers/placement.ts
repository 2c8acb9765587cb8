/** Where a room goes: to the worker that carries the fewest, the first of them when several do. */
export function leastLoaded<W>(workers: readonly W[], load: (worker: W) => number): W | undefined {
  let best: W | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const worker of workers) {
    const carried = load(worker);
    if (carried < least) {
      best = worker;
      least = carried;
    }
  }
  return best;
}
