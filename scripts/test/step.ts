/** One of the things that `npm test` does, in order; also a word that `npm test -- WORD` takes. */
export interface Step {
  readonly name: string;
  /** What it proves, in a few words for the summary. */
  readonly title: string;
  /** Whether it needs the system packages of system-packages.ts. */
  readonly needsSystemPackages: boolean;
  /** Runs it, its output shown as it comes. An error thrown counts as one failure. */
  run(context: StepContext): Promise<StepCounts>;
}

export interface StepContext {
  /** The repository. */
  readonly root: string;
  /** What the command line named after the step's name: paths or names for the test runner. */
  readonly filters: readonly string[];
}

/** Tests or checks, counted. */
export interface StepCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Worth a line of the summary each: what was skipped, a measured size. */
  readonly notes: readonly string[];
}

export const ONE_PASSED: StepCounts = { passed: 1, failed: 0, skipped: 0, notes: [] };
export const ONE_FAILED: StepCounts = { passed: 0, failed: 1, skipped: 0, notes: [] };
