import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, isAbsolute, join } from "node:path";
import { describeFailure, runFfmpeg } from "./ffmpeg-run.ts";

/** Where an FFmpeg was found: named by the operator, on the PATH, or installed with the backend. */
export type FfmpegOrigin = "KLIEG_FFMPEG" | "system" | "installer";

/** An FFmpeg that can do what a transcode needs. */
export interface FfmpegBinary {
  readonly path: string;
  readonly origin: FfmpegOrigin;
  /** As it says itself, e.g. `5.1.9-0+deb12u1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  /** Major and minor of a release, e.g. `[5, 1]`; undefined for builds between releases. */
  readonly release: readonly [major: number, minor: number] | undefined;
  /** Last year of its copyright line: the age of a build between releases. */
  readonly year: number | undefined;
  readonly encoders: ReadonlySet<string>;
  readonly decoders: ReadonlySet<string>;
  readonly muxers: ReadonlySet<string>;
}

/** A place that was looked at in vain, with the reason in words. */
export interface FfmpegRejection {
  readonly path: string;
  readonly origin: FfmpegOrigin;
  readonly reason: string;
}

export interface FfmpegSearch {
  readonly binary: FfmpegBinary | undefined;
  /** What came before it in the order and could not be used. */
  readonly rejected: readonly FfmpegRejection[];
}

export interface FfmpegSearchOptions {
  /** `KLIEG_FFMPEG`: a path, or a name on the PATH. */
  readonly configured?: string | undefined;
  /** Folders to look in, as in PATH. Default: the process's. */
  readonly searchPath?: string | undefined;
  /** Whether the one that was installed with the backend is taken where there is no other. Default true. */
  readonly installer?: boolean;
  /** How long it may take to say what it can do, ms. Default 10 000: the first start may read it from a slow disk. */
  readonly timeoutMs?: number;
}

/**
 * Looks for an FFmpeg that can transcode, in the order `KLIEG_FFMPEG`, PATH, `@ffmpeg-installer/ffmpeg`. The system's
 * comes before the installed one because that is from 2018.
 */
export async function findFfmpeg(options: FfmpegSearchOptions = {}): Promise<FfmpegSearch> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const rejected: FfmpegRejection[] = [];
  for await (const candidate of candidates(options)) {
    if (candidate.path === undefined) {
      rejected.push({ path: candidate.name, origin: candidate.origin, reason: candidate.reason });
      continue;
    }
    const probed = await probeFfmpeg(candidate.path, candidate.origin, timeoutMs);
    if ("encoders" in probed) return { binary: probed, rejected };
    rejected.push(probed);
  }
  return { binary: undefined, rejected };
}

type Candidate =
  | { readonly origin: FfmpegOrigin; readonly path: string }
  | { readonly origin: FfmpegOrigin; readonly path: undefined; readonly name: string; readonly reason: string };

async function* candidates(options: FfmpegSearchOptions): AsyncGenerator<Candidate, void, undefined> {
  const searchPath = options.searchPath ?? process.env.PATH ?? "";
  const { configured } = options;
  if (configured !== undefined) {
    const named = isAbsolute(configured) || /[\\/]/.test(configured);
    const path = named ? configured : await onPath(configured, searchPath);
    if (path !== undefined) yield { origin: "KLIEG_FFMPEG", path };
    else yield { origin: "KLIEG_FFMPEG", path: undefined, name: configured, reason: "is not on the PATH" };
  }
  const system = await onPath("ffmpeg", searchPath);
  if (system !== undefined) yield { origin: "system", path: system };
  else yield { origin: "system", path: undefined, name: "ffmpeg", reason: "is not on the PATH" };
  if (options.installer === false) return;
  const installed = installedFfmpeg();
  if (installed.path !== undefined) yield { origin: "installer", path: installed.path };
  else yield { origin: "installer", path: undefined, name: "@ffmpeg-installer/ffmpeg", reason: installed.reason };
}

async function onPath(name: string, searchPath: string): Promise<string | undefined> {
  const names = process.platform === "win32" ? [`${name}.exe`, name] : [name];
  for (const folder of searchPath.split(delimiter)) {
    if (folder === "") continue;
    for (const file of names) {
      const path = join(folder, file);
      if (await isExecutable(path)) return path;
    }
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // not there, or not for us: the search goes on
  }
}

function installedFfmpeg(): { path: string } | { path: undefined; reason: string } {
  try {
    const { path } = createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { path: string };
    return { path };
  } catch (error) {
    // The package throws strings where it has nothing for the platform.
    return { path: undefined, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** What H.264 can be made with, besides hardware. */
export const SOFTWARE_H264 = ["libx264", "libopenh264"] as const;

/** Asks an FFmpeg what it is and what it can do. */
export async function probeFfmpeg(
  path: string,
  origin: FfmpegOrigin,
  timeoutMs: number,
): Promise<FfmpegBinary | FfmpegRejection> {
  const ask = (what: string) => runFfmpeg(path, ["-hide_banner", "-nostdin", what], timeoutMs);
  const version = await ask("-version");
  if (version.outcome !== "exited" || version.code !== 0) return { path, origin, reason: describeFailure(version) };
  const firstLines = version.stdout.toString("utf8");
  const name = /^ffmpeg version (\S+)/m.exec(firstLines)?.[1];
  if (name === undefined) return { path, origin, reason: "does not say that it is FFmpeg" };
  const lists = await Promise.all([ask("-encoders"), ask("-decoders"), ask("-muxers")]);
  const [encoders, decoders, muxers] = lists.map((run) =>
    run.outcome === "exited" && run.code === 0 ? listed(run.stdout.toString("utf8")) : undefined,
  );
  if (encoders === undefined || decoders === undefined || muxers === undefined) {
    const failed = lists.find((run) => run.outcome !== "exited" || run.code !== 0);
    return { path, origin, reason: failed === undefined ? "lists nothing" : describeFailure(failed) };
  }
  const release = /^n?(\d+)\.(\d+)/.exec(name);
  const year = /Copyright \(c\) (?:\d{4}-)?(\d{4})/.exec(firstLines)?.[1];
  const binary: FfmpegBinary = {
    path,
    origin,
    version: name,
    release: release === null ? undefined : [Number(release[1]), Number(release[2])],
    year: year === undefined ? undefined : Number(year),
    encoders,
    decoders,
    muxers,
  };
  const missing = missingFrom(binary);
  return missing.length === 0 ? binary : { path, origin, reason: `was built without ${missing.join(", ")}` };
}

function missingFrom(binary: FfmpegBinary): string[] {
  const missing: string[] = [];
  if (!SOFTWARE_H264.some((name) => binary.encoders.has(name))) missing.push(SOFTWARE_H264.join(" or "));
  if (!binary.encoders.has("aac")) missing.push("the AAC encoder");
  if (!binary.decoders.has("h264")) missing.push("the H.264 decoder");
  if (!binary.muxers.has("mpegts")) missing.push("the MPEG-TS muxer");
  return missing;
}

/** Names in the second column of what `-encoders`, `-decoders` and `-muxers` print. */
function listed(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^ [A-Z. ]{1,6} ([A-Za-z0-9_,-]+)(?: |$)/.exec(line);
    for (const name of match?.[1]?.split(",") ?? []) names.add(name);
  }
  return names;
}

/** Whether the release is at least `major.minor`; builds between releases are judged by their year. */
export function isAtLeast(binary: FfmpegBinary, major: number, minor: number, year: number): boolean {
  if (binary.release === undefined) return (binary.year ?? 0) > year;
  const [ownMajor, ownMinor] = binary.release;
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
