const EVERY_MS = 30_000;
/** Before so much is done, the time that is left cannot be told. */
const TELLING_SHARE = 0.1;

export interface BuildProgressOptions {
  readonly write: (text: string) => void;
  /** Whether a line can be written over. */
  readonly terminal: boolean;
  /** ms, monotonic. */
  readonly now?: () => number;
}

/** How far a build is, in one line that changes on a terminal, in a line every half minute elsewhere. */
export class BuildProgress {
  readonly #options: BuildProgressOptions;
  readonly #now: () => number;
  readonly #startedAt: number;
  #startShare = 0;
  #lastAt: number;
  #shown = false;

  constructor(options: BuildProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#startedAt = this.#now();
    this.#lastAt = this.#startedAt;
  }

  update(done: number, total: number): void {
    const share = done / total;
    // A build that was cut short goes on where it was.
    if (!this.#shown && done > 1 && this.#startShare === 0) this.#startShare = share;
    const { write, terminal } = this.#options;
    const now = this.#now();
    if (terminal) {
      write(`\r  ${this.#words(done, total, now)}\u001b[K`);
      this.#shown = true;
    } else if (now - this.#lastAt >= EVERY_MS) {
      this.#lastAt = now;
      write(`  ${this.#words(done, total, now)}\n`);
      this.#shown = true;
    }
  }

  /** Leaves the terminal's line. */
  end(): void {
    if (this.#options.terminal && this.#shown) this.#options.write("\r\u001b[K");
  }

  #words(done: number, total: number, now: number): string {
    const share = done / total;
    const made = share - this.#startShare;
    const left = made < TELLING_SHARE ? undefined : ((now - this.#startedAt) / made) * (1 - share);
    const time =
      left === undefined
        ? ""
        : left < 60_000
          ? ", less than a minute left"
          : `, about ${Math.round(left / 60_000)} min left`;
    return `media worker: ${done} of ${total} built${time}`;
  }
}
