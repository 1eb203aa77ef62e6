import type { VideoEncoderName } from "@klieg/ffmpeg";

const LABELS: Readonly<Record<VideoEncoderName, string>> = {
  h264_nvenc: "NVIDIA GPU",
  h264_qsv: "Intel GPU (Quick Sync)",
  h264_vaapi: "GPU (VAAPI)",
  h264_amf: "AMD GPU",
  h264_videotoolbox: "Apple GPU (VideoToolbox)",
  libx264: "CPU (x264)",
  libopenh264: "CPU (OpenH264)",
};

/** For people. */
export function encoderLabel(name: VideoEncoderName): string {
  return LABELS[name];
}
