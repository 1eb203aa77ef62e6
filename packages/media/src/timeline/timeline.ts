import type { Clock } from "@klieg/base";
import { type AccessUnit, TICKS_PER_SECOND } from "../access-unit.ts";
import { centredModulo } from "./wrap.ts";

/** 32-bit milliseconds, as in RTMP, in ticks. */
export const RTMP_WRAP_TICKS = 2 ** 32 * 90;
/** 33-bit ticks, as in MPEG-TS. */
export const MPEGTS_WRAP_TICKS = 2 ** 33;

/** What a new source brings with it. */
export interface TimelineSource {
  /** Where the source's time stamps wrap to zero, ticks; `undefined` when they do not. */
  readonly wrapTicks: number | undefined;
}

/** What a timeline had to mend so far. */
export interface TimelineCounts {
  /** Access units whose `dts` did not run forward and was set one tick after the one before. */
  readonly clamped: number;
  /** Access units whose `pts` preceded their `dts`, or followed it absurdly late, and was set to it. */
  readonly presentationMended: number;
  /** Times that the source's time stamps jumped. Changes of source are not among them. */
  readonly jumps: number;
}

const MS = TICKS_PER_SECOND / 1000;
/** Where the first access unit of a stream is put: another track's first may be as much earlier. */
const HEADROOM = 10 * TICKS_PER_SECOND;
/** A time stamp that gets so much further ahead of the wall clock than any before it has jumped. */
const FORWARD_JUMP = 3 * TICKS_PER_SECOND;
/** One that falls so far behind the one before has jumped. */
const BACKWARD_JUMP = 1 * TICKS_PER_SECOND;
/** After so many in a row that came too early, the source's clock was set back by less than a jump: that is one too. */
const MAX_EARLY_IN_A_ROW = 10;
/** What is earlier than the one before by less than this has jitter, or shares its time stamp with others. */
const EARLY = 0.02 * TICKS_PER_SECOND;
/** How far a track may be from the others to be taken to have the same zero as they. */
const SAME_ZERO = 10 * TICKS_PER_SECOND;
/** Put between what was before a jump and what comes after it: another track's first access unit may be a little earlier. */
const JUMP_MARGIN = 0.2 * TICKS_PER_SECOND;
/** A track that has not jumped so long after another did is told of the discontinuity all the same. */
const JUMP_GRACE_MS = 3000;
/** No frame waits longer than this for those that are shown before it. */
const MAX_PRESENTATION_DELAY = 10 * TICKS_PER_SECOND;

/** Time stamps of the source that share one zero. */
interface Epoch {
  /** Stream ticks = source ticks + offset. */
  readonly offset: number;
  lastRaw: number;
  lastDts: number;
}

interface TrackState {
  /** Of the present source; `undefined` before the track's first access unit from it. */
  epoch: Epoch | undefined;
  lastRaw: number;
  /** Most that the source's ticks were ahead of the wall clock (both from arbitrary zeros). */
  maxLead: number;
  lastDts: number | undefined;
  earlyInARow: number;
  /** Tell of the discontinuity at the latest when the clock says so, ms; `undefined` when there is none to tell. */
  owesDiscontinuity: number | undefined;
}

/**
 * Maps a source's time stamps to one timeline per stream: 90 kHz ticks that never run backwards within a track, anchored to the
 * wall clock, across wrapping, jumps and changes of source.
 *
 * Continuous input gives continuous output, tick for tick: nothing is smoothed or resampled, and nothing drifts. A jump (more
 * than 3 s ahead of the wall clock, more than 1 s back) puts the source's zero anew so that the media goes on at the wall clock's
 * position; all tracks that jump along share the new zero, so they stay in step with each other.
 */
export class Timeline {
  readonly #clock: Clock;
  readonly #tracks = new Map<string, TrackState>();
  #source: TimelineSource;
  #anchor: { readonly nowMs: number; readonly wallMs: number } | undefined;
  #epoch: Epoch | undefined;
  #clamped = 0;
  #presentationMended = 0;
  #jumps = 0;

  constructor(clock: Clock, source: TimelineSource = { wrapTicks: undefined }) {
    this.#clock = clock;
    this.#source = source;
  }

  get counts(): TimelineCounts {
    return { clamped: this.#clamped, presentationMended: this.#presentationMended, jumps: this.#jumps };
  }

  /** Unix time, ms, of a position; the anchor is the arrival of the stream's first access unit. `undefined` before that. */
  wallAt(ticks: number): number | undefined {
    return this.#anchor === undefined ? undefined : this.#anchor.wallMs + (ticks - HEADROOM) / MS;
  }

  /** The wall clock's position on the timeline, ticks. `undefined` before the first access unit. */
  get position(): number | undefined {
    if (this.#anchor === undefined) return undefined;
    return HEADROOM + Math.round((this.#clock.now() - this.#anchor.nowMs) * MS);
  }

  /**
   * A new source takes over the stream (an encoder that reconnected): its time stamps have nothing to do with those before.
   * They go on at the wall clock's position, after all that was; the first access unit of each track is marked as a discontinuity.
   */
  rebase(source: TimelineSource = this.#source): void {
    this.#source = source;
    this.#epoch = undefined;
    for (const track of this.#tracks.values()) {
      track.epoch = undefined;
      track.earlyInARow = 0;
      track.owesDiscontinuity = track.lastDts === undefined ? undefined : 0;
    }
  }

  /** The access unit as it stands on the stream's timeline. `unit.dts` and `unit.pts` are the source's, in ticks. */
  map(unit: AccessUnit): AccessUnit {
    const nowMs = this.#clock.now();
    this.#anchor ??= { nowMs, wallMs: this.#clock.wall() };
    const track = this.#trackState(unit);
    const raw = this.#place(track, unit.dts, nowMs);
    const epoch = track.epoch as Epoch;

    let dts = Math.round(raw + epoch.offset);
    if (track.lastDts !== undefined && dts <= track.lastDts) {
      track.earlyInARow = track.lastDts - dts > EARLY ? track.earlyInARow + 1 : 0;
      dts = track.lastDts + 1;
      this.#clamped += 1;
    } else {
      track.earlyInARow = 0;
    }
    track.lastRaw = raw;
    track.lastDts = dts;
    track.maxLead = Math.max(track.maxLead, raw - nowMs * MS);
    if (dts > epoch.lastDts) {
      epoch.lastDts = dts;
      epoch.lastRaw = raw;
    }

    const pts = dts + this.#presentationDelay(unit);
    const { keyframe, data } = unit;
    const discontinuity = track.owesDiscontinuity !== undefined && nowMs >= track.owesDiscontinuity;
    if (!discontinuity) return { track: unit.track, dts, pts, keyframe, data };
    track.owesDiscontinuity = undefined;
    return { track: unit.track, dts, pts, keyframe, data, discontinuity };
  }

  /** Finds the epoch that the time stamp belongs to, makes one where there is none; returns the time stamp unwrapped. */
  #place(track: TrackState, dts: number, nowMs: number): number {
    if (track.epoch !== undefined) {
      const raw = this.#unwrap(dts, track.lastRaw);
      if (!hasJumped(track, raw, nowMs)) return raw;
    }
    const isNew = track.epoch === undefined;
    const shared = this.#epoch;
    if (shared !== undefined && shared !== track.epoch) {
      const raw = this.#unwrap(dts, shared.lastRaw);
      const placed = raw + shared.offset;
      if (placed >= 0 && Math.abs(placed - shared.lastDts) <= SAME_ZERO) {
        this.#enter(track, shared, raw, nowMs);
        if (!isNew) track.owesDiscontinuity = 0;
        return raw;
      }
    }
    // Without a jump, and with others there that have another zero: this track's zero is its own and concerns nobody else.
    const isPrivate = isNew && shared !== undefined;
    const epoch = this.#newEpoch(dts, isPrivate ? track.lastDts : this.#lastDts());
    if (!isPrivate) this.#epoch = epoch;
    if (!isNew) {
      this.#jumps += 1;
      for (const other of this.#tracks.values()) {
        if (other.epoch !== undefined) other.owesDiscontinuity ??= nowMs + JUMP_GRACE_MS;
      }
      track.owesDiscontinuity = 0;
    }
    this.#enter(track, epoch, dts, nowMs);
    return dts;
  }

  #enter(track: TrackState, epoch: Epoch, raw: number, nowMs: number): void {
    track.epoch = epoch;
    track.lastRaw = raw;
    track.maxLead = raw - nowMs * MS;
    track.earlyInARow = 0;
  }

  /** An epoch that puts `raw` at the wall clock's position, after `lastDts`. */
  #newEpoch(raw: number, lastDts: number | undefined): Epoch {
    const wall = this.position as number;
    const start = lastDts === undefined ? wall : Math.max(wall, lastDts + JUMP_MARGIN);
    return { offset: start - raw, lastRaw: raw, lastDts: start };
  }

  #lastDts(): number | undefined {
    let last: number | undefined;
    for (const { lastDts } of this.#tracks.values()) {
      if (lastDts !== undefined && (last === undefined || lastDts > last)) last = lastDts;
    }
    return last;
  }

  #unwrap(raw: number, near: number): number {
    const { wrapTicks } = this.#source;
    return wrapTicks === undefined ? raw : near + centredModulo(raw - near, wrapTicks);
  }

  #presentationDelay(unit: AccessUnit): number {
    const { wrapTicks } = this.#source;
    const difference = unit.pts - unit.dts;
    const delay = Math.round(wrapTicks === undefined ? difference : centredModulo(difference, wrapTicks));
    if (delay >= 0 && delay <= MAX_PRESENTATION_DELAY) return delay;
    this.#presentationMended += 1;
    return 0;
  }

  #trackState(unit: AccessUnit): TrackState {
    const key = `${unit.track.kind} ${unit.track.id}`;
    let track = this.#tracks.get(key);
    if (track === undefined) {
      track = {
        epoch: undefined,
        lastRaw: 0,
        maxLead: 0,
        lastDts: undefined,
        earlyInARow: 0,
        owesDiscontinuity: undefined,
      };
      this.#tracks.set(key, track);
    }
    return track;
  }
}

function hasJumped(track: TrackState, raw: number, nowMs: number): boolean {
  if (raw - track.lastRaw < -BACKWARD_JUMP) return true;
  if (track.earlyInARow >= MAX_EARLY_IN_A_ROW) return true;
  return raw > track.lastRaw && raw - nowMs * MS - track.maxLead > FORWARD_JUMP;
}
