import Hls, { type ErrorData, type FragLoadedData, type HlsConfig, type Level, type RetryConfig } from "hls.js";
import type { EngineOptions, LiveEdge, PlaylistEngine } from "./engine.ts";
import { PatientPlaylistLoader } from "./patient-playlist-loader.ts";
import type { Rendition } from "./rendition.ts";
import { SwitchGate } from "./switch-gate.ts";

/** What fails is retried fast, since a live viewer has about a second of cushion. */
const FAST_RETRY = { maxNumRetry: 3, retryDelayMs: 250, maxRetryDelayMs: 2000 };
/** Segments: once more, then another rendition. */
const ONE_RETRY = { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 };
/** A playlist that does not come in time is asked for again: whether the server is there at all is for the session to notice. */
const ASK_AGAIN = { maxNumRetry: 100_000, retryDelayMs: 100, maxRetryDelayMs: 1000 };

/** Two times nearer than this, seconds, are the same. */
const SAME_TIME = 0.02;

function config(bandwidth: number, gate: SwitchGate): Partial<HlsConfig> {
  return {
    debug: import.meta.env.DEV,
    lowLatencyMode: true,
    // CMAF passes through without being remuxed, so a worker would only add a copy and a hop.
    enableWorker: false,
    preferManagedMediaSource: true,
    abrEwmaDefaultEstimate: bandwidth,
    abrEwmaDefaultEstimateMax: Math.max(bandwidth, 5_000_000),
    abrController: throughGate(gate),
    pLoader: PatientPlaylistLoader,
    // The distance from the edge is the LatencyController's business alone: hls.js neither changes the rate nor the target nor jumps.
    maxLiveSyncPlaybackRate: 1,
    liveSyncOnStallIncrease: 0,
    // The size of the picture is capped by the session, without flushing what is buffered.
    capLevelToPlayerSize: false,
    backBufferLength: 30,
    maxBufferLength: 20,
    maxMaxBufferLength: 60,
    // A rendition that failed may be offered again: FFmpeg comes back within seconds.
    errorPenaltyExpireMs: 20_000,
    enableEmsgMetadataCues: false,
    enableID3MetadataCues: false,
    enableDateRangeMetadataCues: false,
    manifestLoadPolicy: policy(8000, ONE_RETRY, { maxNumRetry: 1, retryDelayMs: 500, maxRetryDelayMs: 500 }),
    playlistLoadPolicy: policy(20_000, ASK_AGAIN, FAST_RETRY),
    fragLoadPolicy: policy(15_000, ONE_RETRY, FAST_RETRY),
  };
}

function policy(timeoutMs: number, timeoutRetry: RetryConfig, errorRetry: RetryConfig): HlsConfig["fragLoadPolicy"] {
  return {
    default: { maxTimeToFirstByteMs: timeoutMs, maxLoadTimeMs: timeoutMs * 2, timeoutRetry, errorRetry },
  };
}

/** hls.js's automatic choice, which takes effect when the gate lets it. */
function throughGate(gate: SwitchGate): HlsConfig["abrController"] {
  return class extends Hls.DefaultConfig.abrController {
    override get nextAutoLevel(): number {
      return gate.choose(super.nextAutoLevel, this.hls.loadLevel, performance.now());
    }
    override set nextAutoLevel(index: number) {
      gate.force(index);
      super.nextAutoLevel = index;
    }
  };
}

/** hls.js, in low-latency mode. */
export class HlsEngine implements PlaylistEngine {
  readonly protocol = "hls.js";
  readonly #hls: Hls;
  readonly #gate = new SwitchGate();
  #destroyed = false;

  constructor(options: EngineOptions) {
    const { video, events, chooseStart, bandwidth } = options;
    const hls = new Hls(config(bandwidth, this.#gate));
    this.#hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, (_event, data) => {
      const renditions = data.levels.map(toRendition);
      const { start, pinned, cap } = chooseStart(renditions);
      if (cap !== null) hls.autoLevelCapping = cap;
      if (start !== null) {
        if (pinned) hls.loadLevel = start;
        else hls.startLevel = start;
      }
      events.renditions?.(renditions);
    });
    hls.on(Hls.Events.LEVELS_UPDATED, (_event, data) => events.renditions?.(data.levels.map(toRendition)));
    hls.on(Hls.Events.FRAG_LOADED, (_event, data) => this.#onLoaded(data));
    hls.on(Hls.Events.LEVEL_SWITCHING, (_event, data) => {
      if (data.level !== this.#gate.wanted) return;
      this.#gate.wanted = null;
      hls.loadLevel = data.level;
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (_event, data) => events.rendition?.(data.level));
    hls.on(Hls.Events.ERROR, (_event, data) => events.fault(toFault(data)));
    hls.attachMedia(video);
  }

  load(url: string): void {
    this.#hls.loadSource(url);
  }

  liveEdge(): LiveEdge | null {
    const details = this.#hls.latestLevelDetails;
    if (!details || details.fragments.length === 0) return null;
    const published = details.edge;
    return {
      edge: published + (details.live ? details.age : 0),
      published,
      start: details.fragmentStart,
      holdBack: details.partHoldBack || details.holdBack || details.targetduration * 3,
      partTarget: details.partTarget || null,
      targetDuration: details.targetduration,
      live: details.live,
    };
  }

  playingDate(): number | null {
    const date = this.#hls.playingDate;
    return date ? date.getTime() : null;
  }

  bandwidth(): number | null {
    const estimate = this.#hls.bandwidthEstimate;
    return Number.isFinite(estimate) ? estimate : null;
  }

  pin(index: number | null): void {
    const later = index !== null && index !== this.#hls.loadLevel && this.#gate.midSegment;
    this.#gate.wanted = later ? index : null;
    this.#hls.loadLevel = later ? -1 : (index ?? -1);
  }

  get automatic(): boolean {
    return this.#hls.autoLevelEnabled && this.#gate.wanted === null;
  }

  cap(index: number | null): void {
    this.#hls.autoLevelCapping = index ?? -1;
  }

  stepDown(): void {
    const hls = this.#hls;
    const level = hls.levels[hls.loadLevel];
    if (!hls.autoLevelEnabled || !level || hls.loadLevel <= hls.minAutoLevel) return;
    hls.bandwidthEstimate = level.bitrate * 0.7;
    hls.nextLoadLevel = hls.loadLevel - 1;
  }

  holdAt(target: number): void {
    this.#hls.targetLatency = target;
  }

  suspend(): void {
    this.#hls.stopLoad();
  }

  resume(): void {
    this.#hls.startLoad();
  }

  recoverMedia(): void {
    this.#hls.recoverMediaError();
  }

  swapAudioCodec(): void {
    this.#hls.swapAudioCodec();
    this.#hls.recoverMediaError();
  }

  #onLoaded({ frag, part }: FragLoadedData): void {
    if (frag.type !== "main" || frag.sn === "initSegment") return;
    const open = frag === this.#hls.latestLevelDetails?.fragmentHint;
    this.#gate.loaded(part === null || (!open && part.end > frag.end - SAME_TIME));
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#hls.destroy();
  }
}

function toRendition(level: Level, index: number): Rendition {
  return {
    index,
    width: level.width || null,
    height: level.height || null,
    bitrate: level.bitrate,
    frameRate: level.frameRate || null,
    codecs: [level.videoCodec, level.audioCodec].filter(Boolean).join(", ") || null,
  };
}

function toFault(data: ErrorData) {
  return {
    origin: "engine" as const,
    type: data.type,
    detail: data.details,
    fatal: data.fatal,
    status: data.response?.code ?? null,
    native: false,
  };
}
