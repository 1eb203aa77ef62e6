/** All processing is at this rate, Hz. */
export const SAMPLE_RATE = 48_000;

/** Milliseconds as whole samples. */
export function samplesOf(ms: number): number {
  return Math.round((ms * SAMPLE_RATE) / 1000);
}

/** What changes stereo sound in place, block by block. It runs on the sound's thread: it allocates nothing while it does. */
export interface SoundProcessor {
  /** Samples by which what comes out is later than what went in. */
  readonly latency: number;
  /** dB that it took away at the end of the last block; 0 or more. */
  readonly reductionDb: number;
  /** Both channels have the same length, which may differ from block to block. */
  process(left: Float32Array, right: Float32Array): void;
}
