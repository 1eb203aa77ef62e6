import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../test/harness/child.ts";

export interface ContributionFile extends AsyncDisposable {
  readonly path: string;
}

/**
 * A file to contribute without encoding in the measured time: moving picture and tone, H.264 and AAC.
 * @param bitrate of the video, e.g. `3M`. @param format `flv` or `mpegts`.
 */
export async function contributionFile(options: {
  readonly size: string;
  readonly bitrate: string;
  readonly seconds: number;
  readonly format: "flv" | "mpegts";
}): Promise<ContributionFile> {
  const folder = await mkdtemp(join(tmpdir(), "klieg-bench-media-"));
  const path = join(folder, `contribution.${options.format === "flv" ? "flv" : "ts"}`);
  await run(
    "ffmpeg",
    [
      ...["-v", "error", "-f", "lavfi", "-i", `testsrc2=size=${options.size}:rate=30,noise=alls=12:allf=t`],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", String(options.seconds)],
      ...[
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "60",
        "-sc_threshold",
        "0",
        "-bf",
        "0",
      ],
      ...["-b:v", options.bitrate, "-maxrate", options.bitrate, "-bufsize", options.bitrate],
      ...["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", options.format, path],
    ],
    120_000,
  );
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
