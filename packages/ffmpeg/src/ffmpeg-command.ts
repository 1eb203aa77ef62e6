import type { VideoCodec } from "@klieg/media";
import ffmpeg from "fluent-ffmpeg";
import { type FfmpegBinary, isAtLeast } from "./ffmpeg-binary.ts";
import type { Rung } from "./rung.ts";
import type { EncodePreset } from "./video-encoder.ts";
import {
  constrainedBaselineOptions,
  decimal,
  deviceOptions,
  encodeOptions,
  type Filter,
  inputFilters,
  type VideoEncoder,
} from "./video-encoder.ts";

/** Video of a transcode: one source track decoded once, and the rungs made of it. */
export interface VideoPlan {
  readonly codec: VideoCodec;
  /** Pixels a second of the source: how many threads decoding needs. */
  readonly pixelRate: number;
  /** Highest first; at least one. */
  readonly rungs: readonly Rung[];
  readonly encoder: VideoEncoder;
  readonly preset: EncodePreset;
  /**
   * 90 kHz ticks as FFmpeg sees them: frames before are decoded and thrown away, so that a run that takes over in mid-GOP
   * begins with the first frame that nobody has made yet.
   */
  readonly firstPts?: number | undefined;
  /** Where keyframes are made: where the source has its own, or so many seconds apart. Default `source`. */
  readonly keyframes?: "source" | number | undefined;
  /** Whether only what every WebRTC peer decodes is used (RFC 7742 § 6.2): H.264 constrained baseline. */
  readonly constrainedBaseline?: boolean | undefined;
}

/** Audio of a transcode: one source track made into AAC or Opus. */
export interface AudioPlan {
  readonly codec: "aac" | "opus";
  /** Bits/s. */
  readonly bitrate: number;
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
}

export interface TranscodePlan {
  readonly video?: VideoPlan | undefined;
  readonly audio?: AudioPlan | undefined;
}

/** The form in which one of FFmpeg's inputs is written. */
export interface TranscodeInput {
  readonly format: "mpegts" | "mp4";
  /** File descriptor that FFmpeg reads. */
  readonly fd: number;
  /** What the input carries. */
  readonly carries: readonly ("video" | "audio")[];
  /** Bytes that FFmpeg looks at before it begins to decode: the first few frames, or the 2018 FFmpeg loses a GOP. */
  readonly probeBytes: number;
}

/** PID of the highest rung in FFmpeg's output; the others follow. */
export const FIRST_VIDEO_PID = 0x100;
/** PID of the AAC track in FFmpeg's output. */
export const AUDIO_PID = 0x1f0;

/** From this rate on one core cannot be sure to decode in time; the second thread costs a frame of latency. */
const MANY_PIXELS = 150e6;
/** Slices of a frame are encoded side by side, which adds no latency, but costs some bits each. */
const LINES_PER_SLICE = 180;
const MAX_SLICES = 4;
/** What browsers send and expect; longer frames would be late by themselves. */
const OPUS_FRAME_MS = 20;
/** How long the muxer waits for sound that has stopped, and for a picture that is late, µs. */
const SOUND_LIMIT = 200_000;
const PICTURE_LIMIT = 2_000_000;

/**
 * Arguments for FFmpeg: the source in, one MPEG-TS out on standard output, each rendition on its PID, every frame with
 * the very timestamp it came with, and keyframes where the source has its own.
 * @param cores that there are.
 */
export function transcodeArguments(
  binary: FfmpegBinary,
  plan: TranscodePlan,
  inputs: readonly TranscodeInput[],
  cores: number,
): string[] {
  const { video, audio } = plan;
  const command = ffmpeg();
  for (const [i, input] of inputs.entries()) {
    const options = i === 0 ? ["-hide_banner", "-nostdin", "-loglevel", "level+warning", "-copyts"] : [];
    if (i === 0 && video !== undefined) options.push(...deviceOptions(video.encoder));
    if (input.carries.includes("video") && video !== undefined) options.push(...decoderOptions(video, cores));
    options.push("-probesize", `${input.probeBytes}`, "-fpsprobesize", "0");
    command.input(`pipe:${input.fd}`).inputFormat(input.format).inputOptions(options);
  }
  command.output("pipe:1").format("mpegts");
  if (video !== undefined) {
    const source = inputs.findIndex(({ carries }) => carries.includes("video"));
    const { keyframes = "source" } = video;
    const forceKeyframes = keyframes === "source" ? keyframes : `expr:gte(t,n_forced*${decimal(keyframes)})`;
    addRungs(command, video, { binary, source: `${source}:v:0`, forceKeyframes, cores });
    if (video.constrainedBaseline === true) command.outputOptions(constrainedBaselineOptions(video.encoder));
  } else {
    command.noVideo();
  }
  if (audio !== undefined) {
    const source = inputs.findIndex(({ carries }) => carries.includes("audio"));
    command.outputOptions("-map", `${source}:a:0`);
    command
      .audioCodec(audio.codec === "opus" ? "libopus" : "aac")
      .audioBitrate(audio.bitrate / 1000)
      .audioChannels(audio.channels);
    if (audio.codec === "opus") command.outputOptions(["-frame_duration", `${OPUS_FRAME_MS}`]);
    // Holes in the source are filled with silence: an encoder fed without them would run ahead of the picture.
    command.audioFrequency(audio.sampleRate).audioFilters("aresample=async=1:min_hard_comp=0.1");
  } else {
    command.noAudio();
  }
  command.outputOptions(transportStreamOptions(video?.rungs.length ?? 0, audio !== undefined));
  return builtArguments(command);
}

/** Seconds of the test picture that {@link trialArguments} encodes. */
export const TRIAL_SECONDS = 1;
/** Frames a second of the test picture. */
export const TRIAL_FRAME_RATE = 30;
/** Seconds between the keyframes that are asked for. */
export const TRIAL_KEYFRAME_SECONDS = 0.5;

/**
 * Arguments that encode a moving test picture just as a transcode would, but for where its frames and keyframes come
 * from.
 */
export function trialArguments(
  binary: FfmpegBinary,
  encoder: VideoEncoder,
  rungs: readonly Rung[],
  cores: number,
): string[] {
  const video: VideoPlan = { codec: "h264", pixelRate: 0, rungs, encoder, preset: "veryfast" };
  const command = ffmpeg()
    .input(testPicture(640, 360, TRIAL_SECONDS))
    .inputFormat("lavfi")
    .inputOptions(["-hide_banner", "-nostdin", "-loglevel", "level+warning", ...deviceOptions(encoder)]);
  command.output("pipe:1").format("mpegts").noAudio();
  const forceKeyframes = `expr:gte(t,n_forced*${TRIAL_KEYFRAME_SECONDS})`;
  addRungs(command, video, { binary, source: "0:v:0", forceKeyframes, cores });
  command.outputOptions(transportStreamOptions(rungs.length, false));
  return builtArguments(command);
}

/** Arguments that time software encoding: one rung on one thread, made for nothing. FFmpeg reports the time on stderr. */
export function benchmarkArguments(encoder: VideoEncoder, rung: Rung, seconds: number): string[] {
  const command = ffmpeg()
    .input(testPicture(rung.width, rung.height, seconds))
    .inputFormat("lavfi")
    .inputOptions(["-hide_banner", "-nostdin", "-loglevel", "info", "-benchmark"]);
  command.output("-").format("null").noAudio();
  command.outputOptions(encodeOptions(encoder, [rung], { preset: "veryfast", threads: () => 1 }));
  return builtArguments(command);
}

/**
 * Arguments that encode a moving test picture as fast as it goes, for nothing, with all the threads that a program would have.
 * FFmpeg reports the time on stderr.
 */
export function speedTestArguments(encoder: VideoEncoder, rung: Rung, seconds: number, cores: number): string[] {
  const command = ffmpeg()
    .input(`testsrc2=size=${rung.width}x${rung.height}:rate=${decimal(rung.frameRate)}:duration=${seconds}`)
    .inputFormat("lavfi")
    .inputOptions(["-hide_banner", "-nostdin", "-loglevel", "info", "-benchmark", ...deviceOptions(encoder)]);
  command.output("-").format("null").noAudio();
  const filters = inputFilters(encoder).map(({ filter, options }) =>
    options === undefined ? filter : `${filter}=${options as string}`,
  );
  if (filters.length > 0) command.outputOptions("-vf", filters.join(","));
  command.outputOptions(encodeOptions(encoder, [rung], { preset: "veryfast", threads: slices(cores) }));
  return builtArguments(command);
}

/** Threads that software may use for a picture, by its lines: they share it in slices, which delays nothing. */
export function slices(cores: number): (lines: number) => number {
  return (lines) => Math.min(cores, MAX_SLICES, Math.max(1, Math.round(lines / LINES_PER_SLICE)));
}

function testPicture(width: number, height: number, seconds: number): string {
  return `testsrc2=size=${width}x${height}:rate=${TRIAL_FRAME_RATE}:duration=${seconds},noise=alls=12:allf=t`;
}

function addRungs(
  command: ffmpeg.FfmpegCommand,
  video: VideoPlan,
  how: {
    readonly binary: FfmpegBinary;
    /** FFmpeg's name of the stream that is decoded. */
    readonly source: string;
    readonly forceKeyframes: string;
    readonly cores: number;
  },
): void {
  command.complexFilter(scalingFilters(video, how.source));
  for (const i of video.rungs.keys()) command.outputOptions("-map", `[${encoded(i)}]`);
  command.outputOptions([
    ...encodeOptions(video.encoder, video.rungs, { preset: video.preset, threads: slices(how.cores) }),
    ...timingOptions(how.binary),
    ...["-force_key_frames", how.forceKeyframes],
  ]);
}

/** The arguments that fluent-ffmpeg has built. It could also start FFmpeg, but not hold its pipes to bounds or its process to a group. */
function builtArguments(command: ffmpeg.FfmpegCommand): string[] {
  return (command as unknown as { _getArguments(): string[] })._getArguments();
}

/** Frames leave as they came: neither doubled nor dropped, timestamps to the tick. */
function timingOptions(binary: FfmpegBinary): string[] {
  return [...passthroughOptions(binary), "-enc_time_base", "1:90000"];
}

/** Frames leave as they came: neither doubled nor dropped. */
export function passthroughOptions(binary: FfmpegBinary): string[] {
  return [isAtLeast(binary, 5, 1, 2021) ? "-fps_mode" : "-vsync", "passthrough"];
}

/**
 * MPEG-TS with untouched timestamps, each frame written at once.
 * @param rungs how many video streams there are; the audio, where there is one, comes after them.
 */
export function transportStreamOptions(rungs: number, audio: boolean): string[] {
  const pids = Array.from({ length: rungs }, (_, i) => FIRST_VIDEO_PID + i);
  if (audio) pids.push(AUDIO_PID);
  return [
    ...pids.flatMap((pid, i) => ["-streamid", `${i}:${pid}`]),
    ...["-map_metadata", "-1", "-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"],
    ...["-omit_video_pes_length", "0", "-pes_payload_size", "0", "-flush_packets", "1"],
    ...["-max_interleave_delta", `${audio ? SOUND_LIMIT : PICTURE_LIMIT}`],
    ...["-max_muxing_queue_size", "4096"],
  ];
}

function decoderOptions(video: VideoPlan, cores: number): string[] {
  // Each thread that decodes a frame of its own delays the picture by one frame.
  const threads = Math.max(1, Math.min(cores, 8, Math.ceil(video.pixelRate / MANY_PIXELS)));
  return ["-threads", `${threads}`];
}

/**
 * Decoded frames to rungs. Each rung is scaled from the one above it, which costs a third less than scaling all from
 * the source.
 * @param source FFmpeg's name of the stream, e.g. `0:v:0`.
 */
function scalingFilters(video: VideoPlan, source: string): FilterNode[] {
  const nodes: FilterNode[] = [];
  let from = source;
  let divisor = 1;
  if (video.firstPts !== undefined) {
    nodes.push({ filter: "trim", options: { start_pts: video.firstPts }, inputs: from, outputs: "fresh" });
    from = "fresh";
  }
  for (const [i, rung] of video.rungs.entries()) {
    const chain: Filter[] = [];
    if (rung.frameRateDivisor > divisor) {
      chain.push({ filter: "select", options: keepEvery(rung.frameRateDivisor / divisor) });
      divisor = rung.frameRateDivisor;
    }
    chain.push(
      { filter: "scale", options: { w: rung.width, h: rung.height, flags: "bicubic" } },
      // Rounding to even dimensions would leave pixels that are not quite square.
      { filter: "setsar", options: "sar='if(lt(abs(sar-1),0.02),1,sar)'" },
      { filter: "format", options: "yuv420p" },
    );
    const own = inputFilters(video.encoder);
    if (i + 1 < video.rungs.length) {
      addChain(nodes, from, chain, `scaled${i}`);
      const made = own.length === 0 ? encoded(i) : `made${i}`;
      nodes.push({ filter: "split", options: "2", inputs: `scaled${i}`, outputs: [made, `next${i}`] });
      addChain(nodes, made, own, encoded(i));
    } else {
      addChain(nodes, from, [...chain, ...own], encoded(i));
    }
    from = `next${i}`;
  }
  return nodes;
}

function addChain(nodes: FilterNode[], inputs: string, chain: readonly Filter[], outputs: string): void {
  let from = inputs;
  for (const [i, filter] of chain.entries()) {
    const to = i + 1 === chain.length ? outputs : `${outputs}_${i}`;
    nodes.push({ ...filter, inputs: from, outputs: to });
    from = to;
  }
}

type FilterNode = ffmpeg.FilterSpecification;

function encoded(rung: number): string {
  return `v${rung}`;
}

/** Every keyframe, and of the frames after it every `nth`: a rung with half the frames has all of the source's keyframes. */
function keepEvery(nth: number): string {
  return `'if(key,st(0,n)*0+1,not(mod(n-ld(0),${nth})))'`;
}
