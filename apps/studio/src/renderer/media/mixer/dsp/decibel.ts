/** What a meter shows of silence, dBFS. */
export const SILENCE_DB = -120;

/** A gain, or peak with 1 as full scale, for decibels. */
export function gainOf(decibel: number): number {
  return 10 ** (decibel / 20);
}

/** dBFS of a peak or root mean square, with 1 as full scale; {@link SILENCE_DB} at the least. */
export function decibelOf(gain: number): number {
  return gain > 1e-6 ? 20 * Math.log10(gain) : SILENCE_DB;
}
