import { Child } from "./child.ts";

export interface EncoderOptions {
  /** `pipe:1`: onto its standard output, for the test to pass on. */
  readonly url: string;
  /** `flv` for RTMP, `mpegts` for SRT. */
  readonly format: "flv" | "mpegts";
  readonly size?: string;
  readonly fps?: number | string;
  /** Seconds; endless by default. */
  readonly duration?: number;
  readonly video?: boolean;
  readonly audio?: boolean;
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly bFrames?: number;
  /** Seconds between keyframes. */
  readonly gop?: number;
  readonly bitrate?: string;
  readonly videoCodec?: string;
  readonly audioCodec?: string;
  /** More arguments before the output. */
  readonly extra?: readonly string[];
}

/** Debian's ffmpeg as a live encoder: a test picture and a tone in real time. */
export function encode(options: EncoderOptions): Child {
  const fps = options.fps ?? 30;
  const gop = options.gop ?? 2;
  const duration = options.duration === undefined ? [] : ["-t", String(options.duration)];
  const frames = Math.round(gop * (typeof fps === "number" ? fps : evaluate(fps)));
  return new Child(
    process.env.KLIEG_TEST_FFMPEG ?? "ffmpeg",
    [
      ...["-hide_banner", "-loglevel", "info", "-nostats"],
      ...(options.video === false
        ? []
        : ["-re", "-f", "lavfi", "-i", `testsrc2=size=${options.size ?? "640x360"}:rate=${fps}`]),
      ...(options.audio === false
        ? []
        : ["-re", "-f", "lavfi", "-i", `sine=frequency=440:sample_rate=${options.sampleRate ?? 48_000}`]),
      ...(options.video === false
        ? []
        : [
            ...["-c:v", options.videoCodec ?? "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"],
            ...["-g", String(frames), "-keyint_min", String(frames), "-sc_threshold", "0"],
            ...["-bf", String(options.bFrames ?? 0), "-b:v", options.bitrate ?? "800k"],
          ]),
      ...(options.audio === false
        ? []
        : ["-c:a", options.audioCodec ?? "aac", "-b:a", "96k", "-ac", String(options.channels ?? 2)]),
      ...duration,
      ...(options.extra ?? []),
      ...["-f", options.format, options.url],
    ],
    { stopSignal: "SIGTERM", binaryOutput: options.url === "pipe:1" },
  );
}

function evaluate(rate: string): number {
  const [numerator = "30", denominator = "1"] = rate.split("/");
  return Number(numerator) / Number(denominator);
}
