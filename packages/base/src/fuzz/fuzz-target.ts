import type { FuzzRandom } from "./fuzz-random.ts";

/** A parser that bytes from outside reach, and what must hold whatever the bytes. */
export interface FuzzTarget {
  /** kebab-case, unique in the repository. */
  readonly name: string;
  /** Valid inputs to begin from; also inputs that once failed. Each is run unchanged first. Called once, may be slow. */
  readonly corpus: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /**
   * Feeds one input through the parser, synchronously, from a fresh state.
   * @param random for choices that belong to the run: where the input is cut into pieces, say. Seeded.
   * @returns bytes that the parser put out or still holds: held against `maxOutputBytes`.
   */
  readonly run: (input: Uint8Array, random: FuzzRandom) => number;
  /** Whether an error is one that malformed input may lead to. Anything else thrown is a failure. */
  readonly isExpectedError: (error: unknown) => boolean;
  /** By default 64 kB and 16 bytes for each byte put in. */
  readonly maxOutputBytes?: (inputBytes: number) => number;
  /** Whether it is meant to change the bytes it is given (decrypt them in place, say). By default that is a failure. */
  readonly writesInput?: boolean;
  /** Longest time that one input may take, ms. By default 500. */
  readonly maxMs?: number;
}

/**
 * Declares a fuzz target. Put it beside the parser in `<name>.fuzz.ts`, with `export const fuzzTargets = [target, …]`:
 * `npm run fuzz` finds it there, and a test of the package runs it for a short time:
 *
 * ```ts
 * // flv.fuzz.ts
 * export const fuzzTargets = [
 *   defineFuzzTarget({
 *     name: "flv-file",
 *     corpus: () => [sample],
 *     run: (input) => readFlvFile(input).reduce((bytes, tag) => bytes + tag.body.length, 0),
 *     isExpectedError: (error) => error instanceof MediaError,
 *   }),
 * ];
 * // fuzz.test.ts
 * for (const target of fuzzTargets) test(`fuzz ${target.name}`, () => runFuzz(target, testBudget()));
 * ```
 */
export function defineFuzzTarget(target: FuzzTarget): FuzzTarget {
  return target;
}
