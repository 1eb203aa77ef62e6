import type { AccessUnit, AudioTrack, VideoTrack } from "@klieg/media";
import { h264TrackFromConfig } from "@klieg/media";

/** A real H.264 configuration (640x360, 30 frames a second, Constrained Baseline, made by x264). */
const AVCC = Buffer.from("0142c01effe100196742c01eda0280bfe5c044000003000400000300f03c58ba8001000468ce0fc8", "hex");

export const VIDEO: VideoTrack = h264TrackFromConfig(0, AVCC);
export const AUDIO: AudioTrack = {
  kind: "audio",
  id: 0,
  codec: "aac",
  config: Buffer.from("1190", "hex"),
  codecString: "mp4a.40.2",
  sampleRate: 48_000,
  channels: 2,
};

/** A picture of `bytes`, in form only. @param dts 90 kHz ticks. */
export function picture(dts: number, options: Partial<AccessUnit> & { bytes?: number } = {}): AccessUnit {
  const { bytes = 100, ...rest } = options;
  return { track: VIDEO, dts, pts: dts, keyframe: false, data: Buffer.alloc(bytes, 1), ...rest };
}

/** A frame of sound, in form only. @param dts 90 kHz ticks. */
export function sound(dts: number, options: Partial<AccessUnit> = {}): AccessUnit {
  return { track: AUDIO, dts, pts: dts, keyframe: true, data: Buffer.alloc(64, 2), ...options };
}
