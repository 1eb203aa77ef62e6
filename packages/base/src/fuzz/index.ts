export * from "./fuzz-random.ts";
export * from "./fuzz-target.ts";
export * from "./run-fuzz.ts";
