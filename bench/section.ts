/** What a bench found: one section of RESULTS.md. */
export interface Section {
  /** A sentence or two: what ran, for how long, against which peer. Markdown. */
  readonly summary: string;
  /** Figures; the first row of cells are the column names. */
  readonly table?: { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };
  /** What the design allows, held against what was measured. */
  readonly verdicts: readonly Verdict[];
  /** What a reader must know to trust the figures. Markdown, one item each. */
  readonly notes?: readonly string[];
}

/** A budget of the design and whether it holds here. */
export interface Verdict {
  /** The quantity, e.g. `latency p95`. */
  readonly what: string;
  /** With its unit. */
  readonly measured: string;
  readonly budget: string;
  readonly holds: boolean;
}

/**
 * What a file `bench/NAME.bench.ts` exports. `npm run bench` runs each in a process of its own and fails when a verdict
 * does not hold; `npm run bench -- NAME` runs only those named.
 */
export interface BenchModule {
  /** Heading of the section; also what keeps its place in RESULTS.md. */
  readonly name: string;
  readonly run: () => Promise<Section>;
}
