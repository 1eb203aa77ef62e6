import type { FfmpegBinary, Rung, VideoEncoder } from "@klieg/ffmpeg";
import type { AudioTrack, VideoCodec, VideoTrack } from "@klieg/media";
import { DEFAULT_LADDER, fitLadder, playedByBrowsers, type RungSpec } from "./ladder.ts";
import { chooseLadder, type LadderChoice, ladderCost } from "./ladder-choice.ts";
import type { TranscodedRendition } from "./rendition-stitcher.ts";
import type { RunPlan } from "./transcode-run.ts";

export interface PlanInput {
  readonly binary: FfmpegBinary;
  readonly encoder: VideoEncoder;
  readonly ladder: readonly RungSpec[];
  readonly video: { readonly track: VideoTrack; readonly frameRate: number } | undefined;
  /** Seconds from one keyframe to the next; undefined: where the source has its own. */
  readonly keyframeSeconds?: number | undefined;
  readonly audio: AudioTrack | undefined;
  /** Processor cores that there are for it. */
  readonly cores: number;
  readonly pixelsPerCoreSecond: number;
  /** So many of the highest rungs have proved too much. */
  readonly shed: number;
}

export interface PlanResult {
  /** Undefined where there is nothing to make. */
  readonly plan: RunPlan | undefined;
  /** Cores that it keeps busy, estimated. */
  readonly cost: number;
  /** Rungs that the machine has no room for. */
  readonly leftOut: readonly string[];
  /** Why less is made than was asked for, or nothing; in words. */
  readonly problem: string | undefined;
  /** Whether it is a failure, and not merely a small machine. */
  readonly failed: boolean;
}

/** Decoders that do for a codec, as FFmpeg names them; its own `av1` only drives hardware. */
const DECODERS: Record<VideoCodec, readonly string[]> = {
  h264: ["h264"],
  hevc: ["hevc"],
  av1: ["libdav1d", "libaom-av1", "libgav1"],
  vp8: ["vp8", "libvpx"],
  vp9: ["vp9", "libvpx-vp9"],
};

const BITS_PER_CHANNEL = 64_000;
const MAX_CHANNELS = 2;
/** Opus is always 48 kHz, whatever was encoded. */
const OPUS_RATE = 48_000;

/** Decides what to make of a source's tracks. */
export function makePlan(input: PlanInput): PlanResult {
  const { audio: track } = input;
  const audio =
    track === undefined || track.codec === "aac"
      ? undefined
      : {
          track,
          codec: "aac" as const,
          channels: Math.min(track.channels, MAX_CHANNELS),
          bitrate: Math.min(track.channels, MAX_CHANNELS) * BITS_PER_CHANNEL,
          sampleRate: track.codec === "opus" ? OPUS_RATE : track.sampleRate,
        };
  const video = planVideo(input);
  const { keyframeSeconds } = input;
  const made = { video: video.plan, audio, ...(keyframeSeconds === undefined ? {} : { keyframeSeconds }) };
  const plan = video.plan === undefined && audio === undefined ? undefined : made;
  return { ...video, plan };
}

function planVideo(input: PlanInput): Omit<PlanResult, "plan"> & { readonly plan: RunPlan["video"] } {
  const { video, encoder, binary } = input;
  const nothing = { plan: undefined, cost: 0, leftOut: [], problem: undefined, failed: false };
  if (video === undefined || input.ladder.length === 0) return nothing;
  const { track, frameRate } = video;
  if (!canDecode(binary, track.codec)) {
    return { ...nothing, problem: `this FFmpeg (${binary.version}) cannot decode ${track.codec}`, failed: true };
  }
  const source = { ...sizeOf(track), frameRate, codec: track.codec, playable: playedByBrowsers(track) };
  const offered = fitLadder(input.ladder, source);
  if (offered.length === 0) return nothing;
  const capacity = {
    cores: input.cores,
    pixelsPerCoreSecond: input.pixelsPerCoreSecond,
    hardware: encoder.hardware,
  };
  // What the operator has listed is made, whatever it costs; the default is a proposal.
  const choice: LadderChoice =
    input.ladder === DEFAULT_LADDER
      ? chooseLadder(offered, source, capacity)
      : {
          rungs: offered,
          preset: ladderCost(offered, source, capacity, "veryfast") <= input.cores ? "veryfast" : "superfast",
          cost: 0,
          leftOut: [],
        };
  let rungs = choice.rungs.slice(input.shed);
  // What cannot be watched otherwise is made, however small, whatever the machine.
  if (rungs.length === 0 && input.keyframeSeconds !== undefined) rungs = offered.slice(-1);
  if (rungs.length === 0) {
    const problem = input.shed > 0 ? "the machine is too slow to transcode" : "the machine has no room to transcode";
    return { ...nothing, leftOut: choice.leftOut, problem };
  }
  return {
    ...nothing,
    plan: { track, frameRate, rungs, encoder, preset: choice.preset },
    cost: ladderCost(rungs, source, capacity, choice.preset),
    leftOut: choice.leftOut,
  };
}

/** Whether an FFmpeg has a decoder that does for a codec. */
export function canDecode(binary: FfmpegBinary, codec: VideoCodec): boolean {
  return DECODERS[codec].some((name) => binary.decoders.has(name));
}

function sizeOf({ width, height }: VideoTrack): { width: number; height: number } {
  return { width, height };
}

/** The renditions that a plan makes, highest first, audio last. */
export function planRenditions(plan: RunPlan): TranscodedRendition[] {
  const renditions: TranscodedRendition[] = [];
  for (const rung of plan.video?.rungs ?? []) {
    const encoder = plan.video?.encoder.name ?? "";
    renditions.push({ name: rung.name, kind: "video", encoder, bitrate: rung.bitrate, rung });
  }
  if (plan.audio !== undefined) {
    const { bitrate } = plan.audio;
    renditions.push({ name: "audio", kind: "audio", encoder: "aac", bitrate, rung: undefined });
  }
  return renditions;
}

/**
 * Whether all that `plan` makes of video, `last` made just so: what the one makes can then follow on what the other made
 * anywhere in a GOP.
 */
export function continues(plan: RunPlan, last: RunPlan): boolean {
  const { video } = plan;
  const before = last.video;
  if (video === undefined || before === undefined) return false;
  if (video.encoder !== before.encoder || video.preset !== before.preset) return false;
  if (plan.keyframeSeconds !== last.keyframeSeconds) return false;
  return video.rungs.every((rung) => before.rungs.some((known) => sameRung(rung, known)));
}

function sameRung(a: Rung, b: Rung): boolean {
  return (
    a.name === b.name &&
    a.width === b.width &&
    a.height === b.height &&
    a.frameRate === b.frameRate &&
    a.bitrate === b.bitrate
  );
}

/**
 * How many of a plan's highest rungs have to go so that the rest costs no more than `part` of the whole; at least one.
 */
export function rungsToShed(video: NonNullable<RunPlan["video"]>, part: number): number {
  const { track, frameRate, encoder, preset, rungs } = video;
  const source = { ...sizeOf(track), frameRate, codec: track.codec, playable: true };
  const cost = (left: readonly Rung[]) =>
    ladderCost(left, source, { pixelsPerCoreSecond: 1, hardware: encoder.hardware }, preset);
  const room = cost(rungs) * part;
  for (let shed = 1; shed < rungs.length; shed += 1) if (cost(rungs.slice(shed)) <= room) return shed;
  // By reckoning alone the lowest is not given up: that takes having tried.
  return Math.max(1, rungs.length - 1);
}
