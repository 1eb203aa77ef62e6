import { bufferedAhead } from "./buffered.ts";
import type { PlaylistEngine } from "./engine.ts";
import type { PlaylistStatistics } from "./playback-state.ts";
import type { Rendition } from "./rendition.ts";
import type { StallWatch } from "./stall-watch.ts";

export interface PlaylistFigures {
  readonly video: HTMLVideoElement;
  readonly engine: PlaylistEngine | null;
  /** Distance from the edge that is held, seconds; null before the first playlist. */
  readonly target: number | null;
  readonly stall: StallWatch;
  readonly rendition: Rendition | null;
  /** By wall clock, seconds. */
  readonly latencyByClock: number | null;
  readonly startUpMs: number | null;
  readonly clockOffsetMs: number;
}

/** What there is to say of playback by playlists at this moment. */
export function playlistStatistics(figures: PlaylistFigures): PlaylistStatistics {
  const { video, engine, stall } = figures;
  const edge = engine?.liveEdge() ?? null;
  const frames = video.getVideoPlaybackQuality?.();
  return {
    protocol: engine?.protocol === "native" ? "HLS (native)" : edge?.partTarget ? "LL-HLS" : "HLS",
    latencyByClock: figures.latencyByClock,
    latencyFromEdge: edge ? edge.edge - video.currentTime : null,
    target: figures.target,
    holdBack: edge?.holdBack ?? null,
    partTarget: edge?.partTarget ?? null,
    rate: video.playbackRate,
    bufferAhead: bufferedAhead(video),
    bandwidth: engine?.bandwidth() ?? null,
    rendition: figures.rendition,
    frameSize: video.videoWidth > 0 ? { width: video.videoWidth, height: video.videoHeight } : null,
    droppedFrames: frames?.droppedVideoFrames ?? 0,
    totalFrames: frames?.totalVideoFrames ?? 0,
    stalls: stall.count,
    stalledMs: stall.totalMs(performance.now()),
    startUpMs: figures.startUpMs,
    clockOffsetMs: figures.clockOffsetMs,
  };
}
