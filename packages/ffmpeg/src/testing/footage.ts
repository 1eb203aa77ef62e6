import { createRequire } from "node:module";
import { type AccessUnit, TsDemuxer } from "@klieg/media";
import { describeFailure, runFfmpeg } from "../ffmpeg-run.ts";

/** The FFmpeg of 2018 that is installed with the backend: there on every machine. */
export const INSTALLED_FFMPEG = (createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { path: string }).path;

export interface FootageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly seconds?: number;
  /** Frames between keyframes. */
  readonly gop?: number;
  readonly bFrames?: number;
  readonly codec?: "libx264" | "libx265";
  /** Also a tone, so encoded. */
  readonly audio?: "aac" | "libmp3lame" | "libopus";
  /** A picture of noise, which takes all the bits it is given. */
  readonly noise?: boolean;
  /** Filters for the tone. */
  readonly audioFilter?: string;
  /** FFmpeg that makes it. Default the installed one. */
  readonly ffmpeg?: string;
}

/** A moving test picture as a contribution brings it: access units in order of their decode times, which begin near 0. */
export async function makeFootage(options: FootageOptions = {}): Promise<AccessUnit[]> {
  const { width = 320, height = 180, frameRate = 30, seconds = 2, gop = 30, bFrames = 0, codec = "libx264" } = options;
  const args = ["-hide_banner", "-nostdin", "-loglevel", "error"];
  const noise = options.noise === true ? ",noise=alls=40:allf=t" : "";
  args.push("-f", "lavfi", "-i", `testsrc2=size=${width}x${height}:rate=${frameRate}:duration=${seconds}${noise}`);
  if (options.audio !== undefined)
    args.push("-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`);
  args.push("-c:v", codec, "-preset", "ultrafast", "-g", `${gop}`, "-pix_fmt", "yuv420p");
  if (codec === "libx264") args.push("-keyint_min", `${gop}`, "-sc_threshold", "0", "-bf", `${bFrames}`);
  else args.push("-x265-params", `keyint=${gop}:min-keyint=${gop}:scenecut=0:bframes=${bFrames}:log-level=none`);
  if (options.audio !== undefined) args.push("-c:a", options.audio, "-ac", "2");
  if (options.audioFilter !== undefined) args.push("-af", options.audioFilter);
  args.push("-f", "mpegts", "-muxdelay", "0", "-muxpreload", "0", "pipe:1");
  const run = await runFfmpeg(options.ffmpeg ?? INSTALLED_FFMPEG, args, 60_000);
  if (run.outcome !== "exited" || run.code !== 0) throw new Error(`the footage was not made: ${describeFailure(run)}`);
  const units: AccessUnit[] = [];
  const demuxer = new TsDemuxer({
    onTrack() {
      // each unit names its own
    },
    onAccessUnit: (unit) => void units.push(unit),
  });
  demuxer.push(run.stdout);
  demuxer.flush();
  return units.toSorted((a, b) => a.dts - b.dts);
}

/** The same units, later by `ticks` of 90 kHz. */
export function later(units: readonly AccessUnit[], ticks: number): AccessUnit[] {
  return units.map((unit) => ({ ...unit, dts: unit.dts + ticks, pts: unit.pts + ticks }));
}
