import type { Clock } from "@klieg/base";
import type { FfmpegExit, Rung } from "@klieg/ffmpeg";
import type { AccessUnit } from "@klieg/media";
import { type RunOptions, TranscodeRun } from "./transcode-run.ts";

export interface RelaySink {
  /** What the runs make, in order: all of one before any of the next. */
  onAccessUnit(run: TranscodeRun, rung: Rung | undefined, unit: AccessUnit): void;
  onDropped(count: number): void;
  /** The run at work has ended without being told to; it is no longer at work. */
  onDied(run: TranscodeRun, exit: FfmpegExit): void;
}

/** A run whose output is still to be handed on. */
interface Runner {
  readonly run: TranscodeRun;
  /** What it has made while those before it were not through. */
  held: { readonly rung: Rung | undefined; readonly unit: AccessUnit }[];
  /** Ends it when it does not finish. */
  timer: Disposable | undefined;
  gone: boolean;
}

/** Sources that change faster than FFmpeg finishes lose the oldest of what they had. */
const MAX_RUNNERS = 4;

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
  /** In the order of what they make; the last may be the current one. */
  #line: Runner[] = [];
  #current: TranscodeRun | undefined;

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
    this.#line.push({ run, held: [], timer: undefined, gone: false });
    return run;
  }

  /** Relieves the current run: it finishes what it was given. */
  relieve(): void {
    const run = this.#current;
    const runner = this.#line.at(-1);
    if (run === undefined || runner === undefined) return;
    this.#current = undefined;
    runner.timer = this.#clock.after(this.#drainMs, () => run.kill());
    run.finish();
    if (this.#line.length >= MAX_RUNNERS) this.#line[0]?.run.kill();
  }

  /** Kills the current run, and does not call that a death. What it has made and could not hand on is lost. */
  dismiss(): void {
    const run = this.#current;
    if (run === undefined) return;
    this.#current = undefined;
    this.#line.pop();
    run.kill();
  }

  /** Resolves when all runs that there are now are gone. */
  async settled(): Promise<void> {
    await Promise.all([...this.#alive].map((run) => run.exited));
  }

  /** Ends all runs; nothing more is handed on. */
  async close(): Promise<void> {
    for (const { timer } of this.#line) timer?.[Symbol.dispose]();
    this.#line = [];
    this.#current = undefined;
    await Promise.all([...this.#alive].map((run) => run.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onAccessUnit(run: TranscodeRun, rung: Rung | undefined, unit: AccessUnit): void {
    if (run === this.#line[0]?.run) this.#sink.onAccessUnit(run, rung, unit);
    // Those that are not in line were dismissed: another does their work.
    else this.#line.find((runner) => runner.run === run)?.held.push({ rung, unit });
  }

  #onExit(run: TranscodeRun, exit: FfmpegExit): void {
    this.#alive.delete(run);
    if (run === this.#current) {
      this.#current = undefined;
      // What it could not hand on goes with it: its successor begins with the same GOP, and two halves would not fit.
      const runner = this.#line.pop();
      if (runner !== undefined) runner.held = [];
      this.#sink.onDied(run, exit);
      return;
    }
    const runner = this.#line.find((known) => known.run === run);
    if (runner === undefined) return;
    runner.gone = true;
    runner.timer?.[Symbol.dispose]();
    while (this.#line[0]?.gone === true) {
      this.#line.shift();
      const next = this.#line[0];
      if (next === undefined) break;
      const { held } = next;
      next.held = [];
      for (const { rung, unit } of held) this.#sink.onAccessUnit(next.run, rung, unit);
    }
  }
}
