/** Ends of a fader, dB. */
export const FADER_MIN = -60;
export const FADER_MAX = 20;
/** Where 0 dB is, of the way. */
const UNITY = 0.75;
/** More of the way is given to what is near 0 dB. */
const CURVE = 1.6;

/** @param db {@link FADER_MIN} to {@link FADER_MAX}. @returns 0 to 1. */
export function faderPosition(db: number): number {
  if (db >= 0) return UNITY + (Math.min(db, FADER_MAX) / FADER_MAX) * (1 - UNITY);
  return UNITY * (1 - Math.max(db, FADER_MIN) / FADER_MIN) ** CURVE;
}

/** @param position 0 to 1. @returns dB, to a tenth; a fader snaps to 0. */
export function faderGain(position: number): number {
  const db =
    position >= UNITY
      ? ((Math.min(position, 1) - UNITY) / (1 - UNITY)) * FADER_MAX
      : FADER_MIN * (1 - (Math.max(position, 0) / UNITY) ** (1 / CURVE));
  const rounded = Math.round(db * 10) / 10;
  return Math.abs(rounded) < 0.4 ? 0 : rounded;
}

/** The quietest that a meter shows, dBFS. */
const METER_MIN = -60;

/** @param db dBFS. @returns 0 to 1. */
export function meterPosition(db: number): number {
  return Math.max(0, Math.min(1, 1 - db / METER_MIN));
}

/** How long the highest peak stays before it falls, ms, and then how fast, dB a second. */
const HOLD_MS = 1500;
const FALL_DB_PER_S = 20;

/** The highest of the last moments: what was clipped is seen even by who looks away. */
export class PeakHold {
  #db = Number.NEGATIVE_INFINITY;
  #at = 0;
  #seen = 0;

  /** @param now ms. @returns the peak to show, dBFS. */
  add(db: number, now: number): number {
    if (now - this.#at > HOLD_MS) this.#db -= (FALL_DB_PER_S * Math.max(0, now - this.#seen)) / 1000;
    this.#seen = now;
    if (db >= this.#db) {
      this.#db = db;
      this.#at = now;
    }
    return this.#db;
  }
}
