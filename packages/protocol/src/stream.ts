import { z } from "zod";

/** Lower-case letters, digits and hyphens; 1 to 64 of them; begins with a letter or digit. */
export const ChannelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "a channel name has 1 to 64 of a-z, 0-9 and -");

export const StreamId = z.string().regex(/^[a-z0-9]{8,32}$/, "not a stream id");

/** ING5. `starting`: connected, nothing playable yet; `interrupted`: source gone, grace running. */
export const StreamState = z.enum(["starting", "live", "interrupted", "ended"]);
export type StreamState = z.infer<typeof StreamState>;

/** `room`: a room of this server that is on air (RTC2). */
export const IngestProtocol = z.enum(["rtmp", "rtmps", "srt", "whip", "room"]);
export type IngestProtocol = z.infer<typeof IngestProtocol>;

/** Who may watch: `public` is listed, `unlisted` whoever has the address, `private` nobody but the owner. */
export const Visibility = z.enum(["public", "unlisted", "private"]);
export type Visibility = z.infer<typeof Visibility>;

/**
 * ING5: what a broadcast is called, and who may watch it. What is not given to `start` is: the channel's title, no category,
 * `public`, no preview.
 */
export const BroadcastDetails = z.object({
  /** Empty: the channel's. */
  title: z.string().trim().max(120),
  /** Empty: none. */
  category: z.string().trim().max(60),
  visibility: Visibility,
  /** True: nobody sees it but its owner, until this is false or `public_at` has come. */
  preview: z.boolean(),
  /** When the preview ends by itself, within two weeks; a time to come begins a preview. Null: not by itself. */
  public_at: z.iso.datetime({ offset: true }).nullable(),
});
export type BroadcastDetails = z.infer<typeof BroadcastDetails>;

/** Unguessable, and all that its owner's player needs. */
export const PreviewToken = z.string().max(100);

/** What lets its owner, and nobody else, watch a broadcast that is hidden: in preview, or private. */
export const PreviewAccess = z.object({
  /** Good for this broadcast, and for what it goes on as after an outage. */
  token: PreviewToken,
  /** Whole address of a page to watch it on. */
  watch: z.string(),
  /** Path of its multivariant playlist. */
  hls: z.string(),
  /** Path of its WHEP endpoint; null where there is no WebRTC. */
  whep: z.string().nullable(),
});
export type PreviewAccess = z.infer<typeof PreviewAccess>;

/** What is wrong (or merely worth knowing) about a contribution, in words for the encoder's user. */
export const HealthWarning = z.object({ code: z.string(), message: z.string(), since: z.iso.datetime() });
export type HealthWarning = z.infer<typeof HealthWarning>;

export const VideoTrackInfo = z.object({
  codec: z.string(),
  codec_string: z.string(),
  width: z.int(),
  height: z.int(),
  /** Frames a second, as declared or measured; null until known. */
  frame_rate: z.number().nullable(),
  profile: z.string().nullable(),
});

export const AudioTrackInfo = z.object({
  codec: z.string(),
  codec_string: z.string(),
  sample_rate: z.int(),
  channels: z.int(),
});

export const RenditionInfo = z.object({
  name: z.string(),
  kind: z.enum(["video", "audio"]),
  /** `source`: untouched access units; `transcode`: made by FFmpeg. */
  origin: z.enum(["source", "transcode"]),
  state: z.enum(["starting", "live", "stalled", "failed"]),
  width: z.int().nullable(),
  height: z.int().nullable(),
  /** Peak segment bit rate so far, bits/s. */
  bandwidth: z.int(),
  average_bandwidth: z.int(),
  codec_string: z.string().nullable(),
  /** FFmpeg encoder that makes it; null for `source`. */
  encoder: z.string().nullable(),
});
export type RenditionInfo = z.infer<typeof RenditionInfo>;

export const StreamInfo = z.object({
  id: StreamId,
  channel: ChannelName,
  state: StreamState,
  started_at: z.iso.datetime(),
  live_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
  end_reason: z.string().nullable(),
  ingest: z.object({ protocol: IngestProtocol, encoder: z.string().nullable() }).nullable(),
  video: VideoTrackInfo.nullable(),
  audio: AudioTrackInfo.nullable(),
  renditions: z.array(RenditionInfo),
  playback: z.object({ hls: z.string() }),
  ...BroadcastDetails.shape,
  /** Told to who shows a stream key of the channel, or the admin token; null to others. */
  preview_access: PreviewAccess.nullable(),
});
export type StreamInfo = z.infer<typeof StreamInfo>;

/** How a track goes to WebRTC viewers. */
export const RealtimeWay = z.enum(["straight", "transcoded", "impossible"]);
export type RealtimeWay = z.infer<typeof RealtimeWay>;

/** `GET /v1/streams/:id/health` */
export const StreamHealth = z.object({
  stream_id: StreamId,
  state: StreamState,
  warnings: z.array(HealthWarning),
  ingest: z
    .object({
      protocol: IngestProtocol,
      connected_ms: z.int(),
      /** Over the last 5 s, bits/s. */
      bitrate: z.int(),
      /** Over the last 5 s, frames a second. */
      frame_rate: z.number(),
      keyframe_interval_ms: z.int().nullable(),
      bytes: z.int(),
      video_frames: z.int(),
      audio_frames: z.int(),
      /** Times the incoming timestamps jumped or ran backwards. */
      discontinuities: z.int(),
      /** SRT only: link statistics. */
      srt: z.record(z.string(), z.number()).nullable(),
      /** WebRTC (WHIP) only: link statistics, such as `round_trip_ms` and `packets_lost`. */
      webrtc: z.record(z.string(), z.number()).nullable(),
    })
    .nullable(),
  transcode: z
    .object({
      state: z.enum(["off", "starting", "running", "restarting", "failed"]),
      encoder: z.string().nullable(),
      hardware: z.boolean(),
      ffmpeg: z.string().nullable(),
      /** Media seconds made per wall-clock second, over the last 5 s. */
      speed: z.number().nullable(),
      restarts: z.int(),
      last_error: z.string().nullable(),
    })
    .nullable(),
  /** RTC3: what WebRTC viewers are given. */
  realtime: z.object({
    /** Those of them who watch now. */
    viewers: z.int(),
    /** What is made for them of a source that did not come by WebRTC; null while nothing need be made. */
    feed: z
      .object({
        /** `straight`: as it came; `transcoded`: by FFmpeg; `impossible`: this machine cannot; null where there is none. */
        video: RealtimeWay.nullable(),
        audio: RealtimeWay.nullable(),
        /** How much later than its time on the stream's timeline all is sent, so that sound and picture go side by side. */
        delay_ms: z.int().nullable(),
        /** Times that FFmpeg had to be started anew. */
        restarts: z.int(),
      })
      .nullable(),
  }),
  viewers: z.object({
    /**
     * LL-HLS players that waited at this server for the next part of a video rendition, at most at one time within the last
     * seconds. A cache in front counts as one, and players that do not use blocking reloads are not counted.
     */
    hls: z.int(),
    /** Connected by WHEP. */
    webrtc: z.int(),
  }),
  readers: z.array(z.object({ name: z.string(), queued_bytes: z.int(), dropped_access_units: z.int() })),
});
export type StreamHealth = z.infer<typeof StreamHealth>;

/** `POST /v1/streams/start`: the stream key here, or as bearer token. Details change those of a broadcast that is open already. */
export const StartStream = BroadcastDetails.partial().extend({ stream_key: z.string().min(1).max(256).optional() });

/** `PATCH /v1/streams/:id`, with the channel's stream key or the admin token as bearer. */
export const ChangeStream = BroadcastDetails.partial().strict();
export type ChangeStream = z.infer<typeof ChangeStream>;

/** `GET /v1/stream-key`, with a stream key as bearer token: what it opens. Opens nothing itself. */
export const StreamKeyCheck = z.object({
  channel: ChannelName,
  /** The channel's. */
  title: z.string(),
  /** Whole address of the channel's page. */
  watch: z.string(),
  /** The channel's stream in flight, hidden or not; null where there is none. */
  stream_id: StreamId.nullable(),
});
export type StreamKeyCheck = z.infer<typeof StreamKeyCheck>;

/** Answer to `POST /v1/streams/start`: where the encoder goes, and where viewers will. */
export const StartedStream = z.object({
  stream_id: StreamId,
  channel: ChannelName,
  state: StreamState,
  /** The encoder must connect before this, else the stream ends. */
  waits_until: z.iso.datetime().nullable(),
  ingest: z.object({
    rtmp: z.string(),
    rtmps: z.string().nullable(),
    srt: z.string(),
    /** With the stream key as bearer token; null where there is no WebRTC. */
    whip: z.string().nullable(),
  }),
  playback: z.object({ hls: z.string(), watch: z.string() }),
  ...BroadcastDetails.shape,
  preview_access: PreviewAccess,
});

export type StartedStream = z.infer<typeof StartedStream>;

/** `POST /v1/streams/stop`, with the channel's stream key or the admin token as bearer. */
export const StopStream = z.object({ stream_id: StreamId });
