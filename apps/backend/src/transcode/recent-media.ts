import type { AccessUnit } from "@klieg/media";

export interface RecentMediaLimits {
  readonly bytes: number;
  /** 90 kHz ticks from the oldest to the newest. */
  readonly ticks: number;
}

/** Half a minute of even the richest contribution is no reason to hold on to more. */
const DEFAULT_LIMITS: RecentMediaLimits = { bytes: 48 * 1024 * 1024, ticks: 10 * 90_000 };

/**
 * The newest access units of a source, always beginning with a video keyframe (with any unit where there is no video),
 * so that decoding can begin anew with the first. Holds whole GOPs; beyond its limits it forgets the oldest.
 */
export class RecentMedia {
  readonly #limits: RecentMediaLimits;
  /** Whether video keyframes are what decoding begins with. */
  readonly hasVideo: boolean;
  #units: AccessUnit[] = [];
  /** Where the video keyframes stand in `#units`. */
  #keyframes: number[] = [];
  #bytes = 0;

  constructor(hasVideo: boolean, limits: RecentMediaLimits = DEFAULT_LIMITS) {
    this.hasVideo = hasVideo;
    this.#limits = limits;
  }

  /** Oldest first. */
  get units(): readonly AccessUnit[] {
    return this.#units;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The keyframes held, oldest first. */
  get keyframes(): AccessUnit[] {
    return this.#keyframes.map((i) => this.#units[i] as AccessUnit);
  }

  push(unit: AccessUnit): void {
    const begins = this.#begins(unit);
    if (this.#units.length === 0 && !begins) return;
    if (begins && this.hasVideo) this.#keyframes.push(this.#units.length);
    this.#units.push(unit);
    this.#bytes += unit.data.byteLength;
    while (this.#units.length > 0 && this.#tooMuch(unit.dts)) this.#forgetFirst();
  }

  /** Forgets the GOPs that precede the one in which `pts` is presented: nobody will have to decode them again. */
  forgetBefore(pts: number): void {
    if (!this.hasVideo) {
      while (this.#units.length > 0 && (this.#units[0] as AccessUnit).pts < pts) this.#forget(1);
      return;
    }
    let keep = 0;
    for (const [i, at] of this.#keyframes.entries()) if ((this.#units[at] as AccessUnit).pts <= pts) keep = i;
    if (keep > 0) this.#forget(this.#keyframes[keep] as number);
  }

  /**
   * The units from a keyframe on that is presented after `pts`: the oldest that is not further back than `reach` ticks,
   * else the newest. None where there is no such keyframe.
   */
  after(pts: number, reach: number): readonly AccessUnit[] {
    if (!this.hasVideo) return this.#units;
    const newest = this.#units.at(-1)?.dts ?? 0;
    const unmade = this.#keyframes.filter((i) => (this.#units[i] as AccessUnit).pts > pts);
    const at = unmade.find((i) => newest - (this.#units[i] as AccessUnit).dts <= reach) ?? unmade.at(-1);
    return at === undefined ? [] : this.#units.slice(at);
  }

  clear(): void {
    this.#units = [];
    this.#keyframes = [];
    this.#bytes = 0;
  }

  #begins(unit: AccessUnit): boolean {
    return this.hasVideo ? unit.track.kind === "video" && unit.keyframe : true;
  }

  #tooMuch(newest: number): boolean {
    return this.#bytes > this.#limits.bytes || newest - (this.#units[0] as AccessUnit).dts > this.#limits.ticks;
  }

  #forgetFirst(): void {
    if (!this.hasVideo) this.#forget(1);
    else if (this.#keyframes.length > 1) this.#forget(this.#keyframes[1] as number);
    else this.clear();
  }

  #forget(count: number): void {
    for (let i = 0; i < count; i += 1) this.#bytes -= (this.#units[i] as AccessUnit).data.byteLength;
    this.#units.splice(0, count);
    this.#keyframes = this.#keyframes.map((at) => at - count).filter((at) => at >= 0);
  }
}
