import type { Clock } from "@klieg/base";
import type { AccessUnit } from "@klieg/media";
import type { FfmpegExit } from "./ffmpeg-process.ts";
import type { Rung } from "./ladder.ts";
import { type RunOptions, TranscodeRun } from "./transcode-run.ts";

export interface RelaySink {
  /** What the runs make, in order: all of one before any of the next. */
  onAccessUnit(run: TranscodeRun, rung: Rung | undefined, unit: AccessUnit): void;
  onDropped(count: number): void;
  /** The run at work has ended without being told to; it is no longer at work. */
  onDied(run: TranscodeRun, exit: FfmpegExit): void;
}

/**
 * One FFmpeg after another. Where one takes over from another at a keyframe, the first finishes what it was given
 * while the second already works, and what the second makes waits for the first: there is no hole between them.
 */
export class RunRelay implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #drainMs: number;
  readonly #sink: RelaySink;
  /** Whose process is not gone yet, whatever they are to us. */
  readonly #alive = new Set<TranscodeRun>();
  #current: TranscodeRun | undefined;
  #draining: TranscodeRun | undefined;
  #drainTimer: Disposable | undefined;
  #held: { readonly run: TranscodeRun; readonly rung: Rung | undefined; readonly unit: AccessUnit }[] = [];

  /** @param drainMs how long a run may take to finish; then it is killed. */
  constructor(clock: Clock, drainMs: number, sink: RelaySink) {
    this.#clock = clock;
    this.#drainMs = drainMs;
    this.#sink = sink;
  }

  /** The run that takes access units. */
  get current(): TranscodeRun | undefined {
    return this.#current;
  }

  /** Whether a run that was relieved is still finishing. */
  get draining(): boolean {
    return this.#draining !== undefined;
  }

  /**
   * Puts a new run to work; there must be none.
   * @throws MediaError when FFmpeg's input cannot carry a track.
   */
  start(options: Omit<RunOptions, "sink" | "clock">): TranscodeRun {
    const run = new TranscodeRun({
      ...options,
      clock: this.#clock,
      sink: {
        onAccessUnit: (from, rung, unit) => this.#onAccessUnit(from, rung, unit),
        onDropped: (from, count) => {
          if (from === this.#current) this.#sink.onDropped(count);
        },
        onExit: (from, exit) => this.#onExit(from, exit),
      },
    });
    this.#current = run;
    this.#alive.add(run);
    return run;
  }

  /** Relieves the current run: it finishes what it was given. */
  relieve(): void {
    const run = this.#current;
    if (run === undefined) return;
    this.#current = undefined;
    if (this.#draining !== undefined) {
      this.#draining.kill();
      this.#endDrain();
    }
    this.#draining = run;
    this.#drainTimer = this.#clock.after(this.#drainMs, () => run.kill());
    run.finish();
  }

  /** Kills the current run, and does not call that a death. */
  dismiss(): void {
    const run = this.#current;
    this.#current = undefined;
    run?.kill();
  }

  /** Resolves when all runs that were there are gone. */
  async settled(): Promise<void> {
    await Promise.all([...this.#alive].map((run) => run.exited));
  }

  /** Ends all runs; nothing more is handed on. */
  async close(): Promise<void> {
    this.#drainTimer?.[Symbol.dispose]();
    this.#current = undefined;
    this.#draining = undefined;
    this.#held = [];
    await Promise.all([...this.#alive].map((run) => run.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onAccessUnit(run: TranscodeRun, rung: Rung | undefined, unit: AccessUnit): void {
    if (run === this.#draining) this.#sink.onAccessUnit(run, rung, unit);
    else if (run !== this.#current)
      return; // dismissed: another does its work
    else if (this.#draining !== undefined) this.#held.push({ run, rung, unit });
    else this.#sink.onAccessUnit(run, rung, unit);
  }

  #onExit(run: TranscodeRun, exit: FfmpegExit): void {
    this.#alive.delete(run);
    if (run === this.#draining) {
      this.#endDrain();
    } else if (run === this.#current) {
      this.#current = undefined;
      // Its successor begins with the same GOP: two halves made by two encoders would not fit.
      this.#held = [];
      this.#sink.onDied(run, exit);
    }
  }

  #endDrain(): void {
    this.#drainTimer?.[Symbol.dispose]();
    this.#drainTimer = undefined;
    this.#draining = undefined;
    const held = this.#held;
    this.#held = [];
    for (const { run, rung, unit } of held) this.#sink.onAccessUnit(run, rung, unit);
  }
}
