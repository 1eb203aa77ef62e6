import type { DemoOptions } from "./demo-options.ts";
import { programmeArguments } from "./programme.ts";

/** Seconds between keyframes: the backend cuts its segments on them. */
const KEYFRAME_INTERVAL_S = 2;

/**
 * FFmpeg's arguments that make the demo's programme, encode it without delay and publish it.
 * @param videoEncoder H.264 encoder. @param address what to publish to, the key included.
 */
export function broadcastArguments(
  options: Pick<DemoOptions, "protocol" | "width" | "height" | "frameRate" | "bitrate" | "durationS">,
  videoEncoder: string,
  address: string,
): string[] {
  const { width, height, frameRate, bitrate, protocol } = options;
  const caption = `demo broadcast · ${width}×${height} · ${frameRate} fps · ${protocol.toUpperCase()}`;
  return [
    ...["-hide_banner", "-loglevel", "warning", "-nostats", "-nostdin", "-progress", "pipe:1"],
    ...programmeArguments({ width, height, frameRate, caption }),
    ...["-map", "[picture]", "-map", "[tone]"],
    ...(options.durationS === undefined ? [] : ["-t", `${options.durationS}`]),
    ...["-c:v", videoEncoder, "-b:v", `${bitrate}`, "-maxrate", `${bitrate}`, "-bufsize", `${bitrate}`],
    ...["-g", `${Math.round(frameRate * KEYFRAME_INTERVAL_S)}`, "-pix_fmt", "yuv420p"],
    ...(videoEncoder === "libx264"
      ? ["-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "high", "-sc_threshold", "0"]
      : []),
    ...["-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2"],
    ...(protocol === "srt" ? ["-f", "mpegts"] : ["-f", "flv", "-flvflags", "no_duration_filesize"]),
    address,
  ];
}
