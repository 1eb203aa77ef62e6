import type { EncodePreset, FfmpegBinary, Rung } from "@klieg/ffmpeg";
import {
  deviceOptions,
  encodeOptions,
  inputFilters,
  passthroughOptions,
  transportStreamOptions,
  type VideoEncoder,
} from "@klieg/ffmpeg";
import type { Size } from "./program-layout.ts";
import { SAMPLE_RATE } from "./voice-buffer.ts";

/** FFmpeg's inputs of the program: sound, and pictures. */
export const PROGRAM_AUDIO_FD = 0;
export const PROGRAM_VIDEO_FD = 3;
/** What is made begins so late, seconds: an encoder of sound puts out a little before its first input. */
export const PROGRAM_LEAD_S = 1;

const KEYFRAME_S = 2;
const AUDIO_BITRATE = 128_000;
const LINES_PER_SLICE = 180;
const MAX_SLICES = 4;

/** Decodes one picture and fits it into a tile, as raw I420 frames on standard output, each as soon as it is there. */
export function tileArguments(binary: FfmpegBinary, tile: Size): string[] {
  const { width, height } = tile;
  // By the size of each frame: WebRTC senders change theirs as the network allows.
  const scale = `scale=w='2*trunc(min(${width},${height}*a)/2)':h='2*trunc(min(${height},${width}/a)/2)':flags=bilinear:out_color_matrix=bt709`;
  const pad = `pad=${width}:${height}:'2*trunc((ow-iw)/4)':'2*trunc((oh-ih)/4)':0x1b1e24`;
  return [
    ...["-hide_banner", "-nostdin", "-loglevel", "level+warning"],
    ...["-threads", "1", "-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"],
    ...["-f", "mp4", "-i", "pipe:0", "-map", "0:v:0"],
    ...["-vf", `${scale},${pad},setsar=1,format=yuv420p`],
    ...passthroughOptions(binary),
    ...["-f", "rawvideo", "-flush_packets", "1", "pipe:1"],
  ];
}

/** Raw pictures and samples, counted, into H.264 and AAC in MPEG-TS on standard output. */
export function programArguments(how: {
  readonly rung: Rung;
  readonly encoder: VideoEncoder;
  readonly preset: EncodePreset;
  readonly cores: number;
}): string[] {
  const { rung, encoder } = how;
  const threads = (lines: number) => Math.min(how.cores, MAX_SLICES, Math.max(1, Math.round(lines / LINES_PER_SLICE)));
  const filters = inputFilters(encoder).map(({ filter, options }) =>
    options === undefined ? filter : `${filter}=${options as string}`,
  );
  return [
    ...["-hide_banner", "-nostdin", "-loglevel", "level+warning", ...deviceOptions(encoder)],
    ...[
      "-thread_queue_size",
      "64",
      "-f",
      "s16le",
      "-ar",
      `${SAMPLE_RATE}`,
      "-ac",
      "2",
      "-i",
      `pipe:${PROGRAM_AUDIO_FD}`,
    ],
    ...["-thread_queue_size", "8", "-f", "rawvideo", "-pixel_format", "yuv420p"],
    ...[
      "-video_size",
      `${rung.width}x${rung.height}`,
      "-framerate",
      `${rung.frameRate}`,
      "-i",
      `pipe:${PROGRAM_VIDEO_FD}`,
    ],
    ...["-map", "1:v:0", "-map", "0:a:0"],
    ...(filters.length === 0 ? [] : ["-vf", filters.join(",")]),
    ...encodeOptions(encoder, [rung], { preset: how.preset, threads }),
    ...["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
    ...["-force_key_frames", `expr:gte(t,n_forced*${KEYFRAME_S})`],
    ...["-c:a", "aac", "-b:a", `${AUDIO_BITRATE}`, "-ac", "2", "-ar", `${SAMPLE_RATE}`],
    ...["-output_ts_offset", `${PROGRAM_LEAD_S}`],
    ...transportStreamOptions(1, true),
    ...["-f", "mpegts", "pipe:1"],
  ];
}
