import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";

const USUAL = [15, 20, 24_000 / 1001, 24, 25, 30_000 / 1001, 30, 48, 50, 60_000 / 1001, 60, 120];
/** A rate this near to a usual one is that one: timestamps in whole milliseconds say no more. */
const NEAR = 0.01;
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
  const usual = USUAL.find((rate) => Math.abs(rate / measured - 1) <= NEAR);
  return usual ?? Math.min(MOST, Math.max(LEAST, measured));
}

/** By the median step: a frame that is missing changes nothing. */
function measure(units: readonly AccessUnit[]): number | undefined {
  const steps: number[] = [];
  let last: number | undefined;
  for (const unit of units) {
    if (unit.track.kind !== "video") continue;
    if (last !== undefined && unit.dts > last) steps.push(unit.dts - last);
    last = unit.dts;
  }
  if (steps.length < 3) return undefined;
  steps.sort((a, b) => a - b);
  // Steps in whole milliseconds alternate (33, 33, 34): the mean of those about the middle is right.
  const middle = steps.slice(Math.floor(steps.length / 4), Math.ceil((steps.length * 3) / 4));
  const mean = middle.reduce((sum, step) => sum + step, 0) / middle.length;
  return TICKS_PER_SECOND / mean;
}
