import type { Rung } from "./rung.ts";

/** How much work software encoding puts into each frame; x264's names. */
export type EncodePreset = "veryfast" | "superfast";

/** H.264 encoders that are known here, as FFmpeg names them. */
export type VideoEncoderName =
  | "h264_nvenc"
  | "h264_qsv"
  | "h264_vaapi"
  | "h264_amf"
  | "h264_videotoolbox"
  | "libx264"
  | "libopenh264";

/** An encoder of one FFmpeg, with what is needed to use it. */
export interface VideoEncoder {
  readonly name: VideoEncoderName;
  readonly hardware: boolean;
  /** Render node of the GPU, for those that want one named, e.g. `/dev/dri/renderD128`. */
  readonly device: string | undefined;
  /** Names of its private options and of their constants, as `ffmpeg -h encoder=` lists them: they differ by version. */
  readonly options: ReadonlySet<string>;
}

/** An FFmpeg filter in the form fluent-ffmpeg takes. */
export interface Filter {
  readonly filter: string;
  readonly options?: string | Readonly<Record<string, string | number>>;
}

/** Frames between keyframes that the encoder may add by itself: more than any source's keyframe interval. */
const NO_OWN_KEYFRAMES = 9000;
/** The decoder's buffer holds one second at the rung's bit rate: a peak is short. */
const BUFFER_SECONDS = 1;

/** What must stand before the input: the device, for encoders that take frames from its memory. */
export function deviceOptions(encoder: VideoEncoder): string[] {
  if (encoder.name !== "h264_vaapi" || encoder.device === undefined) return [];
  return ["-init_hw_device", `vaapi=gpu:${encoder.device}`, "-filter_hw_device", "gpu"];
}

/** Brings 8-bit 4:2:0 frames into the form that the encoder takes. */
export function inputFilters(encoder: VideoEncoder): Filter[] {
  switch (encoder.name) {
    case "h264_vaapi":
      return [{ filter: "format", options: "nv12" }, { filter: "hwupload" }];
    case "h264_qsv":
    case "h264_amf":
      return [{ filter: "format", options: "nv12" }];
    default:
      return []; // they take planes as they are
  }
}

/**
 * Output options that make H.264 of every rung with `encoder`: no B-frames (the rungs are also sent over WebRTC), no
 * look-ahead, an IDR picture where one is asked for and nowhere else, bit rate capped by a one-second buffer.
 * @param threads that software may use for a picture of `lines` lines.
 */
export function encodeOptions(
  encoder: VideoEncoder,
  rungs: readonly Rung[],
  software: { readonly preset: EncodePreset; readonly threads: (lines: number) => number },
): string[] {
  const options = [
    "-c:v",
    encoder.name,
    "-bf",
    "0",
    "-g",
    `${NO_OWN_KEYFRAMES}`,
    ...ownOptions(encoder, software.preset),
  ];
  for (const [i, rung] of rungs.entries()) {
    const bits = `${rung.bitrate}`;
    options.push(`-b:v:${i}`, bits, `-maxrate:v:${i}`, bits, `-bufsize:v:${i}`, `${rung.bitrate * BUFFER_SECONDS}`);
    if (encoder.hardware) continue;
    options.push(`-threads:v:${i}`, `${software.threads(Math.min(rung.width, rung.height))}`);
    // The 2018 FFmpeg takes the time base, 90 kHz, for the frame rate; its x264 would give each frame a 90 000th of a second's bits.
    if (encoder.name === "libx264") options.push(`-x264-params:v:${i}`, `force-cfr=1:fps=${decimal(rung.frameRate)}`);
  }
  return options;
}

/** Output options that hold H.264 to the constrained baseline profile, where the encoder can be told. */
export function constrainedBaselineOptions(encoder: VideoEncoder): string[] {
  // x264 takes the name as it is; what it makes of "baseline" is constrained.
  if (encoder.name === "libx264") return ["-profile:v", "baseline"];
  const name = ["constrained_baseline", "baseline"].find((known) => encoder.options.has(known));
  return name === undefined ? [] : ["-profile:v", name];
}

function ownOptions(encoder: VideoEncoder, preset: EncodePreset): string[] {
  const known = (option: string, value: string) => (encoder.options.has(option) ? [`-${option}`, value] : []);
  switch (encoder.name) {
    case "libx264":
      return ["-preset", preset, "-tune", "zerolatency", "-sc_threshold", "0", "-forced-idr", "1"];
    case "libopenh264":
      return [...known("rc_mode", "bitrate"), ...known("allow_skip_frames", "0")];
    case "h264_nvenc":
      return [
        // Presets p1 to p7 came with `-tune`; before, latency was a matter of the preset.
        ...(encoder.options.has("p4") ? ["-preset", "p4", "-tune", "ll"] : ["-preset", "llhq"]),
        ...known("rc", "cbr"),
        ...known("zerolatency", "1"),
        ...known("delay", "0"),
        ...known("forced-idr", "1"),
        ...known("no-scenecut", "1"),
        ...known("rc-lookahead", "0"),
      ];
    case "h264_qsv":
      return [
        ...known("preset", "veryfast"),
        ...known("async_depth", "1"),
        ...known("look_ahead", "0"),
        ...known("forced_idr", "1"),
      ];
    case "h264_vaapi":
      return [...known("rc_mode", "CBR"), ...known("async_depth", "1")];
    case "h264_amf":
      return [
        ...known("usage", "lowlatency"),
        ...known("quality", "speed"),
        ...known("rc", "cbr"),
        ...known("forced_idr", "1"),
        ...known("preanalysis", "0"),
      ];
    case "h264_videotoolbox":
      return [...known("realtime", "1"), ...known("prio_speed", "1"), ...known("allow_sw", "0")];
  }
}

/** At most three decimals, none where there are none. */
export function decimal(value: number): string {
  return `${Math.round(value * 1000) / 1000}`;
}
