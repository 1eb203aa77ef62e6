import type { Clock } from "@klieg/base";

/** Something with work that falls due. */
export interface Scheduled {
  /** Local µs at which {@link run} wants to be called; infinite when there is nothing to do. */
  readonly deadline: number;
  run(nowMicros: number): void;
}

/** Timers may fire this early, µs, measured against the monotonic clock. */
const EARLY = 500;
/** A timer later than this, µs, means that the process stood still. */
const STALL = 50_000;
/** Time to read what came in while it did, µs. */
const CATCH_UP = 5_000;

/** One timer for everything on a socket. Without work due there is no timer. */
export class Scheduler {
  readonly #clock: Clock;
  readonly #entries = new Set<Scheduled>();
  #timer: Disposable | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #running = false;
  readonly #fire = () => this.#run();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic local time, µs. */
  get now(): number {
    return this.#clock.now() * 1000;
  }

  add(entry: Scheduled): void {
    this.#entries.add(entry);
    this.request(entry.deadline);
  }

  delete(entry: Scheduled): void {
    this.#entries.delete(entry);
    if (this.#entries.size === 0) this.#disarm();
  }

  /** Makes sure that a wake-up comes no later than `deadline`. */
  request(deadline: number): void {
    if (deadline >= this.#armedFor || this.#running || this.#entries.size === 0) return;
    this.#arm(deadline);
  }

  #arm(deadline: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#armedFor = deadline;
    this.#timer = this.#clock.after(Math.max(0, Math.ceil((deadline - this.now) / 1000)), this.#fire);
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #run(): void {
    const now = this.now;
    const late = now - this.#armedFor;
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    if (late > STALL) {
      // The process stood still. What came in meanwhile waits in the socket: read it before anything is given up.
      this.#arm(now + CATCH_UP);
      return;
    }
    let earliest = Number.POSITIVE_INFINITY;
    this.#running = true;
    try {
      for (const entry of this.#entries) {
        if (entry.deadline <= now + EARLY) entry.run(now);
      }
    } finally {
      this.#running = false;
      // Running one entry may have brought another one's work forward.
      for (const entry of this.#entries) earliest = Math.min(earliest, entry.deadline);
      if (earliest !== Number.POSITIVE_INFINITY) this.#arm(Math.max(earliest, now + EARLY));
    }
  }
}
