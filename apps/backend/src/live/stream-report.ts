import type { BroadcastDetails, IngestProtocol, PreviewAccess, StreamHealth, StreamInfo } from "@klieg/protocol";
import type { ContributionSession } from "../stream/contribution.ts";
import type { Broadcast } from "./broadcast.ts";

/**
 * `GET /v1/streams/:id`.
 * @param hlsPath path of its multivariant playlist.
 * @param access for its owner only.
 */
export function infoOf(broadcast: Broadcast, hlsPath: string, access: PreviewAccess | null): StreamInfo {
  const { stream, packager } = broadcast;
  const { video, audio, contribution } = stream;
  return {
    id: stream.id,
    channel: stream.channel,
    state: stream.state,
    started_at: iso(stream.startedAt),
    live_at: stream.liveAt === undefined ? null : iso(stream.liveAt),
    ended_at: stream.endedAt === undefined ? null : iso(stream.endedAt),
    end_reason: stream.endReason?.message ?? null,
    ingest:
      contribution === undefined
        ? null
        : { protocol: contribution.session.protocol, encoder: contribution.session.encoder ?? null },
    video:
      video === undefined
        ? null
        : {
            codec: video.codec,
            codec_string: video.codecString,
            width: video.width,
            height: video.height,
            frame_rate: video.frameRate ?? measuredFrameRate(broadcast),
            profile: video.profile ?? null,
          },
    audio:
      audio === undefined
        ? null
        : {
            codec: audio.codec,
            codec_string: audio.codecString,
            sample_rate: audio.sampleRate,
            channels: audio.channels,
          },
    renditions: packager.describe(),
    playback: { hls: hlsPath },
    ...detailsOf(broadcast),
    preview_access: access,
  };
}

/** What it is called, and who may see it. */
export function detailsOf({ audience }: Broadcast): BroadcastDetails {
  const { title, category, visibility, preview, publicAt } = audience;
  return { title, category, visibility, preview, public_at: publicAt === undefined ? null : iso(publicAt) };
}

/** `GET /v1/streams/:id/health`. */
export function healthOf(broadcast: Broadcast): StreamHealth {
  const { stream } = broadcast;
  const { contribution } = stream;
  const { now } = stream;
  return {
    stream_id: stream.id,
    state: stream.state,
    warnings: [
      ...(stream.lastRefusal === undefined ? [] : [stream.lastRefusal]),
      ...(contribution?.guard.warnings ?? []),
      ...broadcast.warnings,
    ],
    ingest:
      contribution === undefined
        ? null
        : {
            protocol: contribution.session.protocol,
            connected_ms: Math.round(now - contribution.connectedAt),
            bitrate: Math.round(contribution.meter.bitrate(now)),
            frame_rate: Math.round(contribution.meter.frameRate(now) * 100) / 100,
            keyframe_interval_ms: round(contribution.meter.keyframeIntervalMs),
            bytes: contribution.meter.bytes,
            video_frames: contribution.meter.videoFrames,
            audio_frames: contribution.meter.audioFrames,
            discontinuities: stream.timeline.counts.jumps,
            srt: statisticsOf(contribution.session, "srt"),
            webrtc: statisticsOf(contribution.session, "whip"),
          },
    transcode: broadcast.transcodeHealth,
    realtime: realtimeHealthOf(broadcast),
    viewers: { hls: broadcast.packager.followers, webrtc: broadcast.realtime.watchers },
    readers: [...stream.readers].map((reader) => ({
      name: reader.name,
      queued_bytes: reader.queuedBytes,
      dropped_access_units: reader.droppedAccessUnits,
    })),
  };
}

function realtimeHealthOf({ realtime }: Broadcast): StreamHealth["realtime"] {
  const { feed, watchers } = realtime;
  if (feed === undefined) return { viewers: watchers, feed: null };
  const { video = null, audio = null } = feed.ways;
  return { viewers: watchers, feed: { video, audio, delay_ms: round(feed.delayMs), restarts: feed.restarts } };
}

function statisticsOf(session: ContributionSession, protocol: IngestProtocol): Record<string, number> | null {
  return session.protocol === protocol ? (session.linkStatistics?.() ?? null) : null;
}

function measuredFrameRate(broadcast: Broadcast): number | null {
  const rate = broadcast.stream.contribution?.meter.mediaFrameRate;
  return rate === undefined ? null : Math.round(rate * 100) / 100;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function round(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}
