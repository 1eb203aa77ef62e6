import { Script } from "node:vm";
import { FuzzRandom } from "./fuzz-random.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { mutate } from "./mutation.ts";

/** How long to fuzz a target, and from which seed. Whichever of the two limits is reached first ends it. */
export interface FuzzBudget {
  readonly seed: number;
  readonly maxMs: number;
  readonly maxRuns: number;
  /** A run that has not ended after this long is cut off; 5000 by default, never less than a batch of runs takes. */
  readonly hangMs?: number;
}

export interface FuzzReport {
  readonly name: string;
  readonly seed: number;
  readonly runs: number;
  /** Runs that ended in an expected error: near 0 or near `runs` means that the corpus is no good. */
  readonly rejected: number;
  readonly elapsedMs: number;
}

/** What the budget of a test run is unless the environment says otherwise: small, and with the same seed each time. */
const TEST_BUDGET: FuzzBudget = { seed: 20_260_101, maxMs: 300, maxRuns: 5_000 };

const BATCH_MS = 50;
const HANG_MS = 5_000;
const MAX_HEX_BYTES = 2_048;

/** `KLIEG_FUZZ_SEED`, `KLIEG_FUZZ_MS` (for each target) and `KLIEG_FUZZ_RUNS` over a budget fit for `npm test`. */
export function testBudget(env: Readonly<Record<string, string | undefined>> = process.env): FuzzBudget {
  const number = (name: string, otherwise: number) => {
    const value = Number(env[name] ?? otherwise);
    if (!Number.isFinite(value) || value < 0) throw new Error(`${name} is not a number`);
    return value;
  };
  return {
    seed: number("KLIEG_FUZZ_SEED", TEST_BUDGET.seed),
    maxMs: number("KLIEG_FUZZ_MS", TEST_BUDGET.maxMs),
    maxRuns: number("KLIEG_FUZZ_RUNS", env.KLIEG_FUZZ_MS === undefined ? TEST_BUDGET.maxRuns : 1e12),
  };
}

/** An input that a target did not survive. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
  readonly input: Uint8Array;

  constructor(target: string, seed: number, run: number, input: Uint8Array, what: string, cause?: unknown) {
    const hex = Buffer.from(input.subarray(0, MAX_HEX_BYTES)).toString("hex");
    const more = input.length > MAX_HEX_BYTES ? "…" : "";
    super(`${target}: ${what} (seed ${seed}, run ${run}, ${input.length} bytes: ${hex}${more})`, { cause });
    this.input = input;
  }
}

/**
 * Runs a target on its corpus, then on mutations of it, until the budget is used up. Runs are a function of the
 * seed alone; only how many there are depends on the machine's speed.
 *
 * @throws FuzzFailure on an unexpected error, an input that takes too long or never ends, or too much output.
 */
export async function runFuzz(target: FuzzTarget, budget: FuzzBudget): Promise<FuzzReport> {
  const corpus = await target.corpus();
  if (corpus.length === 0) throw new Error(`${target.name} has no corpus`);
  const longest = corpus.reduce((bytes, entry) => Math.max(bytes, entry.length), 0);
  const maxBytes = Math.max(4 * longest, 1024);
  const session = new FuzzSession(target, budget);
  const began = performance.now();
  while (session.runs < corpus.length + budget.maxRuns) {
    const elapsed = performance.now() - began;
    if (session.runs >= corpus.length && elapsed >= budget.maxMs) break;
    const batchEnd = performance.now() + BATCH_MS;
    session.guarded(() => {
      do {
        const index = session.runs;
        const random = new FuzzRandom(budget.seed + index * 0x9e37);
        const seedInput = corpus[index];
        session.run(seedInput === undefined ? mutate(corpus, random, maxBytes) : new Uint8Array(seedInput), random);
      } while (performance.now() < batchEnd && session.runs < corpus.length + budget.maxRuns);
    });
  }
  return {
    name: target.name,
    seed: budget.seed,
    runs: session.runs,
    rejected: session.rejected,
    elapsedMs: performance.now() - began,
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

class FuzzSession {
  readonly #target: FuzzTarget;
  readonly #seed: number;
  readonly #hangMs: number;
  #current: Uint8Array = new Uint8Array(0);
  runs = 0;
  rejected = 0;

  constructor(target: FuzzTarget, budget: FuzzBudget) {
    this.#target = target;
    this.#seed = budget.seed;
    this.#hangMs = Math.max(budget.hangMs ?? HANG_MS, 2 * BATCH_MS);
  }

  run(input: Uint8Array, random: FuzzRandom): void {
    // The target may keep its input or write to it: what is reported must be what was fed.
    this.#current = new Uint8Array(input);
    const began = performance.now();
    // Half of the runs get a Buffer, whose slice() is a view where that of a Uint8Array is a copy.
    const fed = random.oneIn(2) ? Buffer.from(input.buffer, input.byteOffset, input.byteLength) : input;
    const output = this.#feed(fed, random);
    if (this.#target.writesInput !== true && !sameBytes(input, this.#current))
      throw this.#failure("wrote to its input");
    const bound = this.#target.maxOutputBytes?.(input.length) ?? 65_536 + 16 * input.length;
    if (output > bound) throw this.#failure(`${output} bytes of output, more than ${bound}`);
    const limit = this.#target.maxMs ?? 500;
    if (performance.now() - began > limit && this.#isSlow(limit)) throw this.#failure(`took more than ${limit} ms`);
    this.runs += 1;
  }

  /** Runs `batch`; a run in it that does not end is cut off from outside and reported. */
  guarded(batch: () => void): void {
    guardedBatch = batch;
    try {
      batchScript.runInThisContext({ timeout: this.#hangMs });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw this.#failure(`did not end within ${this.#hangMs} ms`, error);
    } finally {
      guardedBatch = undefined;
    }
  }

  #feed(input: Uint8Array, random: FuzzRandom): number {
    try {
      return this.#target.run(input, random);
    } catch (error) {
      if (!this.#target.isExpectedError(error)) throw this.#failure(`threw ${String(error)}`, error);
      this.rejected += 1;
      return 0;
    }
  }

  /** A busy machine is slow now and then; an input is slow each time. */
  #isSlow(limit: number): boolean {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const began = performance.now();
      this.#feed(new Uint8Array(this.#current), new FuzzRandom(this.#seed));
      if (performance.now() - began <= limit) return false;
    }
    return true;
  }

  #failure(what: string, cause?: unknown): FuzzFailure {
    return new FuzzFailure(this.#target.name, this.#seed, this.runs, this.#current, what, cause);
  }
}

// Only code that a Script starts can be cut off when it does not end; the script reaches the batch through the global object.
const BATCH = Symbol.for("klieg.fuzz.batch");
let guardedBatch: (() => void) | undefined;
Object.defineProperty(globalThis, BATCH, { configurable: true, get: () => guardedBatch });
const batchScript = new Script("globalThis[Symbol.for('klieg.fuzz.batch')]()");
