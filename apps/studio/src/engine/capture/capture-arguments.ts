import {
  decimal,
  deviceOptions,
  encodeOptions,
  type FfmpegBinary,
  inputFilters,
  passthroughOptions,
  type Rung,
  slices,
  transportStreamOptions,
  type VideoEncoder,
} from "@klieg/ffmpeg";
import type { DescribedVideo } from "./input-description.ts";
import type { FfmpegInput } from "./stream-address.ts";

/** How pictures are made anew for a page that would not take them as they are. */
export interface Conversion {
  readonly encoder: VideoEncoder;
  /** What comes. */
  readonly video: DescribedVideo;
}

/** Decode timestamps of reordered pictures would be before zero; what comes out begins so late, s. */
const LEAD_S = 1;
/** Pictures are made no larger than this for the way to the page, pixels. */
const MOST_ACROSS = 1920;
const MOST_DOWN = 1080;
const MOST_FRAME_RATE = 60;
const USUAL_FRAME_RATE = 30;
/** Plenty: it is encoded once more on the way to viewers. */
const BITS_PER_PIXEL = 0.2;
const KEYFRAME_S = 1;
const AUDIO_BITRATE = 256_000;

/** Size and rate of what is made of a picture. */
export function conversionRung(video: DescribedVideo): Rung {
  const across = video.width * video.pixelAspect;
  const scale = Math.min(1, MOST_ACROSS / across, MOST_DOWN / video.height);
  const even = (pixels: number) => Math.max(16, 2 * Math.round(pixels / 2));
  const width = even(across * scale);
  const height = even(video.height * scale);
  const frameRate = Math.min(MOST_FRAME_RATE, video.frameRate ?? USUAL_FRAME_RATE);
  const bitrate = Math.max(1_000_000, Math.round(width * height * frameRate * BITS_PER_PIXEL));
  return { name: "capture", width, height, frameRate, frameRateDivisor: 1, bitrate };
}

/**
 * Arguments for FFmpeg: an input in; out on standard output MPEG-TS of H.264 and AAC at 48 kHz in stereo, of whichever of both
 * there is.
 * @param conversion undefined: pictures are handed on as they come, whatever they are.
 */
export function captureArguments(
  binary: FfmpegBinary,
  input: FfmpegInput,
  conversion: Conversion | undefined,
  cores: number,
): string[] {
  return [
    ...["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"],
    ...(conversion === undefined ? [] : deviceOptions(conversion.encoder)),
    ...(conversion === undefined ? withoutDecoding(input.args) : input.args),
    ...["-map", "0:V:0?", "-map", "0:a:0?"],
    ...(conversion === undefined ? ["-c:v", "copy"] : conversionOptions(binary, conversion, cores)),
    // Holes are filled with silence, so that sound stays with the picture.
    ...[
      "-c:a",
      "aac",
      "-b:a",
      `${AUDIO_BITRATE}`,
      "-ac",
      "2",
      "-ar",
      "48000",
      "-af",
      "aresample=async=1:min_hard_comp=0.1",
    ],
    ...["-output_ts_offset", `${LEAD_S}`],
    ...transportStreamOptions(1, true),
    ...["-f", "mpegts", "pipe:1"],
  ];
}

/** Asking for a hardware decoder where nothing is decoded takes time, and a place on the GPU. */
function withoutDecoding(args: readonly string[]): readonly string[] {
  return args[0] === "-hwaccel" ? args.slice(2) : args;
}

function conversionOptions(binary: FfmpegBinary, { encoder, video }: Conversion, cores: number): string[] {
  const rung = conversionRung(video);
  const filters = [
    ...((video.frameRate ?? 0) > MOST_FRAME_RATE ? [`fps=${MOST_FRAME_RATE}`] : []),
    ...(video.interlaced ? ["yadif=deint=interlaced"] : []),
    `scale=${rung.width}:${rung.height}:flags=bicubic:out_color_matrix=bt709:out_range=tv`,
    "setsar=1",
    "format=yuv420p",
    ...inputFilters(encoder).map(({ filter, options }) =>
      options === undefined ? filter : `${filter}=${options as string}`,
    ),
  ];
  return [
    ...["-vf", filters.join(",")],
    ...encodeOptions(encoder, [rung], { preset: "superfast", threads: slices(cores) }),
    ...passthroughOptions(binary),
    ...["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
    ...["-force_key_frames", `expr:gte(t,n_forced*${decimal(KEYFRAME_S)})`],
  ];
}
