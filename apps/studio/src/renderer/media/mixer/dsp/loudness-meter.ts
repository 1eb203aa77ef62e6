import { SAMPLE_RATE } from "./sound-processor.ts";

/** Gating blocks of 400 ms begin every 100 ms (BS.1770-4, overlap of 75 %). */
const STEP = SAMPLE_RATE / 10;
const MOMENTARY_STEPS = 4;
const SHORT_TERM_STEPS = 30;
const ABSOLUTE_GATE = -70;
/** Below the loudness of what passes the absolute gate, LU. */
const RELATIVE_GATE = -10;
/** Blocks are counted by their loudness in bins of this width, LU: so an hour takes no more memory than a minute. */
const BIN = 0.1;
const BINS = (10 - ABSOLUTE_GATE) / BIN;

/**
 * Loudness of stereo sound at 48 kHz after ITU-R BS.1770-4 and EBU R 128: K-weighted mean square, momentary (400 ms),
 * short-term (3 s) and integrated with both gates. The relative gate lies between two bins, 0.1 LU at most from where it
 * should be; what passes it is averaged as it was measured.
 */
export class LoudnessMeter {
  readonly #left = new KWeighting();
  readonly #right = new KWeighting();
  /** Mean square of both channels in each of the last 100 ms, in a ring. */
  readonly #steps = new Float64Array(SHORT_TERM_STEPS);
  #stepCount = 0;
  #sum = 0;
  #samples = 0;
  readonly #counts = new Float64Array(BINS);
  readonly #energies = new Float64Array(BINS);
  #blocksSinceReset = 0;

  measure(left: Float32Array, right: Float32Array): void {
    for (let i = 0; i < left.length; i += 1) {
      const l = this.#left.next(left[i] as number);
      const r = this.#right.next(right[i] as number);
      this.#sum += l * l + r * r;
      this.#samples += 1;
      if (this.#samples === STEP) this.#endStep();
    }
  }

  /** LUFS; −Infinity before the first 400 ms are over. */
  get momentary(): number {
    return loudnessOf(this.#meanOf(MOMENTARY_STEPS));
  }

  /** LUFS; −Infinity before the first 3 s are over. */
  get shortTerm(): number {
    return loudnessOf(this.#meanOf(SHORT_TERM_STEPS));
  }

  /** LUFS; −Infinity while nothing has passed the gates. */
  get integrated(): number {
    const ungated = this.#meanFrom(0);
    if (ungated === 0) return -Infinity;
    const gate = loudnessOf(ungated) + RELATIVE_GATE;
    return loudnessOf(this.#meanFrom(Math.max(0, Math.ceil((gate - ABSOLUTE_GATE) / BIN))));
  }

  /** Begins the integrated loudness anew. */
  reset(): void {
    this.#counts.fill(0);
    this.#energies.fill(0);
    this.#blocksSinceReset = 0;
  }

  #endStep(): void {
    this.#steps[this.#stepCount % SHORT_TERM_STEPS] = this.#sum / STEP;
    this.#stepCount += 1;
    this.#blocksSinceReset += 1;
    this.#sum = 0;
    this.#samples = 0;
    // A block that began before the reset is not of what is measured since.
    if (this.#blocksSinceReset < MOMENTARY_STEPS) return;
    const energy = this.#meanOf(MOMENTARY_STEPS);
    const loudness = loudnessOf(energy);
    if (loudness <= ABSOLUTE_GATE) return;
    const bin = Math.min(BINS - 1, Math.floor((loudness - ABSOLUTE_GATE) / BIN));
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
    this.#energies[bin] = (this.#energies[bin] as number) + energy;
  }

  /** Mean square over the last steps; 0 while there are fewer. */
  #meanOf(steps: number): number {
    if (this.#stepCount < steps) return 0;
    let sum = 0;
    for (let i = 1; i <= steps; i += 1) sum += this.#steps[(this.#stepCount - i) % SHORT_TERM_STEPS] as number;
    return sum / steps;
  }

  #meanFrom(firstBin: number): number {
    let count = 0;
    let energy = 0;
    for (let bin = firstBin; bin < BINS; bin += 1) {
      count += this.#counts[bin] as number;
      energy += this.#energies[bin] as number;
    }
    return count === 0 ? 0 : energy / count;
  }
}

/** LUFS of a K-weighted mean square, summed over the channels (BS.1770-4 equation 2). */
function loudnessOf(meanSquare: number): number {
  return meanSquare > 1e-15 ? -0.691 + 10 * Math.log10(meanSquare) : -Infinity;
}

/** The two filters of BS.1770-4 annex 1, tables 1 and 2, for 48 kHz: the head's shelf, then the high-pass. */
class KWeighting {
  #a1 = 0;
  #a2 = 0;
  #b1 = 0;
  #b2 = 0;

  next(sample: number): number {
    // Transposed direct form II; the tiny offset keeps what fades away out of the slow denormal numbers.
    const x = sample + 1e-20;
    const shelf = 1.53512485958697 * x + this.#a1;
    this.#a1 = -2.69169618940638 * x + 1.69065929318241 * shelf + this.#a2;
    this.#a2 = 1.19839281085285 * x - 0.73248077421585 * shelf;
    const y = shelf + this.#b1;
    this.#b1 = -2 * shelf + 1.99004745483398 * y + this.#b2;
    this.#b2 = shelf - 0.99007225036621 * y;
    return y;
  }
}
