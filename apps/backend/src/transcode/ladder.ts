import type { Rung } from "@klieg/ffmpeg";
import type { VideoTrack } from "@klieg/media";

/** One line of a ladder before a source is known. */
export interface RungSpec {
  /** Pixels of the short side: 720 for 1280x720 and for 720x1280. */
  readonly shortSide: number;
  /** Highest average bit rate, bits/s. */
  readonly bitrate: number;
}

/** What a ladder needs to know of its source. */
export interface LadderSource {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly frameRate: number;
  /** Bits/s where it is known. */
  readonly bitrate?: number | undefined;
  /**
   * Whether browsers play the source as it comes. Where they do not, a rung of the source's own size is wanted too;
   * where they do, it would only be a worse copy.
   */
  readonly playable: boolean;
}

/** TRN1: 2160p to 240p, highest first. */
export const DEFAULT_LADDER: readonly RungSpec[] = [
  { shortSide: 2160, bitrate: 16_000_000 },
  { shortSide: 1440, bitrate: 9_000_000 },
  { shortSide: 1080, bitrate: 6_000_000 },
  { shortSide: 720, bitrate: 3_000_000 },
  { shortSide: 480, bitrate: 1_500_000 },
  { shortSide: 360, bitrate: 800_000 },
  { shortSide: 240, bitrate: 400_000 },
];

/** A ladder setting that cannot be read; the message is for the operator. */
export class LadderSyntaxError extends Error {
  override readonly name = "LadderSyntaxError";
}

/**
 * Reads `auto` (the default ladder), `off` (no rungs), or rungs such as `720p:3000k,480p:1500k` (also `3M`, `2500000`).
 * @returns the rungs, highest first.
 * @throws {LadderSyntaxError}
 */
export function parseLadder(text: string): readonly RungSpec[] {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "auto") return DEFAULT_LADDER;
  if (trimmed === "off") return [];
  const rungs = trimmed.split(",").map(parseRung);
  rungs.sort((a, b) => b.shortSide - a.shortSide);
  if (rungs.length > MAX_RUNGS) throw new LadderSyntaxError(`a ladder has at most ${MAX_RUNGS} rungs`);
  for (const [i, rung] of rungs.entries()) {
    const below = rungs[i + 1];
    if (below === undefined) continue;
    if (below.shortSide === rung.shortSide) throw new LadderSyntaxError(`${rung.shortSide}p is there twice`);
    if (below.bitrate >= rung.bitrate) {
      throw new LadderSyntaxError(`${below.shortSide}p must have a lower bit rate than ${rung.shortSide}p`);
    }
  }
  return rungs;
}

const MAX_RUNGS = 8;
const MAX_SHORT_SIDE = 4320;
const MIN_SHORT_SIDE = 64;
const MAX_BITRATE = 100_000_000;
const MIN_BITRATE = 50_000;

function parseRung(text: string): RungSpec {
  const match = /^\s*(\d{2,4})p\s*:\s*(\d{1,9}(?:\.\d{1,3})?)\s*([km]?)\s*$/.exec(text);
  if (match === null) throw new LadderSyntaxError(`"${text.trim()}" is no rung; one looks like 720p:3000k`);
  const shortSide = Number(match[1]);
  const bitrate = Math.round(Number(match[2]) * (match[3] === "m" ? 1e6 : match[3] === "k" ? 1e3 : 1));
  if (shortSide < MIN_SHORT_SIDE || shortSide > MAX_SHORT_SIDE || shortSide % 2 !== 0) {
    throw new LadderSyntaxError(
      `${shortSide}p: the height must be even, from ${MIN_SHORT_SIDE} to ${MAX_SHORT_SIDE} lines`,
    );
  }
  if (bitrate < MIN_BITRATE || bitrate > MAX_BITRATE) {
    throw new LadderSyntaxError(`${shortSide}p: the bit rate must lie between 50k and 100M`);
  }
  return { shortSide, bitrate };
}

/** A rung of over nine tenths of the source's size gives nothing that the source does not. */
const NEXT_BELOW_SOURCE = 0.9;
/** From this short side on, 50 and 60 frames a second are kept; below, they are halved. */
const HIGH_FRAME_RATE_FROM = 720;
/** Bit rate grows more slowly than the number of pixels. */
const BITRATE_PER_PIXELS_EXPONENT = 0.75;
/** No encoder here takes less. */
const SMALLEST_SIDE = 32;

/**
 * Every rung of `specs` that suits the source, highest first, as though the machine had no limits.
 *
 * Never larger than the source; even dimensions; the source's aspect ratio and orientation. 50 and 60 frames a second
 * stay from 720p on and are halved below, where the bits are better spent on each frame and a small machine's time
 * counts most; keyframes stay at the source's in any case. Where the source's bit rate is known, no rung is given more
 * than its share of it.
 */
export function fitLadder(specs: readonly RungSpec[], source: LadderSource): Rung[] {
  const short = Math.min(source.width, source.height);
  const rungs: Rung[] = [];
  if (specs.length === 0) return rungs;
  if (!source.playable) {
    const own = fitRung({ shortSide: short, bitrate: bitrateFor(specs, short) }, source);
    if (own !== undefined) rungs.push(own);
  }
  for (const spec of specs) {
    if (spec.shortSide > short * NEXT_BELOW_SOURCE) continue;
    const rung = fitRung(spec, source);
    const above = rungs.at(-1);
    if (rung === undefined || (above !== undefined && rung.bitrate >= above.bitrate)) continue;
    rungs.push(rung);
  }
  return rungs;
}

function fitRung(spec: RungSpec, source: LadderSource): Rung | undefined {
  const short = Math.min(source.width, source.height);
  const long = Math.max(source.width, source.height);
  const fittedShort = even(Math.min(spec.shortSide, short), short);
  const fittedLong = even((long * fittedShort) / short, long);
  if (fittedShort < SMALLEST_SIDE) return undefined;
  const landscape = source.width >= source.height;
  const divisor = frameRateDivisor(source.frameRate, spec.shortSide);
  const frameRate = source.frameRate / divisor;
  let { bitrate } = spec;
  if (source.bitrate !== undefined && source.bitrate > 0) {
    const share = (fittedShort * fittedLong * frameRate) / (short * long * source.frameRate);
    const cap = source.bitrate * share ** BITRATE_PER_PIXELS_EXPONENT;
    bitrate = Math.max(MIN_BITRATE, Math.min(bitrate, Math.round(cap / 1000) * 1000));
  }
  return {
    name: `${spec.shortSide}p`,
    width: landscape ? fittedLong : fittedShort,
    height: landscape ? fittedShort : fittedLong,
    frameRate,
    frameRateDivisor: divisor,
    bitrate,
  };
}

/** The nearest even number that does not pass `limit`. */
function even(value: number, limit: number): number {
  const rounded = Math.round(value / 2) * 2;
  return rounded > limit ? rounded - 2 : rounded;
}

function frameRateDivisor(frameRate: number, shortSide: number): number {
  const high = Math.max(1, Math.round(frameRate / 60));
  if (shortSide >= HIGH_FRAME_RATE_FROM) return high;
  // A multiple: a rung is made of the frames of the rung above it.
  return high * Math.max(1, Math.round(frameRate / high / 30));
}

/** Bits/s for a short side between those of the specs, on a straight line; scaled by area beyond them. */
function bitrateFor(specs: readonly RungSpec[], shortSide: number): number {
  const sorted = specs.toSorted((a, b) => a.shortSide - b.shortSide);
  const above = sorted.find((spec) => spec.shortSide >= shortSide);
  const below = sorted.findLast((spec) => spec.shortSide <= shortSide);
  if (above !== undefined && below !== undefined) {
    if (above.shortSide === below.shortSide) return above.bitrate;
    const way = (shortSide - below.shortSide) / (above.shortSide - below.shortSide);
    return Math.round(below.bitrate + way * (above.bitrate - below.bitrate));
  }
  const nearest = (above ?? below) as RungSpec;
  const scaled = nearest.bitrate * ((shortSide / nearest.shortSide) ** 2) ** BITRATE_PER_PIXELS_EXPONENT;
  return Math.round(Math.min(MAX_BITRATE, Math.max(MIN_BITRATE, scaled)));
}

/** H.264 profiles of 4:2:0 and 8 bits: profile_idc of Baseline, Main, Extended and High. */
const PLAYED_H264_PROFILES = new Set([66, 77, 88, 100]);

/**
 * Whether every browser that plays HLS plays this track: H.264 of 8 bits and 4:2:0. HEVC and AV1 depend on the
 * viewer's hardware and system.
 */
export function playedByBrowsers(track: VideoTrack): boolean {
  if (track.codec !== "h264") return false;
  return PLAYED_H264_PROFILES.has(Number.parseInt(track.codecString.slice(5, 7), 16));
}

/** Whether any browser plays this track in CMAF (fragmented MP4). VP8 they play in WebM and over WebRTC only. */
export function canBePackaged(track: VideoTrack): boolean {
  return track.codec !== "vp8";
}
