import { spawn } from "node:child_process";
import { type AccessUnit, FlvDemuxer, FlvFileReader, readAccessUnits, readMovie, TsDemuxer } from "@klieg/media";

/** Containers that FFmpeg can write and this project can read. */
export type UnitContainer = "flv" | "mpegts" | "mp4";

/** What FFmpeg makes of its arguments, as a file of that kind that this project can read. */
export function ffmpegSource(container: UnitContainer, args: readonly string[]): Promise<Buffer> {
  const fragmented = container === "mp4" ? ["-movflags", "frag_keyframe+empty_moov+default_base_moof"] : [];
  return ffmpeg([...args, ...fragmented, "-f", container, "pipe:1"]);
}

/** The access units of such a file, in the order in which they stand there (MP4: of their decode times). */
export function unitsOf(container: UnitContainer, bytes: Uint8Array): AccessUnit[] {
  if (container === "mp4") {
    return [...readAccessUnits(bytes, readMovie(bytes))].sort((a, b) => a.dts - b.dts);
  }
  const units: AccessUnit[] = [];
  const sink = { onTrack: () => undefined, onAccessUnit: (unit: AccessUnit) => void units.push(unit) };
  if (container === "mpegts") {
    const demuxer = new TsDemuxer(sink);
    demuxer.push(bytes);
    demuxer.flush();
  } else {
    const demuxer = new FlvDemuxer(sink);
    new FlvFileReader().push(bytes, (tag) => {
      if (tag.kind === "video") demuxer.pushVideo(tag.timestampMs, tag.body);
      if (tag.kind === "audio") demuxer.pushAudio(tag.timestampMs, tag.body);
    });
  }
  return units;
}

/** Runs FFmpeg. @returns what it wrote to its standard output. @throws Error with what it complained of. */
export async function ffmpeg(args: readonly string[]): Promise<Buffer> {
  const { stdout, stderr, code } = await run("ffmpeg", ["-nostdin", "-v", "error", ...args]);
  if (code !== 0) throw new Error(`ffmpeg: ${stderr}`);
  return stdout;
}

/** What FFmpeg complains of, warnings and worse, when it decodes all of `input`. */
export async function ffmpegComplaints(input: string): Promise<string> {
  const { stderr } = await run("ffmpeg", ["-nostdin", "-v", "warning", "-i", input, "-f", "null", "-"]);
  return stderr;
}

export interface ProbedUnit {
  /** s */
  readonly pts: number;
  readonly dts: number;
  readonly keyframe: boolean;
  readonly size: number;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly hash: string;
}

/** The packets of a file with one track, in file order, as ffprobe reads them. @throws Error when it complains. */
export async function probeUnits(file: string): Promise<ProbedUnit[]> {
  const entries = [
    "-show_entries",
    "packet=pts_time,dts_time,flags,size,data_hash",
    "-show_data_hash",
    "sha256",
    "-of",
    "json",
  ];
  const { stdout, stderr } = await run("ffprobe", ["-v", "warning", ...entries, file]);
  if (stderr !== "") throw new Error(`ffprobe: ${stderr}`);
  const { packets } = JSON.parse(stdout.toString()) as {
    packets: { pts_time: string; dts_time: string; flags: string; size: string; data_hash: string }[];
  };
  return packets.map(({ pts_time, dts_time, flags, size, data_hash }) => ({
    pts: Number(pts_time),
    dts: Number(dts_time),
    keyframe: flags.startsWith("K"),
    size: Number(size),
    hash: data_hash.replace("SHA256:", ""),
  }));
}

function run(
  command: string,
  args: readonly string[],
): Promise<{ stdout: Buffer; stderr: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ stdout: Buffer.concat(stdout), stderr, code }));
  });
}
