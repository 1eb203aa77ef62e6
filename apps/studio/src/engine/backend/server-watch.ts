import type { Clock } from "@klieg/base";
import { KliegError, type ServerHealth } from "@klieg/protocol";
import type { KliegDestination, SecretReader } from "../publish/broadcast-ports.ts";
import type { KliegBackend } from "./klieg-backend.ts";

/** A stream of this broadcast at a Klieg backend. */
export interface WatchedStream {
  readonly destination: KliegDestination;
  readonly streamId: string;
  /** Something is awaited of it: it is asked more often. */
  readonly awaited: boolean;
}

export interface ServerWatchOptions {
  readonly clock: Clock;
  readonly backend: Pick<KliegBackend, "health">;
  readonly secrets: SecretReader;
  /** What there is to watch now. */
  readonly streams: () => readonly WatchedStream[];
  /** A server has answered. */
  readonly onHealth: (health: ServerHealth) => void;
}

const ASK_MS = 2000;
const ASK_AWAITED_MS = 500;
/** What a server said longer ago is not shown as how it is now, ms. */
const STALE_MS = 8000;

/** Asks the backends of a broadcast what they receive, every two seconds, one question at a time each (STU4). */
export class ServerWatch implements Disposable {
  readonly #options: ServerWatchOptions;
  readonly #timer: Disposable;
  readonly #closed = new AbortController();
  readonly #asking = new Set<string>();
  readonly #known = new Map<string, ServerHealth>();

  constructor(options: ServerWatchOptions) {
    this.#options = options;
    let turn = 0;
    this.#timer = options.clock.every(ASK_AWAITED_MS, () => {
      turn = (turn + 1) % (ASK_MS / ASK_AWAITED_MS);
      for (const stream of options.streams()) if (turn === 0 || stream.awaited) void this.#ask(stream);
    });
  }

  /** What the servers said last, as far as that is still so. */
  get health(): ServerHealth[] {
    const { clock, streams } = this.#options;
    const watched = new Set(streams().map(({ destination }) => destination.id));
    for (const [id, { at }] of this.#known) {
      if (!watched.has(id) || clock.wall() - at > STALE_MS) this.#known.delete(id);
    }
    return [...this.#known.values()];
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#closed.abort();
    this.#known.clear();
  }

  async #ask({ destination, streamId }: WatchedStream): Promise<void> {
    const { backend, secrets, onHealth } = this.#options;
    const { id } = destination;
    if (this.#asking.has(id) || this.#closed.signal.aborted) return;
    this.#asking.add(id);
    try {
      const key = await secrets(id, "stream_key");
      if (key === undefined) return;
      const health = await backend.health(destination, key, streamId, this.#closed.signal);
      if (this.#closed.signal.aborted) return;
      this.#known.set(id, health);
      onHealth(health);
    } catch (error) {
      // A server that does not answer has no health to show, which shows; its destination says what is wrong.
      if (!(error instanceof KliegError) && !this.#closed.signal.aborted) throw error;
    } finally {
      this.#asking.delete(id);
    }
  }
}
