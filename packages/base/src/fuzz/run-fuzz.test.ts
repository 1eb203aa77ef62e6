import { expect, test } from "vitest";
import { defineFuzzTarget, type FuzzBudget, FuzzFailure, type FuzzRandom, runFuzz, testBudget } from "./index.ts";

const budget: FuzzBudget = { seed: 7, maxMs: 10_000, maxRuns: 2_000 };
const corpus = () => [Uint8Array.from([0, 0, 0, 4, 1, 2, 3, 4]), new Uint8Array(40).fill(9)];
const isExpectedError = (error: unknown) => error instanceof RangeError;

/** A parser of a 4-byte length and as many bytes, with a flaw to be found. */
function lengthPrefixed(input: Uint8Array, onFlaw: () => number): number {
  if (input.length < 4) throw new RangeError("short");
  const length = new DataView(input.buffer, input.byteOffset).getUint32(0);
  if (length === 0xffffffff) return onFlaw();
  if (length > input.length - 4) throw new RangeError("long");
  return length;
}

test("a sound parser passes, and its errors are counted", async () => {
  const target = defineFuzzTarget({
    name: "sound",
    corpus,
    isExpectedError,
    run: (input) => lengthPrefixed(input, () => 0),
  });
  const report = await runFuzz(target, budget);
  expect(report.runs).toBe(2_002);
  expect(report.rejected).toBeGreaterThan(200);
  expect(report.rejected).toBeLessThan(1_990);
});

test("an unexpected error is found, with the input that leads to it", async () => {
  const run = (input: Uint8Array) =>
    lengthPrefixed(input, () => {
      throw new TypeError("flaw");
    });
  const target = defineFuzzTarget({ name: "throws", corpus, isExpectedError, run });
  const failure = await runFuzz(target, budget).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(FuzzFailure);
  expect(() => run((failure as FuzzFailure).input)).toThrow(TypeError);
});

test("a run that never ends is cut off and found", async () => {
  const target = defineFuzzTarget({
    name: "hangs",
    corpus,
    isExpectedError,
    run: (input) =>
      lengthPrefixed(input, () => {
        for (;;);
      }),
  });
  await expect(runFuzz(target, { ...budget, hangMs: 300 })).rejects.toThrow("did not end");
});

test("too much output and slow inputs are found", async () => {
  const floods = defineFuzzTarget({
    name: "floods",
    corpus,
    isExpectedError,
    run: (input) => lengthPrefixed(input, () => 1e9),
  });
  await expect(runFuzz(floods, budget)).rejects.toThrow("bytes of output");
  const slow = defineFuzzTarget({
    name: "slow",
    corpus,
    isExpectedError,
    maxMs: 5,
    run: (input) =>
      lengthPrefixed(input, () => {
        const end = performance.now() + 10;
        while (performance.now() < end);
        return 0;
      }),
  });
  await expect(runFuzz(slow, budget)).rejects.toThrow("took more than 5 ms");
});

test("writing to the input is found, unless it is meant", async () => {
  const run = (input: Uint8Array) => {
    if (input.length > 4) input.slice(0, 4).fill(0);
    return 0;
  };
  const target = defineFuzzTarget({ name: "writes", corpus, isExpectedError, run });
  await expect(runFuzz(target, budget)).rejects.toThrow("wrote to its input");
  await expect(runFuzz({ ...target, writesInput: true }, { ...budget, maxRuns: 10 })).resolves.toBeDefined();
});

test("the same seed gives the same inputs", async () => {
  const record = async (seed: number) => {
    const seen: string[] = [];
    const run = (input: Uint8Array, random: FuzzRandom) => {
      seen.push(`${Buffer.from(input).toString("hex")} ${random.u32()}`);
      return 0;
    };
    await runFuzz({ name: "records", corpus, isExpectedError, run }, { ...budget, seed, maxRuns: 200 });
    return seen;
  };
  expect(await record(1)).toEqual(await record(1));
  expect(await record(1)).not.toEqual(await record(2));
});

test("the environment sets the budget", () => {
  expect(testBudget({})).toEqual({ seed: 20_260_101, maxMs: 300, maxRuns: 5_000 });
  expect(testBudget({ KLIEG_FUZZ_SEED: "5", KLIEG_FUZZ_MS: "9000" })).toEqual({ seed: 5, maxMs: 9000, maxRuns: 1e12 });
  expect(() => testBudget({ KLIEG_FUZZ_SEED: "x" })).toThrow("KLIEG_FUZZ_SEED");
});
