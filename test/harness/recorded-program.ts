import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

/** What ffprobe says of a file or an address. */
export interface ProbedProgram {
  readonly streams: readonly { readonly codec_name: string; readonly width?: number; readonly height?: number }[];
  readonly packets: readonly { readonly codec_type: string; readonly dts_time: string; readonly flags: string }[];
  /** What it complains of; empty where all is well. */
  readonly complaints: string;
}

/** @param interval as ffprobe's `-read_intervals` takes it; all by default. */
export async function probeProgram(source: string, interval?: string): Promise<ProbedProgram> {
  const read = interval === undefined ? [] : ["-read_intervals", interval];
  const args = ["-v", "warning", ...read, "-show_streams", "-show_packets", "-of", "json", source];
  const { stdout, stderr } = await promisify(execFile)("ffprobe", args, { maxBuffer: 1 << 26, timeout: 30_000 });
  return { ...(JSON.parse(stdout) as Omit<ProbedProgram, "complaints">), complaints: stderr.trim() };
}

/** Longest time from one packet to the next, s. */
export function longestStep({ packets }: ProbedProgram, kind: "video" | "audio"): number {
  const times = packets.filter(({ codec_type }) => codec_type === kind).map(({ dts_time }) => Number(dts_time));
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] as number)));
}

/**
 * Hue of a part of the picture, degrees; NaN where it has none.
 * @param atS time in a file; of a live playlist, 0 is its live edge.
 * @param crop as FFmpeg's filter takes it: a little above the middle by default.
 */
export async function hueAt(source: string, atS: number, crop = "iw/8:ih/8:iw*7/16:ih/4"): Promise<number> {
  const filter = `crop=${crop},scale=1:1:flags=area:in_color_matrix=bt709,format=rgb24`;
  const args = ["-v", "error", "-ss", `${atS}`, "-i", source, "-frames:v", "1", "-vf", filter, "-f", "rawvideo", "-"];
  const { stdout } = await promisify(execFile)("ffmpeg", args, { encoding: "buffer", timeout: 10_000 });
  const [red = 0, green = 0, blue = 0] = stdout;
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range < 40) return Number.NaN;
  const sixth =
    most === red ? (green - blue) / range : most === green ? 2 + (blue - red) / range : 4 + (red - green) / range;
  return (sixth * 60 + 360) % 360;
}

/** Whether two hues are much the same. */
export function isHue(hue: number, wanted: number): boolean {
  const apart = Math.abs(hue - wanted) % 360;
  return Math.min(apart, 360 - apart) < 20;
}

/** How loud a tone is in half a second of a file, 0 to 1. */
export function loudness(file: string, fromS: number, hertz: number): number {
  const pcm = execFileSync(
    "ffmpeg",
    ["-v", "error", "-ss", `${fromS}`, "-i", file, "-t", "0.5", "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"],
    { maxBuffer: 1 << 22 },
  );
  const samples = new Float32Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
  let real = 0;
  let imaginary = 0;
  for (const [i, sample] of samples.entries()) {
    real += sample * Math.cos((2 * Math.PI * hertz * i) / 48_000);
    imaginary += sample * Math.sin((2 * Math.PI * hertz * i) / 48_000);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}
