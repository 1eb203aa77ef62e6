/** Everything the controller looks at, taken a few times a second. Seconds, except `now`. */
export interface LatencyReading {
  /** ms on a monotonic clock. */
  readonly now: number;
  /** Playhead's distance from the live edge. */
  readonly latency: number;
  /** Distance the server asks for (`PART-HOLD-BACK`, or `HOLD-BACK` without parts). */
  readonly holdBack: number;
  /** Longest part; null without parts. */
  readonly partTarget: number | null;
  /** Media ready to play after the playhead. */
  readonly bufferAhead: number;
  /** False while the viewer watches the past on purpose. */
  readonly following: boolean;
}

export interface LatencyDecision {
  /** Playback rate to set; 0 while the buffer refills after running dry. */
  readonly rate: number;
  /** The distance held at the moment, seconds. */
  readonly target: number;
  /** Too far behind to catch up gently: go to the live edge. */
  readonly jump: boolean;
}

const MAX_RATE = 1.08;
const MIN_RATE = 0.96;
/** Seconds off target before the rate leaves 1, and before it returns; the gap keeps the rate from chattering. */
const ENGAGE = 0.12;
const RELEASE = 0.03;
/** How much of each second off target is worked off in a second. */
const GAIN = 0.12;
/** Behind by more seconds than this, catching up would take minutes. */
const JUMP_BEHIND = 7;
/** A page that slept knows that it is behind; waiting would only keep an old picture on screen. */
const JUMP_BEHIND_AFTER_SLEEP = 2;
const SLEEP_MS = 5000;
/** What one stall adds to the target and the most that stalls can add, seconds. */
const STALL_STEP = 0.4;
const STALL_MAX = 3;
/** How the addition melts again. */
const CALM_BEFORE_SHRINK_MS = 20_000;
const SHRINK_PER_SECOND = 0.02;
/** A refill that takes longer than this plays what it has. */
const REFILL_LIMIT_MS = 3000;
/** A stall longer than this is the broadcast pausing, not the viewer's network: a larger buffer would not have helped. */
const NETWORK_STALL_MS = 4000;

/**
 * Holds the playhead at the distance from the live edge that the server asks for (PLY1, DLV5), by playing up to 8 % faster or 4 %
 * slower, which nobody hears. Every stall widens the distance a little and calm narrows it again. It only decides: the owner sets
 * the rate and does the jump.
 */
export class LatencyController {
  #stallMargin = 0;
  #lastStallAt = Number.NEGATIVE_INFINITY;
  #lastUpdateAt: number | null = null;
  #correcting = false;
  #refillingSince: number | null = null;
  #dryAt: number | null = null;

  /** Seconds added to the server's hold-back because of stalls. */
  get stallMargin(): number {
    return this.#stallMargin;
  }

  /** Playback ran dry at `now` (ms): nothing plays until a cushion is back. */
  ranDry(now: number): void {
    this.#dryAt ??= now;
    this.#refillingSince ??= now;
  }

  /** Media flows again at `now` (ms). */
  resumed(now: number): void {
    const dryAt = this.#dryAt;
    this.#dryAt = null;
    if (dryAt === null || now - dryAt > NETWORK_STALL_MS) return;
    this.#stallMargin = Math.min(STALL_MAX, this.#stallMargin + STALL_STEP);
    this.#lastStallAt = now;
  }

  /** Forgets the refill and the rate, but not what the network taught: for a seek or a new source. */
  restart(): void {
    this.#correcting = false;
    this.#refillingSince = null;
    this.#dryAt = null;
    this.#lastUpdateAt = null;
  }

  update(reading: LatencyReading): LatencyDecision {
    const elapsed = this.#lastUpdateAt === null ? 0 : reading.now - this.#lastUpdateAt;
    this.#lastUpdateAt = reading.now;
    if (reading.now - this.#lastStallAt > CALM_BEFORE_SHRINK_MS) {
      this.#stallMargin = Math.max(0, this.#stallMargin - (SHRINK_PER_SECOND * elapsed) / 1000);
    }
    const target = reading.holdBack + this.#stallMargin;
    const behind = reading.latency - target;
    if (reading.following && isTooFarBehind(behind, elapsed)) {
      this.restart();
      return { rate: 1, target, jump: true };
    }
    if (this.#refilling(reading, target)) return { rate: 0, target, jump: false };
    if (!reading.following) {
      this.#correcting = false;
      return { rate: 1, target, jump: false };
    }
    return { rate: this.#rate(reading, behind), target, jump: false };
  }

  #rate(reading: LatencyReading, behind: number): number {
    this.#correcting = Math.abs(behind) > (this.#correcting ? RELEASE : ENGAGE);
    if (!this.#correcting) return 1;
    // Catching up eats the cushion: not with less than a part in it.
    if (behind > 0 && reading.bufferAhead < (reading.partTarget ?? reading.holdBack / 3)) return 1;
    const rate = 1 + behind * GAIN;
    return Math.round(Math.min(MAX_RATE, Math.max(MIN_RATE, rate)) * 100) / 100;
  }

  #refilling(reading: LatencyReading, target: number): boolean {
    if (this.#refillingSince === null) return false;
    const part = reading.partTarget ?? target / 3;
    const cushion = Math.min(target * 0.6, target - part);
    // Only time with something to play counts against the limit.
    if (reading.bufferAhead < part / 2) this.#refillingSince = reading.now;
    if (reading.bufferAhead >= cushion || reading.now - this.#refillingSince > REFILL_LIMIT_MS) {
      this.#refillingSince = null;
      return false;
    }
    return true;
  }
}

function isTooFarBehind(behind: number, elapsedMs: number): boolean {
  return behind > JUMP_BEHIND || (elapsedMs > SLEEP_MS && behind > JUMP_BEHIND_AFTER_SLEEP);
}
