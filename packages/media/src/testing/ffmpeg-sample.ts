import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CACHE = join(tmpdir(), "klieg-media-samples");

/** A file made by FFmpeg and kept between test runs. */
export interface Sample {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Runs FFmpeg with `args` and an output file of that extension, once for each set of arguments on this machine.
 * @param args as on the command line, separated by blanks.
 */
export function ffmpegSample(extension: string, args: string): Sample {
  mkdirSync(CACHE, { recursive: true });
  const name = createHash("sha256").update(args).digest("hex").slice(0, 20);
  const path = join(CACHE, `${name}.${extension}`);
  if (!existsSync(path)) {
    const partial = join(CACHE, `${name}.${process.pid}.${extension}`);
    const ffmpeg = process.env.KLIEG_FFMPEG ?? "ffmpeg";
    execFileSync(ffmpeg, ["-nostdin", "-y", "-v", "error", ...args.split(/\s+/), partial], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    renameSync(partial, path);
  }
  return { path, bytes: readFileSync(path) };
}

/** What ffprobe says of one stream, as far as tests ask. */
export interface ProbedStream {
  readonly index: number;
  readonly codec_type: "video" | "audio";
  readonly codec_name: string;
  readonly profile?: string;
  readonly width?: number;
  readonly height?: number;
  readonly field_order?: string;
  readonly r_frame_rate?: string;
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly has_b_frames?: number;
}

/** What ffprobe says of one packet; times in seconds. */
export interface ProbedPacket {
  readonly codec_type: "video" | "audio";
  readonly stream_index: number;
  readonly pts_time?: string;
  readonly dts_time?: string;
  readonly flags: string;
  readonly size: string;
  readonly pos: string;
}

/** Streams and packets of a file, by ffprobe. */
export function ffprobe(path: string): { streams: ProbedStream[]; packets: ProbedPacket[] } {
  const args = ["-v", "error", "-show_streams", "-show_packets", "-of", "json", path];
  return JSON.parse(execFileSync("ffprobe", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }));
}

/** The payload of the first box (or box-like atom) of that type, found by its four characters. */
export function boxPayload(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type, 0, "latin1");
  if (at < 4) throw new Error(`no ${type} box`);
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}
