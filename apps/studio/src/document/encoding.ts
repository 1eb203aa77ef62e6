import { z } from "zod";

/** How the program is encoded, once for all destinations. */
export const Encoding = z.strictObject({
  /** `auto`: the GPU where a test encode passes, else the CPU. Others are named as the engine lists them. */
  encoder: z.string().min(1).max(60),
  /** bits/s that the video is to have while the network allows it. */
  video_bitrate: z.int().min(200_000).max(60_000_000),
  /** bits/s. */
  audio_bitrate: z.int().min(32_000).max(512_000),
  /** Seconds from keyframe to keyframe. */
  keyframe_interval: z.int().min(1).max(4),
  /** Whether the bitrate follows the network down, and up again. */
  adaptive: z.boolean(),
});
export type Encoding = z.infer<typeof Encoding>;

export const DEFAULT_ENCODING: Encoding = {
  encoder: "auto",
  video_bitrate: 4_500_000,
  audio_bitrate: 160_000,
  keyframe_interval: 2,
  adaptive: true,
};
