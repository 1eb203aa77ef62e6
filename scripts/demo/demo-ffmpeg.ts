import { spawnSync } from "node:child_process";
import ffmpegInstaller from "@ffmpeg-installer/ffmpeg";

/** An FFmpeg that can make the demo's broadcast. */
export interface DemoFfmpeg {
  readonly path: string;
  /** Where it came from, for the person: `KLIEG_FFMPEG`, `this machine's`, `npm's`. */
  readonly origin: string;
  /** H.264 encoder. */
  readonly videoEncoder: string;
}

/** H.264 encoders that take the arguments of demo.ts, best first. */
const VIDEO_ENCODERS = ["libx264", "h264_videotoolbox", "libopenh264", "h264_mf"];
const FILTERS = ["geq", "drawtext", "overlay", "sine"];

/**
 * The first FFmpeg, in the backend's order, that has what the demo needs to publish over `protocol`.
 * @throws {Error} saying what each of them lacks.
 */
export function findDemoFfmpeg(
  protocol: "rtmp" | "srt",
  environment: Readonly<Record<string, string | undefined>>,
): DemoFfmpeg {
  const given = environment.KLIEG_FFMPEG;
  const candidates = [
    ...(given === undefined || given === "" ? [] : [{ path: given, origin: "KLIEG_FFMPEG" }]),
    { path: "ffmpeg", origin: "this machine's" },
    { path: ffmpegInstaller.path, origin: "npm's" },
  ];
  const reasons: string[] = [];
  for (const { path, origin } of candidates) {
    const protocols = listOf(path, "-protocols");
    if (protocols === undefined) {
      reasons.push(`${path} (${origin}) does not run`);
      continue;
    }
    const output = protocols.slice(protocols.indexOf("Output:"));
    const encoders = listOf(path, "-encoders") ?? [];
    const filters = listOf(path, "-filters") ?? [];
    const videoEncoder = VIDEO_ENCODERS.find((name) => encoders.includes(name));
    const lacks = [
      ...(output.includes(protocol) ? [] : [`${protocol.toUpperCase()} output`]),
      ...(videoEncoder === undefined ? ["an H.264 encoder"] : []),
      ...FILTERS.filter((name) => !filters.includes(name)).map((name) => `the filter ${name}`),
    ];
    if (lacks.length === 0 && videoEncoder !== undefined) return { path, origin, videoEncoder };
    reasons.push(`${path} (${origin}) lacks ${lacks.join(", ")}`);
  }
  throw new Error(
    `No FFmpeg here can make the demo's broadcast:\n${reasons.map((reason) => `  ${reason}`).join("\n")}\n` +
      `Install FFmpeg from your system's packages (Debian: apt install ffmpeg)${protocol === "srt" ? ", or send by RTMP: leave out --srt" : ""}.`,
  );
}

/** The words of FFmpeg's answer to `option`; undefined where it does not run. */
function listOf(path: string, option: string): string[] | undefined {
  const run = spawnSync(path, ["-hide_banner", option], { encoding: "utf8" });
  return run.error === undefined && run.status === 0 ? run.stdout.split(/\s+/) : undefined;
}
