import { broadcastArguments } from "../../scripts/demo/broadcast-arguments.ts";
import { Child } from "./child.ts";

export interface ClockBroadcastOptions {
  readonly protocol?: "rtmp" | "srt";
  /** What to publish to, the key included. */
  readonly url: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** Video, bits/s. */
  readonly bitrate?: number;
}

/** The demo's broadcast, whose picture carries the wall clock (see clock-strip.ts), by Debian's ffmpeg. */
export function broadcastClock(options: ClockBroadcastOptions): Child {
  const { protocol = "rtmp", url, width = 640, height = 360, frameRate = 30, bitrate = 1_200_000 } = options;
  return new Child(
    process.env.KLIEG_TEST_FFMPEG ?? "ffmpeg",
    broadcastArguments({ protocol, width, height, frameRate, bitrate, durationS: undefined }, "libx264", url),
  );
}
