import { type CpuInfo, cpus } from "node:os";

/** A look that comes so much later than it was to, ms, finds figures that are not of now. */
const LATE_MS = 120;
/** A machine that was late is busy for so long, ms. */
const BUSY_MS = 2000;
/** How often the processors are asked, ms. */
const CPU_EVERY_MS = 1000;
/** Share of all processors' time from which on programs wait for them. */
const CPU_FULL = 0.95;

/**
 * Whether this computer has time for sending (STU4): a program that is not run in time finds its acknowledgements late, which
 * looks like a full network and is none.
 */
export class MachineLoad {
  readonly #everyMs: number;
  readonly #cpus: () => readonly Pick<CpuInfo, "times">[];
  #lookedAt: number | undefined;
  #lateAt = Number.NEGATIVE_INFINITY;
  #asked: { readonly at: number; readonly idle: number; readonly total: number } | undefined;
  #share = 0;

  /** @param everyMs how often it is to be looked. */
  constructor(everyMs: number, processors: () => readonly Pick<CpuInfo, "times">[] = cpus) {
    this.#everyMs = everyMs;
    this.#cpus = processors;
  }

  /**
   * Called at even intervals.
   * @param now monotonic ms.
   * @returns whether this call came in time.
   */
  look(now: number): boolean {
    const inTime = this.#lookedAt === undefined || now - this.#lookedAt <= this.#everyMs + LATE_MS;
    this.#lookedAt = now;
    if (!inTime) this.#lateAt = now;
    if (this.#asked === undefined || now - this.#asked.at >= CPU_EVERY_MS) this.#ask(now);
    return inTime;
  }

  /** Whether this program was kept waiting lately. */
  late(now: number): boolean {
    return now - this.#lateAt < BUSY_MS;
  }

  /** Whether all processors had their hands full over the last second. */
  get full(): boolean {
    return this.#share >= CPU_FULL;
  }

  #ask(now: number): void {
    let idle = 0;
    let total = 0;
    for (const { times } of this.#cpus()) {
      idle += times.idle;
      total += times.user + times.nice + times.sys + times.irq + times.idle;
    }
    const before = this.#asked;
    this.#asked = { at: now, idle, total };
    if (before !== undefined && total > before.total) this.#share = 1 - (idle - before.idle) / (total - before.total);
  }
}
