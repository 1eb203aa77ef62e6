import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";

/** Whether 30 or 29.97 does not show in a dozen frames timed in milliseconds, and does not matter. */
const USUAL = [15, 20, 24, 25, 30, 48, 50, 60, 120];
/** A rate this near to a usual one is that one: timestamps in whole milliseconds say no more. */
const NEAR = 0.015;
const LEAST = 1;
const MOST = 240;
const ASSUMED = 30;
/** A declared rate that the timestamps contradict by more than this is a mistake: fields counted as frames, a default left in. */
const CONTRADICTED = 0.2;

/**
 * Frames a second of a video track: what it declares where its timestamps agree, else what they say.
 * @param units consecutive access units of the track among others; ten frames are enough.
 */
export function frameRateOf(declared: number | undefined, units: readonly AccessUnit[]): number {
  const measured = measure(units);
  const plausible = declared !== undefined && declared >= LEAST && declared <= MOST ? declared : undefined;
  if (measured === undefined) return plausible ?? ASSUMED;
  if (plausible !== undefined && Math.abs(plausible / measured - 1) <= CONTRADICTED) return plausible;
  const [nearest = measured] = USUAL.toSorted((a, b) => Math.abs(a - measured) - Math.abs(b - measured));
  if (Math.abs(nearest / measured - 1) <= NEAR) return nearest;
  return Math.min(MOST, Math.max(LEAST, measured));
}

/** By the mean step, without those that are longer because a frame is missing. */
function measure(units: readonly AccessUnit[]): number | undefined {
  const steps: number[] = [];
  let last: number | undefined;
  for (const unit of units) {
    if (unit.track.kind !== "video") continue;
    if (last !== undefined && unit.dts > last) steps.push(unit.dts - last);
    last = unit.dts;
  }
  if (steps.length < 3) return undefined;
  const median = steps.toSorted((a, b) => a - b)[steps.length >> 1] as number;
  // Steps in whole milliseconds alternate (33, 33, 34): only their mean is right.
  const usual = steps.filter((step) => step < median * 1.5);
  return (TICKS_PER_SECOND * usual.length) / usual.reduce((sum, step) => sum + step, 0);
}
