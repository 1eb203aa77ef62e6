import { spawnSync } from "node:child_process";
import { type FfmpegSearchOptions, findFfmpeg } from "../../packages/ffmpeg/src/index.ts";

/** An FFmpeg that can make the demo's broadcast. */
export interface DemoFfmpeg {
  readonly path: string;
  readonly version: string;
  /** H.264 encoder. */
  readonly videoEncoder: string;
}

/** H.264 encoders that take the arguments of demo.ts, best first. */
const VIDEO_ENCODERS = ["libx264", "libopenh264"];
const FILTERS = ["geq", "drawtext", "overlay", "sine"];

/**
 * The first FFmpeg, in the backend's order, that has what the demo needs to publish over `protocol`.
 * @throws {Error} saying what each of them lacks.
 */
export async function findDemoFfmpeg(
  protocol: "rtmp" | "srt",
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DemoFfmpeg> {
  // One that transcodes may still not speak SRT: then the search goes on behind it.
  const searches: FfmpegSearchOptions[] = [
    { configured: environment.KLIEG_FFMPEG || undefined },
    {},
    { searchPath: "" },
  ];
  const reasons = new Map<string, string>();
  for (const search of searches) {
    const { binary, rejected } = await findFfmpeg({ searchPath: environment.PATH, ...search });
    for (const { path, reason } of rejected) if (!reasons.has(path)) reasons.set(path, reason);
    if (binary === undefined || reasons.has(binary.path)) continue;
    const { path, version } = binary;
    const videoEncoder = VIDEO_ENCODERS.find((name) => binary.encoders.has(name));
    const lacks = missingFrom(path, protocol);
    if (videoEncoder !== undefined && lacks.length === 0) return { path, version, videoEncoder };
    reasons.set(path, `was built without ${lacks.join(", ")}`);
  }
  throw new Error(
    `No FFmpeg here can make the demo's broadcast:\n${[...reasons].map(([path, reason]) => `  ${path} ${reason}`).join("\n")}\n` +
      `Install FFmpeg from your system's packages (Debian: apt install ffmpeg)${protocol === "srt" ? ", or send by RTMP: leave out --srt" : ""}.`,
  );
}

function missingFrom(path: string, protocol: "rtmp" | "srt"): string[] {
  const protocols = wordsOf(path, "-protocols");
  const filters = wordsOf(path, "-filters");
  return [
    ...(protocols.slice(protocols.indexOf("Output:")).includes(protocol) ? [] : [`${protocol.toUpperCase()} output`]),
    ...FILTERS.filter((name) => !filters.includes(name)).map((name) => `the filter ${name}`),
  ];
}

function wordsOf(path: string, option: string): string[] {
  const run = spawnSync(path, ["-hide_banner", option], { encoding: "utf8" });
  return (run.stdout ?? "").split(/\s+/);
}
