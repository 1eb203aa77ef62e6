import { z } from "zod";
import { BroadcastDetails, ChannelName, StreamId, StreamState } from "./stream.ts";

/** How a channel is watched by those who have not chosen: `hls` (low latency) or `realtime` (WebRTC, where there is any). */
export const PlaybackMode = z.enum(["hls", "realtime"]);
export type PlaybackMode = z.infer<typeof PlaybackMode>;

/** `GET /v1/channels/:channel` */
export const ChannelInfo = z.object({
  name: ChannelName,
  title: z.string(),
  live_stream_id: StreamId.nullable(),
  state: StreamState.nullable(),
  live_since: z.iso.datetime().nullable(),
  playback: z.object({ hls: z.string().nullable(), dash: z.string().nullable(), whep: z.string().nullable() }),
  default_playback: PlaybackMode,
  /** What is on air, as far as whoever asks may see it (ING5); null where nothing is. */
  broadcast: BroadcastDetails.pick({ title: true, category: true, visibility: true, preview: true }).nullable(),
});
export type ChannelInfo = z.infer<typeof ChannelInfo>;

/** `GET /v1/channels` */
export const ChannelList = z.object({ channels: z.array(ChannelInfo) });
export type ChannelList = z.infer<typeof ChannelList>;

/** ING4: what a contribution to the channel may be. */
export const IngestProfile = z.object({
  video_codecs: z.array(z.enum(["h264", "hevc", "av1", "vp9", "vp8"])),
  audio_codecs: z.array(z.enum(["aac", "opus", "mp3"])),
  /** bits/s, averaged over 5 s; sustained excess is refused. */
  max_bitrate: z.int().positive(),
  max_width: z.int().positive(),
  max_height: z.int().positive(),
  max_frame_rate: z.number().positive(),
  max_keyframe_interval_ms: z.int().positive(),
  /** What a keyframe interval beyond the maximum leads to. */
  on_long_keyframe_interval: z.enum(["warn", "refuse"]),
});
export type IngestProfile = z.infer<typeof IngestProfile>;

export const DEFAULT_INGEST_PROFILE: IngestProfile = {
  video_codecs: ["h264", "hevc", "av1", "vp9", "vp8"],
  audio_codecs: ["aac", "opus"],
  max_bitrate: 20_000_000,
  max_width: 3840,
  max_height: 2160,
  max_frame_rate: 61,
  max_keyframe_interval_ms: 4000,
  on_long_keyframe_interval: "warn",
};

/** `POST /v1/channels` */
export const CreateChannel = z.object({ name: ChannelName, title: z.string().trim().min(1).max(120).optional() });

/** `PATCH /v1/channels/:channel` */
export const ChangeChannel = z
  .object({ title: z.string().trim().min(1).max(120), profile: IngestProfile, default_playback: PlaybackMode })
  .partial()
  .strict();

/** A channel as its owner sees it. */
export const ChannelSettings = z.object({
  name: ChannelName,
  title: z.string(),
  profile: IngestProfile,
  default_playback: PlaybackMode,
});

/** `POST /v1/channels/:channel/keys` */
export const CreateStreamKey = z.object({ label: z.string().trim().max(80).default("") });

export const StreamKeyInfo = z.object({
  id: z.string(),
  label: z.string(),
  created_at: z.iso.datetime(),
  revoked_at: z.iso.datetime().nullable(),
});

/** The only answer that ever holds a stream key's text. */
export const CreatedStreamKey = StreamKeyInfo.extend({ stream_key: z.string() });

export const StreamKeyList = z.object({ keys: z.array(StreamKeyInfo) });
