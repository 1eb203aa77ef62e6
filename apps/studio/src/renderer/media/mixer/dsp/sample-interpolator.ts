/** How many samples about a place make up the value there. */
const TAPS = 32;
/** Samples that must be there before and after a place. */
export const INTERPOLATION_REACH = TAPS / 2;
const PHASES = 256;
const KAISER_BETA = 9;

/** Windowed sinc, one row of {@link TAPS} for each {@link PHASES}th of a sample, and one more to interpolate towards. */
const TABLE = makeTable();

/**
 * The value of interleaved stereo between its samples: band-limited, and exact at whole samples. To be used where the rate
 * changes by parts of a thousand.
 *
 * @param channel 0 left, 1 right.
 * @param position in samples of one channel; {@link INTERPOLATION_REACH} of them must be there on either side.
 */
export function interpolate(samples: Float32Array, channel: 0 | 1, position: number): number {
  const whole = Math.floor(position);
  const fraction = position - whole;
  if (fraction === 0) return samples[2 * whole + channel] as number;
  const phase = fraction * PHASES;
  const row = Math.floor(phase);
  const share = phase - row;
  const a = row * TAPS;
  const b = a + TAPS;
  let sum = 0;
  let at = 2 * (whole - INTERPOLATION_REACH + 1) + channel;
  for (let tap = 0; tap < TAPS; tap += 1) {
    const here = TABLE[a + tap] as number;
    sum += (samples[at] as number) * (here + ((TABLE[b + tap] as number) - here) * share);
    at += 2;
  }
  return sum;
}

function makeTable(): Float64Array {
  const table = new Float64Array((PHASES + 1) * TAPS);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    for (let tap = 0; tap < TAPS; tap += 1) {
      const x = tap - (INTERPOLATION_REACH - 1) - phase / PHASES;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const inside = 1 - (x / INTERPOLATION_REACH) ** 2;
      table[phase * TAPS + tap] =
        inside < 0 ? 0 : (sinc * bessel(KAISER_BETA * Math.sqrt(inside))) / bessel(KAISER_BETA);
    }
  }
  return table;
}

/** The modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
