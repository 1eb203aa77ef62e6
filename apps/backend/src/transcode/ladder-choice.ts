import type { EncodePreset, Rung } from "@klieg/ffmpeg";
import type { VideoCodec } from "@klieg/media";
import type { LadderSource } from "./ladder.ts";

/** What the machine can do. */
export interface EncodeCapacity {
  /** Processor cores that this ladder may keep busy, fractional. */
  readonly cores: number;
  /** Pixels a second that one core encodes with the software encoder at `veryfast`. */
  readonly pixelsPerCoreSecond: number;
  /** Whether a hardware encoder does the encoding. */
  readonly hardware: boolean;
}

export interface LadderChoice {
  /** Highest first; a subset of what was offered. */
  readonly rungs: readonly Rung[];
  readonly preset: EncodePreset;
  /** Cores that the rungs keep busy, estimated. */
  readonly cost: number;
  /** Names of the rungs that the machine has no room for. */
  readonly leftOut: readonly string[];
}

/** Speeds as multiples of software encoding at `veryfast`, measured with FFmpeg 5.1 on x86-64 at 1080p. */
const DECODE_SPEED: Record<VideoCodec, number> = { h264: 5, hevc: 4, av1: 3, vp9: 4, vp8: 5 };
const SCALE_SPEED = 25;
/** A frame on its way to a hardware encoder is only converted and copied. */
const HARDWARE_SPEED = 25;
const PRESETS: readonly { readonly name: EncodePreset; readonly speed: number; readonly efficiency: number }[] = [
  { name: "veryfast", speed: 1, efficiency: 1 },
  // About a sixth more bits for the same picture.
  { name: "superfast", speed: 1.6, efficiency: 0.85 },
];

/**
 * Cores that decoding the source once and making `rungs` of it keep busy. Each rung is scaled from the one above it.
 */
export function ladderCost(
  rungs: readonly Rung[],
  source: LadderSource & { readonly codec: VideoCodec },
  capacity: Pick<EncodeCapacity, "pixelsPerCoreSecond" | "hardware">,
  preset: EncodePreset,
): number {
  if (rungs.length === 0) return 0;
  const encodeSpeed = capacity.hardware ? HARDWARE_SPEED : (PRESETS.find(({ name }) => name === preset)?.speed ?? 1);
  let work = (source.width * source.height * source.frameRate) / DECODE_SPEED[source.codec];
  let above = source.width * source.height;
  for (const rung of rungs) {
    const pixels = rung.width * rung.height;
    work += ((above + pixels) * rung.frameRate) / SCALE_SPEED;
    work += (pixels * rung.frameRate) / encodeSpeed;
    above = pixels;
  }
  return work / capacity.pixelsPerCoreSecond;
}

/**
 * The rungs of `offered` that serve viewers best within the machine's capacity: among all subsets that fit, the one
 * that gives viewers, whose bandwidths are spread evenly over a logarithmic scale, the most (logarithmic) bit rate
 * beside the source. A machine with room for everything makes everything.
 * @param offered highest first, as {@link fitLadder} gives them; at most eight or so (every subset is looked at).
 */
export function chooseLadder(
  offered: readonly Rung[],
  source: LadderSource & { readonly codec: VideoCodec },
  capacity: EncodeCapacity,
): LadderChoice {
  let best: LadderChoice = { rungs: [], preset: "veryfast", cost: 0, leftOut: offered.map(({ name }) => name) };
  let bestServed = served([], source, 1);
  const presets = capacity.hardware ? PRESETS.slice(0, 1) : PRESETS;
  for (const preset of presets) {
    for (let subset = 1; subset < 1 << offered.length; subset += 1) {
      const rungs = offered.filter((_, i) => (subset & (1 << i)) !== 0);
      const cost = ladderCost(rungs, source, capacity, preset.name);
      if (cost > capacity.cores) continue;
      const value = served(rungs, source, preset.efficiency);
      if (value <= bestServed + 1e-9) continue;
      bestServed = value;
      const leftOut = offered.filter((rung) => !rungs.includes(rung)).map(({ name }) => name);
      best = { rungs, preset: preset.name, cost, leftOut };
    }
  }
  return best;
}

const SLOWEST_VIEWER = 300_000;
const FASTEST_VIEWER = 20_000_000;
const VIEWERS = 32;
/** A player wants this much more bandwidth than a rendition's bit rate. */
const HEADROOM = 1.25;
/** What a bit rate is measured against: one so low that it is worth nothing. */
const WORTHLESS = 100_000;

/** Mean over viewers of the logarithm of the best bit rate that each can take. */
function served(rungs: readonly Rung[], source: LadderSource, efficiency: number): number {
  const sourceBitrate = source.bitrate ?? estimatedBitrate(source);
  let sum = 0;
  for (let i = 0; i < VIEWERS; i += 1) {
    const bandwidth = SLOWEST_VIEWER * (FASTEST_VIEWER / SLOWEST_VIEWER) ** ((i + 0.5) / VIEWERS);
    let worth = 0;
    if (source.playable && sourceBitrate * HEADROOM <= bandwidth) worth = Math.log2(sourceBitrate / WORTHLESS);
    for (const rung of rungs) {
      if (rung.bitrate * HEADROOM > bandwidth) continue;
      worth = Math.max(worth, Math.log2((rung.bitrate * efficiency) / WORTHLESS));
    }
    sum += worth;
  }
  return sum / VIEWERS;
}

/** What encoders usually send for a size: about 0.1 bits a pixel at 30 frames a second, less for each in large pictures. */
function estimatedBitrate(source: LadderSource): number {
  const pixels = source.width * source.height * Math.min(source.frameRate, 60);
  return 3_500_000 * (pixels / (1280 * 720 * 30)) ** 0.75;
}
