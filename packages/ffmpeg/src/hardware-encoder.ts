import { readdir } from "node:fs/promises";
import { TICKS_PER_SECOND } from "@klieg/media";
import { type FfmpegBinary, SOFTWARE_H264 } from "./ffmpeg-binary.ts";
import {
  benchmarkArguments,
  TRIAL_FRAME_RATE,
  TRIAL_KEYFRAME_SECONDS,
  TRIAL_SECONDS,
  trialArguments,
} from "./ffmpeg-command.ts";
import { describeFailure, runFfmpeg } from "./ffmpeg-run.ts";
import { RenditionOutput } from "./rendition-output.ts";
import type { Rung } from "./rung.ts";
import type { VideoEncoder, VideoEncoderName } from "./video-encoder.ts";

/** How an encoder's test encode went. */
export interface EncoderTrial {
  readonly encoder: VideoEncoderName;
  /** Render node that was tried. */
  readonly device: string | undefined;
  /**
   * `ok`: it made what was asked for; `missing`: FFmpeg does not have it, or there is no device for it; `failed`: FFmpeg
   * ended with an error; `hung`: it did not end in time; `died`: a signal ended it; `wrong`: it made something else.
   */
  readonly outcome: "ok" | "missing" | "failed" | "hung" | "died" | "wrong";
  /** In words; empty for `ok`. */
  readonly reason: string;
  readonly ms: number;
}

export interface EncoderChoice {
  /** The first that passed, hardware before software. */
  readonly encoder: VideoEncoder;
  /** What is used when the hardware fails. */
  readonly software: VideoEncoder;
  /** In the order they were tried. */
  readonly trials: readonly EncoderTrial[];
  /** Pixels a second that one core encodes with `software`. */
  readonly pixelsPerCoreSecond: number;
}

export interface EncoderChoiceOptions {
  /** Whether hardware is tried at all. Default true. */
  readonly hardware?: boolean;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform;
  /** For one test encode, ms. Default 8000: a cold GPU driver takes seconds. */
  readonly timeoutMs?: number;
  /** GPU render nodes. Default: those in /dev/dri. */
  readonly renderNodes?: readonly string[];
  readonly cores: number;
}

/** No encoder passed its test encode. */
export class NoEncoderError extends Error {
  override readonly name = "NoEncoderError";
  readonly trials: readonly EncoderTrial[];

  constructor(trials: readonly EncoderTrial[]) {
    super(`FFmpeg cannot encode H.264: ${trials.map(({ encoder, reason }) => `${encoder} ${reason}`).join("; ")}`);
    this.trials = trials;
  }
}

const CANDIDATES: Partial<Record<NodeJS.Platform, readonly VideoEncoderName[]>> = {
  linux: ["h264_nvenc", "h264_qsv", "h264_vaapi"],
  win32: ["h264_nvenc", "h264_qsv", "h264_amf"],
  darwin: ["h264_videotoolbox"],
};

/** Two at once, as a ladder has: some hardware takes only one. */
export const TRIAL_RUNGS: readonly Rung[] = [
  { name: "270p", width: 480, height: 270, frameRate: TRIAL_FRAME_RATE, frameRateDivisor: 1, bitrate: 1_000_000 },
  { name: "180p", width: 320, height: 180, frameRate: TRIAL_FRAME_RATE, frameRateDivisor: 1, bitrate: 500_000 },
];
/** An encoder that keeps below this part of the bit rate, on noise, has misunderstood the frame rate. */
const LEAST_OF_BITRATE = 0.15;
const DEFAULT_TIMEOUT_MS = 8000;

const choices = new WeakMap<FfmpegBinary, Map<string, Promise<EncoderChoice>>>();

/**
 * The best H.264 encoder of an FFmpeg on this machine (TRN3): each hardware encoder that the platform can have is tried
 * by a real test encode, and the first that passes is chosen; else software. Asked again of the same binary, it answers
 * from memory.
 * @throws {NoEncoderError} when not even software passes.
 */
export function chooseEncoder(binary: FfmpegBinary, options: EncoderChoiceOptions): Promise<EncoderChoice> {
  let known = choices.get(binary);
  if (known === undefined) {
    known = new Map();
    choices.set(binary, known);
  }
  const key = JSON.stringify(options);
  let choice = known.get(key);
  if (choice === undefined) {
    choice = tryEncoders(binary, options);
    known.set(key, choice);
  }
  return choice;
}

async function tryEncoders(binary: FfmpegBinary, options: EncoderChoiceOptions): Promise<EncoderChoice> {
  const trials: EncoderTrial[] = [];
  let hardware: VideoEncoder | undefined;
  if (options.hardware !== false) {
    for (const candidate of await hardwareCandidates(options)) {
      const tried = await tryEncoder(binary, candidate.name, candidate.device, options);
      trials.push(tried.trial);
      hardware = tried.encoder;
      if (hardware !== undefined) break;
    }
  }
  for (const name of SOFTWARE_H264) {
    const { encoder: software, trial } = await tryEncoder(binary, name, undefined, options);
    trials.push(trial);
    if (software === undefined) continue;
    const pixelsPerCoreSecond = await measureSpeed(binary, software, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    return { encoder: hardware ?? software, software, trials, pixelsPerCoreSecond };
  }
  throw new NoEncoderError(trials);
}

/** Hardware encoders that a machine of the platform can have, best first; one that is tried on each GPU is there for each. */
export async function hardwareCandidates(
  options: Pick<EncoderChoiceOptions, "platform" | "renderNodes"> = {},
): Promise<{ readonly name: VideoEncoderName; readonly device: string | undefined }[]> {
  const candidates: { name: VideoEncoderName; device: string | undefined }[] = [];
  for (const name of CANDIDATES[options.platform ?? process.platform] ?? []) {
    if (name !== "h264_vaapi") {
      candidates.push({ name, device: undefined });
      continue;
    }
    const nodes = options.renderNodes ?? (await renderNodes());
    if (nodes.length === 0) candidates.push({ name, device: undefined });
    for (const device of nodes) candidates.push({ name, device });
  }
  return candidates;
}

async function renderNodes(): Promise<string[]> {
  try {
    const names = await readdir("/dev/dri");
    return names.filter((name) => /^renderD\d+$/.test(name)).map((name) => `/dev/dri/${name}`);
  } catch {
    return []; // a machine without GPU has no such folder
  }
}

/**
 * Lets an encoder make a second of test picture, and looks at what it has made.
 * @param options `rungs`: what it makes at once; by default two, as a ladder has.
 */
export async function tryEncoder(
  binary: FfmpegBinary,
  name: VideoEncoderName,
  device: string | undefined,
  options: Pick<EncoderChoiceOptions, "timeoutMs" | "cores"> & { readonly rungs?: readonly Rung[] },
): Promise<{ readonly trial: EncoderTrial; readonly encoder: VideoEncoder | undefined }> {
  const began = performance.now();
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const failed = (outcome: EncoderTrial["outcome"], reason: string) => ({
    trial: { encoder: name, device, outcome, reason, ms: Math.round(performance.now() - began) },
    encoder: undefined,
  });
  if (!binary.encoders.has(name)) return failed("missing", "is not in this FFmpeg");
  if (name === "h264_vaapi" && device === undefined)
    return failed("missing", "has no GPU: /dev/dri has no render node");

  const help = await runFfmpeg(binary.path, ["-hide_banner", "-nostdin", "-h", `encoder=${name}`], timeoutMs);
  if (help.outcome !== "exited") return failed(help.outcome === "timed_out" ? "hung" : "died", describeFailure(help));
  const encoder: VideoEncoder = {
    name,
    hardware: !SOFTWARE_H264.some((software) => software === name),
    device,
    options: optionNames(help.stdout.toString("utf8")),
  };
  const rungs = options.rungs ?? TRIAL_RUNGS;
  const run = await runFfmpeg(binary.path, trialArguments(binary, encoder, rungs, options.cores), timeoutMs);
  if (run.outcome === "timed_out") return failed("hung", describeFailure(run));
  if (run.outcome === "killed") return failed("died", describeFailure(run));
  if (run.outcome === "not_started" || run.code !== 0) return failed("failed", describeFailure(run));
  const wrong = faultIn(run.stdout, rungs);
  if (wrong !== undefined) return failed("wrong", wrong);
  return {
    trial: { encoder: name, device, outcome: "ok", reason: "", ms: Math.round(performance.now() - began) },
    encoder,
  };
}

/** What is wrong with a test encode's output, if anything is. */
function faultIn(output: Uint8Array, rungs: readonly Rung[]): string | undefined {
  const made = rungs.map(() => ({ frames: 0, bytes: 0, keyframes: [] as number[], reordered: false }));
  const reader = new RenditionOutput(rungs, 0, {
    onAccessUnit(rung, unit) {
      const rendition = rung === undefined ? undefined : made[rungs.indexOf(rung)];
      if (rendition === undefined) return;
      rendition.frames += 1;
      rendition.bytes += unit.data.byteLength;
      if (unit.keyframe) rendition.keyframes.push(unit.pts);
      if (unit.pts !== unit.dts) rendition.reordered = true;
    },
  });
  reader.push(output);
  reader.flush();
  if (reader.damage !== undefined) return `made a damaged stream: ${reader.damage.message}`;
  const wantedFrames = TRIAL_SECONDS * TRIAL_FRAME_RATE;
  const wantedKeyframes: number[] = [];
  for (let at = 0; at < TRIAL_SECONDS; at += TRIAL_KEYFRAME_SECONDS) wantedKeyframes.push(at * TICKS_PER_SECOND);
  for (const [i, rendition] of made.entries()) {
    const rung = rungs[i] as Rung;
    const { frames, bytes, keyframes, reordered } = rendition;
    if (frames !== wantedFrames) return `made ${frames} of ${wantedFrames} frames of ${rung.name}`;
    if (reordered) return "makes B-frames although told not to";
    if (keyframes.join() !== wantedKeyframes.join()) return `keyframes at ${keyframes} instead of ${wantedKeyframes}`;
    if (bytes * 8 < rung.bitrate * TRIAL_SECONDS * LEAST_OF_BITRATE)
      return `made ${bytes * 8} bits/s of ${rung.bitrate}`;
  }
  return undefined;
}

/** Names of options and constants in what `-h encoder=` prints. */
function optionNames(help: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of help.split(/\r?\n/)) {
    const match = /^ {2,8}-?([A-Za-z0-9_.-]+) +(?:<|\d|-?\d|E\.)/.exec(line);
    if (match?.[1] !== undefined) names.add(match[1]);
  }
  return names;
}

const BENCHMARK_SECONDS = 2;
const BENCHMARK_RUNG: Rung = {
  name: "benchmark",
  width: 854,
  height: 480,
  frameRate: TRIAL_FRAME_RATE,
  frameRateDivisor: 1,
  bitrate: 1_500_000,
};
/** Real footage is that much slower to encode than the test picture. */
const TEST_PICTURE_EASE = 0.8;
const SLOWEST = 5e6;
const FASTEST = 400e6;
/** Taken where the machine is too slow, or too busy, to tell in time. */
const SPEED_UNKNOWN = 20e6;

/** Pixels a second that one core encodes, by processor time: what else the machine does counts little. */
async function measureSpeed(binary: FfmpegBinary, encoder: VideoEncoder, timeoutMs: number): Promise<number> {
  const run = await runFfmpeg(binary.path, benchmarkArguments(encoder, BENCHMARK_RUNG, BENCHMARK_SECONDS), timeoutMs);
  if (run.outcome !== "exited" || run.code !== 0) return SPEED_UNKNOWN;
  const seconds = Number(/bench: utime=([\d.]+)s/.exec(run.stderr)?.[1] ?? "0");
  if (!(seconds > 0)) return SPEED_UNKNOWN;
  const pixels = BENCHMARK_RUNG.width * BENCHMARK_RUNG.height * TRIAL_FRAME_RATE * BENCHMARK_SECONDS;
  return Math.min(FASTEST, Math.max(SLOWEST, (pixels / seconds) * TEST_PICTURE_EASE));
}
