type LevelListener = (meter: number) => void;

/** What one's own level is known by, before one has an id and after: it is measured here. */
export const SELF_LEVEL = "self";

/** Longer without a word of it, a level is silence, ms. */
const FORGET_MS = 700;

/**
 * How loud everybody is. Apart from the room's store: levels change many times a second, and what shows them writes one style
 * property instead of rendering anew.
 */
export class LevelBoard implements Disposable {
  readonly #listeners = new Map<string, Set<LevelListener>>();
  readonly #silence = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #meters = new Map<string, number>();

  /** @param meter 0 to 1. */
  set(id: string, meter: number): void {
    const timer = this.#silence.get(id);
    if (timer) clearTimeout(timer);
    if (meter > 0)
      this.#silence.set(
        id,
        setTimeout(() => this.set(id, 0), FORGET_MS),
      );
    else this.#silence.delete(id);
    if (this.#meters.get(id) === meter) return;
    this.#meters.set(id, meter);
    for (const listener of this.#listeners.get(id) ?? []) listener(meter);
  }

  /** How loud the others are: who is not among them is silent. */
  setOthers(meters: ReadonlyMap<string, number>): void {
    for (const id of [...this.#meters.keys()]) if (!meters.has(id) && id !== SELF_LEVEL) this.set(id, 0);
    for (const [id, meter] of meters) this.set(id, meter);
  }

  of(id: string): number {
    return this.#meters.get(id) ?? 0;
  }

  /** @returns ends it. */
  listen(id: string, listener: LevelListener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    listener(this.of(id));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  close(): void {
    for (const timer of this.#silence.values()) clearTimeout(timer);
    this.#silence.clear();
    this.#meters.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
