import { bufferedAhead } from "./buffered.ts";
import type { PlaylistEngine } from "./engine.ts";
import type { LiveTimeline } from "./live-timeline.ts";
import type { PlaylistStatistics, Statistics } from "./playback-state.ts";
import type { RealtimePlayback } from "./realtime/realtime-playback.ts";
import type { Rendition } from "./rendition.ts";
import type { StallWatch } from "./stall-watch.ts";

export interface SessionFigures {
  readonly video: HTMLVideoElement;
  readonly engine: PlaylistEngine | RealtimePlayback | null;
  readonly timeline: LiveTimeline;
  readonly stall: StallWatch;
  readonly rendition: Rendition | null;
  readonly startUpMs: number | null;
  readonly clockOffsetMs: number;
}

/** What there is to say of playback at this moment. */
export function sessionStatistics(figures: SessionFigures): Statistics {
  const { engine, stall, rendition, startUpMs } = figures;
  const stalls = { stalls: stall.count, stalledMs: stall.totalMs(performance.now()) };
  if (engine?.protocol === "webrtc") return { ...engine.statistics(), ...stalls, rendition, startUpMs };
  return { ...playlistStatistics(figures, engine), ...stalls, rendition, startUpMs };
}

function playlistStatistics(
  { video, timeline, clockOffsetMs }: SessionFigures,
  engine: PlaylistEngine | null,
): Omit<PlaylistStatistics, "stalls" | "stalledMs" | "rendition" | "startUpMs"> {
  const edge = engine?.liveEdge() ?? null;
  const frames = video.getVideoPlaybackQuality?.();
  return {
    protocol: engine?.protocol === "native" ? "HLS (native)" : edge?.partTarget ? "LL-HLS" : "HLS",
    latencyByClock: timeline.latencyByClock,
    latencyFromEdge: edge ? edge.edge - video.currentTime : null,
    target: timeline.hold.target,
    holdBack: edge?.holdBack ?? null,
    partTarget: edge?.partTarget ?? null,
    rate: video.playbackRate,
    bufferAhead: bufferedAhead(video),
    bandwidth: engine?.bandwidth() ?? null,
    frameSize: video.videoWidth > 0 ? { width: video.videoWidth, height: video.videoHeight } : null,
    droppedFrames: frames?.droppedVideoFrames ?? 0,
    totalFrames: frames?.totalVideoFrames ?? 0,
    clockOffsetMs,
  };
}
