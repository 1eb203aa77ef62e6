/** Waiting longer than this is worth asking the channel whether the encoder is still there. */
const ASK_AFTER_MS = 800;
/** Waiting longer than this although the source is live: the engine is stuck. */
const STUCK_AFTER_MS = 8000;
/** Loading may take longer than refilling. */
const STUCK_LOADING_AFTER_MS = 16_000;

/** Keeps the time while nothing plays although it should, and counts the stalls. All times are monotonic ms. */
export class StallWatch {
  #since: number | null = null;
  #asked = false;
  #totalMs = 0;
  #count = 0;

  get waiting(): boolean {
    return this.#since !== null;
  }

  /** Stalls so far. */
  get count(): number {
    return this.#count;
  }

  /** Time stalled so far, ms. */
  totalMs(now: number): number {
    return this.#totalMs + (this.#since === null ? 0 : now - this.#since);
  }

  /** Waiting begins. @param counts false for waiting that the viewer caused by seeking. */
  begin(now: number, counts: boolean): void {
    this.#since = now;
    this.#asked = false;
    if (counts) this.#count++;
  }

  /** Waiting is over, or no longer asked for. */
  end(now: number): void {
    if (this.#since !== null) this.#totalMs += now - this.#since;
    this.#since = null;
  }

  /** Waiting goes on, but for a new reason: what it calls for is counted from now. */
  restart(now: number): void {
    if (this.#since === null) return;
    this.#totalMs += now - this.#since;
    this.#since = now;
    this.#asked = false;
  }

  /** What waiting until `now` calls for; `ask` once for each wait. */
  due(now: number): "ask" | "stuck" | null {
    if (this.#since === null) return null;
    const waited = now - this.#since;
    if (waited > STUCK_AFTER_MS) return "stuck";
    if (waited < ASK_AFTER_MS || this.#asked) return null;
    this.#asked = true;
    return "ask";
  }
}

/** Whether a source loaded at `loadedAt` should have shown something by `now`. */
export function isStuckLoading(loadedAt: number, now: number): boolean {
  return now - loadedAt > STUCK_LOADING_AFTER_MS;
}
