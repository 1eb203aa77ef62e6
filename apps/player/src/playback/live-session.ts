import { createStore, type StoreApi } from "zustand/vanilla";
import { playWithin } from "./autoplay.ts";
import { bufferedAhead } from "./buffered.ts";
import type { ClockOffset } from "./clock-offset.ts";
import { createEngine } from "./create-engine.ts";
import type { EngineFactory, LiveEdge, PlaybackEngine } from "./engine.ts";
import { forgetLastFrame, keepLastFrame } from "./last-frame.ts";
import { LiveHold } from "./live-hold.ts";
import { Loudness } from "./loudness.ts";
import { INITIAL_STATE, type LiveWindow, type PlaybackState, type Statistics } from "./playback-state.ts";
import type { Preferences } from "./preferences.ts";
import {
  decide,
  elementFault,
  type Fault,
  FRESH,
  networkFault,
  type RecoveryMemory,
  settled,
  watchdogFault,
} from "./recovery.ts";
import {
  capForBox,
  FIRST_VISIT_BANDWIDTH,
  findPinned,
  pinOf,
  type Rendition,
  startingRendition,
  viewBoxOf,
} from "./rendition.ts";
import type { Source, SourceState } from "./source.ts";
import { isStuckLoading, StallWatch } from "./stall-watch.ts";

const TICK_MS = 250;
/** Playing this long without a fault ends a row of attempts. */
const SETTLED_AFTER_MS = 10_000;
/** Paused longer than this, fetching stops. */
const SUSPEND_AFTER_MS = 30_000;
/** Nearer to the live position than this counts as live. Seconds. */
const LIVE_TOLERANCE = 1.5;
/** Less media ahead than this, seconds, is none. */
const DRY = 0.15;
const REPIN_AFTER_MS = 30_000;
const REMEMBER_BANDWIDTH_EVERY_MS = 10_000;

export interface LiveSessionOptions {
  /** The element to play in; the session is its only owner until closed. */
  readonly video: HTMLVideoElement;
  /** Lies beneath the element and keeps its last frame while there is no other; null to go black. */
  readonly still: HTMLCanvasElement | null;
  readonly preferences: Preferences;
  readonly clockOffset: ClockOffset;
  /** Playback needs to know how the channel is doing: it waits, or the source is gone. */
  readonly askChannel: () => void;
  /** False: begin only when the viewer asks for it. */
  readonly autoplay: boolean;
  /** Begin without sound, whatever is remembered. */
  readonly startMuted: boolean;
  readonly createEngine?: EngineFactory;
}

/**
 * Plays one channel's live sources in one video element: the autoplay policy, the distance from the live edge, the choice of
 * rendition and recovery. Knows nothing of React; `store` is what there is to show.
 */
export class LiveSession implements AsyncDisposable {
  readonly store: StoreApi<PlaybackState>;
  readonly loudness: Loudness;
  readonly #options: LiveSessionOptions;
  readonly #video: HTMLVideoElement;
  readonly #hold: LiveHold;
  readonly #stall = new StallWatch();
  readonly #listeners = new AbortController();
  readonly #resize: ResizeObserver | null;
  #closed = false;
  #engine: PlaybackEngine | null = null;
  /** Counts sources and attempts, so that an answer to an older one is recognised. */
  #generation = 0;
  #source: Source | null = null;
  #sourceState: SourceState = "live";
  #memory: RecoveryMemory = FRESH;
  #wantsPlay: boolean;
  #tickTimer: ReturnType<typeof setInterval> | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #playingSince: number | null = null;
  #pausedSince: number | null = null;
  #suspended = false;
  #loadedAt = 0;
  #startUpMs: number | null = null;
  #bandwidthRememberedAt = 0;
  #repinAt: number | null = null;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    this.#video = options.video;
    this.#hold = new LiveHold(options.video);
    this.#wantsPlay = options.autoplay;
    this.loudness = new Loudness(options.video, options.preferences, options.startMuted);
    const { volume, muted } = options.video;
    this.store = createStore<PlaybackState>(() => ({ ...INITIAL_STATE, volume, muted }));
    this.#listen();
    this.#resize = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => this.#applyCap());
    this.#resize?.observe(this.#video);
  }

  /** The element that is played in. */
  get video(): HTMLVideoElement {
    return this.#video;
  }

  /** Plays `source`, in place of what was played before. The same source again does nothing. */
  load(source: Source): void {
    if (this.#closed || (this.#source?.streamId === source.streamId && this.#source.url === source.url)) return;
    this.#source = source;
    this.#memory = FRESH;
    this.#startUpMs = null;
    this.#generation++;
    this.#stopTimers();
    this.#dropEngine();
    if (this.#options.still) forgetLastFrame(this.#options.still);
    this.#set({ pictured: false });
    if (!this.#wantsPlay) {
      this.#set({ ...INITIAL_STATE, phase: "ready" });
      return;
    }
    void this.#start();
  }

  /** Tells what the channel says about the encoder. After `ended`, what is buffered is played to its end. */
  setSourceState(state: SourceState): void {
    // The engine gets its time from the moment at which there is media again.
    if (state !== this.#sourceState) this.#stall.restart(performance.now());
    this.#sourceState = state;
    if (state === "ended" && this.store.getState().phase !== "playing") this.#finish();
  }

  play(): void {
    this.#wantsPlay = true;
    const { phase } = this.store.getState();
    if (phase === "ready" || phase === "failed") {
      this.retry();
      return;
    }
    if (this.#suspended) {
      this.#suspended = false;
      this.#engine?.resume();
    }
    void this.#requestPlay();
  }

  pause(): void {
    this.#wantsPlay = false;
    this.#video.pause();
  }

  togglePlay(): void {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  /** Starts the source afresh, now, and plays. */
  retry(): void {
    this.#wantsPlay = true;
    if (this.#source) void this.#start();
  }

  /** Returns to the live edge, and plays. */
  goLive(): void {
    const edge = this.#engine?.liveEdge();
    this.#hold.restart();
    this.#set({ following: true });
    if (edge) this.#video.currentTime = this.#hold.livePosition(edge);
    if (this.#video.paused) this.play();
  }

  /** Goes to `time` on the element's timeline, seconds, kept within the live window. */
  seekTo(time: number): void {
    const edge = this.#engine?.liveEdge();
    if (!edge) return;
    const live = this.#hold.livePosition(edge);
    if (time >= live - LIVE_TOLERANCE) {
      this.#set({ following: true });
      this.#hold.restart();
      this.#video.currentTime = live;
    } else {
      this.#set({ following: false });
      this.#video.currentTime = Math.max(time, edge.start + 0.1);
    }
    this.#tick();
  }

  seekBy(seconds: number): void {
    this.seekTo(this.#video.currentTime + seconds);
  }

  /** Pins a rendition, or leaves the choice to the bandwidth when null. Kept for later sources and visits. */
  setQuality(rendition: Rendition | null): void {
    this.#options.preferences.update({ quality: rendition ? pinOf(rendition) : null });
    this.#pin(rendition);
  }

  async togglePictureInPicture(): Promise<void> {
    if (document.pictureInPictureElement === this.#video) await document.exitPictureInPicture();
    else if (document.pictureInPictureEnabled && this.#video.videoWidth > 0)
      await this.#video.requestPictureInPicture();
  }

  statistics(): Statistics {
    const edge = this.#engine?.liveEdge() ?? null;
    const frames = this.#video.getVideoPlaybackQuality?.();
    const { current } = this.store.getState();
    return {
      protocol: this.#engine?.protocol === "native" ? "HLS (native)" : edge?.partTarget ? "LL-HLS" : "HLS",
      latencyByClock: this.#latencyByClock(),
      latencyFromEdge: edge ? edge.edge - this.#video.currentTime : null,
      target: this.#hold.target,
      holdBack: edge?.holdBack ?? null,
      partTarget: edge?.partTarget ?? null,
      rate: this.#video.playbackRate,
      bufferAhead: bufferedAhead(this.#video),
      bandwidth: this.#engine?.bandwidth() ?? null,
      rendition: current,
      frameSize: this.#video.videoWidth > 0 ? { width: this.#video.videoWidth, height: this.#video.videoHeight } : null,
      droppedFrames: frames?.droppedVideoFrames ?? 0,
      totalFrames: frames?.totalVideoFrames ?? 0,
      stalls: this.#stall.count,
      stalledMs: this.#stall.totalMs(performance.now()),
      startUpMs: this.#startUpMs,
      clockOffsetMs: this.#options.clockOffset.offset,
    };
  }

  /** Ends everything and gives the element back empty. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#generation++;
    this.#listeners.abort();
    this.#resize?.disconnect();
    this.#stopTimers();
    this.#engine?.destroy();
    this.#engine = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #start(): Promise<void> {
    const source = this.#source;
    if (!source || this.#closed) return;
    const generation = ++this.#generation;
    this.#stopTimers();
    this.#dropEngine();
    this.#hold.reset();
    this.#stall.end(performance.now());
    this.#playingSince = null;
    this.#suspended = false;
    this.#loadedAt = performance.now();
    const { withheld, failure, pictured } = this.store.getState();
    this.#set({
      ...INITIAL_STATE,
      withheld,
      pictured: pictured && this.#options.still !== null,
      // The words of a failed attempt stay until the next one succeeds: they must not flicker.
      failure: failure && { ...failure, retryAt: null },
      phase: "loading",
    });
    try {
      const engine = await (this.#options.createEngine ?? createEngine)({
        video: this.#video,
        bandwidth: this.#options.preferences.current.bandwidth ?? FIRST_VISIT_BANDWIDTH,
        chooseStart: (renditions) => this.#chooseStart(renditions),
        events: {
          renditions: (list) => this.#isCurrent(generation) && this.#onRenditions(list),
          rendition: (index) => this.#isCurrent(generation) && this.#onRendition(index),
          fault: (fault) => this.#isCurrent(generation) && this.#onFault(fault),
        },
      });
      if (!this.#isCurrent(generation)) {
        engine.destroy();
        return;
      }
      this.#engine = engine;
      engine.load(source.url);
    } catch (error) {
      // The engine's code itself could not be fetched.
      if (this.#isCurrent(generation)) this.#onFault(networkFault(String(error)));
      return;
    }
    this.#tickTimer = setInterval(() => this.#tick(), TICK_MS);
    void this.#requestPlay();
  }

  #dropEngine(): void {
    if (!this.#engine) return;
    if (this.#options.still) keepLastFrame(this.#video, this.#options.still);
    this.#engine.destroy();
    this.#engine = null;
  }

  #isCurrent(generation: number): boolean {
    return !this.#closed && generation === this.#generation;
  }

  #chooseStart(renditions: readonly Rendition[]) {
    const { quality, bandwidth } = this.#options.preferences.current;
    const cap = capForBox(renditions, viewBoxOf(this.#video));
    const pinned = quality ? findPinned(renditions, quality) : null;
    const start = pinned ?? startingRendition(renditions, bandwidth, cap);
    return { start: start?.index ?? null, pinned: pinned !== null, cap: cap?.index ?? null };
  }

  #onRenditions(renditions: readonly Rendition[]): void {
    const { quality } = this.#options.preferences.current;
    const automatic = this.#engine?.automatic ?? true;
    const pinned = quality && !automatic ? findPinned(renditions, quality) : null;
    const hasVideo = renditions.some((rendition) => rendition.height !== null || rendition.codecs === null);
    this.#set({ renditions, pinned, hasVideo });
    this.#applyCap();
  }

  #onRendition(index: number): void {
    const { renditions, pinned } = this.store.getState();
    const current = renditions.find((rendition) => rendition.index === index) ?? null;
    const released = this.#engine?.automatic ?? true;
    // A pinned rendition that failed is left for another; once things are calm it is asked for again.
    if (pinned && released) this.#repinAt = performance.now() + REPIN_AFTER_MS;
    this.#set({ current, pinned: released ? null : pinned });
  }

  #pin(rendition: Rendition | null): void {
    this.#repinAt = null;
    this.#engine?.pin(rendition?.index ?? null);
    this.#set({ pinned: rendition });
  }

  #onFault(fault: Fault): void {
    const { recovery, memory } = decide(fault, this.#memory, performance.now(), Math.random());
    this.#memory = memory;
    if (recovery.act !== "none") console.warn(`Klieg: ${fault.detail}, status ${fault.status} → ${recovery.act}`);
    switch (recovery.act) {
      case "none":
        return;
      case "resume-load":
        this.#retryAfter(recovery.afterMs, () => this.#engine?.resume());
        return;
      case "recover-media":
        this.#engine?.recoverMedia();
        void this.#requestPlay();
        return;
      case "swap-audio-codec":
        this.#engine?.swapAudioCodec();
        void this.#requestPlay();
        return;
      case "reload": {
        if (recovery.askChannel) this.#options.askChannel();
        // A source whose end was announced is not missed.
        if (this.#sourceState === "ended") {
          this.#finish();
          return;
        }
        const failure = {
          reason: recovery.reason,
          retryAt: performance.now() + recovery.afterMs,
          attempt: memory.network,
        };
        this.#set({ failure });
        this.#retryAfter(recovery.afterMs, () => void this.#start());
        return;
      }
      case "give-up":
        this.#generation++;
        this.#stopTimers();
        this.#dropEngine();
        this.#set({ phase: "failed", failure: { reason: recovery.reason, retryAt: null, attempt: memory.network } });
        return;
    }
  }

  #retryAfter(ms: number, action: () => void): void {
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
    const generation = this.#generation;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      if (this.#isCurrent(generation)) action();
    }, ms);
  }

  async #requestPlay(): Promise<void> {
    if (!this.#wantsPlay) return;
    const generation = this.#generation;
    const outcome = await playWithin(this.#video);
    if (!this.#isCurrent(generation) || outcome === "superseded") return;
    if (outcome === "playing-muted") this.loudness.yieldToPolicy();
    if (outcome === "denied") {
      this.#wantsPlay = false;
      this.#set({ withheld: "playback", phase: "paused" });
      return;
    }
    this.#set({ withheld: this.loudness.mutedByPolicy ? "sound" : null });
  }

  #finish(): void {
    const { phase } = this.store.getState();
    if (phase === "ended" || phase === "idle") return;
    this.#generation++;
    this.#stopTimers();
    // The engine stays attached, so that the last frame stays on screen.
    this.#engine?.suspend();
    this.#source = null;
    this.#sourceState = "live";
    this.#set({ phase: "ended", failure: null, window: null, latency: null });
    this.#options.askChannel();
  }

  #stopTimers(): void {
    if (this.#tickTimer) clearInterval(this.#tickTimer);
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
    this.#tickTimer = null;
    this.#retryTimer = null;
  }

  #listen(): void {
    const on = (type: keyof HTMLVideoElementEventMap, listener: () => void) =>
      this.#video.addEventListener(type, listener, { signal: this.#listeners.signal });
    on("playing", () => this.#onPlaying());
    on("waiting", () => this.#onWaiting());
    on("pause", () => this.#onPause());
    on("ended", () => this.#finish());
    on("loadeddata", () => this.#onFirstFrame());
    on("error", () => this.#onElementError());
    on("volumechange", () => {
      const withheld = this.store.getState().withheld;
      this.#set({
        volume: this.#video.volume,
        muted: this.#video.muted,
        withheld: withheld === "sound" && !this.#video.muted ? null : withheld,
      });
    });
    on("enterpictureinpicture", () => this.#set({ pictureInPicture: true }));
    on("leavepictureinpicture", () => this.#set({ pictureInPicture: false }));
  }

  #onFirstFrame(): void {
    // A source restarted by recovery stays paused when the viewer had paused it.
    this.#set({ pictured: true, ...(this.#wantsPlay ? {} : { phase: "paused" as const }) });
  }

  #onPlaying(): void {
    const now = performance.now();
    if (this.#startUpMs === null) {
      this.#startUpMs = now - this.#loadedAt;
      performance.mark("klieg-first-frame");
      const edge = this.#engine?.liveEdge();
      if (edge?.live && this.#engine?.protocol === "hls.js") this.#hold.begin(edge, now);
    }
    if (this.#stall.waiting) this.#hold.resumed(now);
    this.#stall.end(now);
    this.#playingSince = now;
    this.#pausedSince = null;
    this.#wantsPlay = true;
    this.#set({ phase: "playing", failure: null });
  }

  #onWaiting(): void {
    if (this.#video.paused || this.store.getState().phase !== "playing") return;
    const now = performance.now();
    const seeking = this.#video.seeking;
    this.#playingSince = null;
    this.#stall.begin(now, !seeking);
    // With media left it is the decoder that hesitates, and more cushion would not help.
    const dry = !seeking && bufferedAhead(this.#video) < DRY;
    if (dry && this.#engine?.protocol === "hls.js") this.#hold.ranDry(now);
    this.#set({ phase: "waiting" });
    if (this.#sourceState === "ended") this.#finish();
  }

  #onPause(): void {
    if (this.#video.ended || this.#source === null) return;
    const { phase } = this.store.getState();
    if (phase !== "playing" && phase !== "waiting") return;
    // Also paused from outside: a media key, the picture-in-picture window, a headset unplugged.
    this.#wantsPlay = false;
    this.#playingSince = null;
    this.#pausedSince = performance.now();
    this.#stall.end(this.#pausedSince);
    this.#set({ phase: "paused" });
  }

  #onElementError(): void {
    const error = this.#video.error;
    if (!error || !this.#engine) return;
    this.#onFault(elementFault(error, this.#engine.protocol === "native"));
  }

  #tick(): void {
    const now = performance.now();
    const engine = this.#engine;
    const edge = engine?.liveEdge() ?? null;
    if (engine && edge) {
      const { following, phase } = this.store.getState();
      this.#hold.tick(engine, edge, now, following && phase === "playing", phase === "waiting");
      this.#publish(edge);
    } else if (engine) {
      this.#set({ latency: this.#latencyByClock() });
    }
    this.#watchWaiting(now);
    const steady = this.#playingSince !== null && now - this.#playingSince > SETTLED_AFTER_MS;
    if (steady) this.#memory = settled(this.#memory);
    if (this.#pausedSince !== null && !this.#suspended && now - this.#pausedSince > SUSPEND_AFTER_MS) {
      this.#suspended = true;
      this.#engine?.suspend();
    }
    const { quality } = this.#options.preferences.current;
    if (quality && this.#repinAt !== null && now > this.#repinAt) {
      this.#pin(findPinned(this.store.getState().renditions, quality));
    }
    this.#rememberBandwidth(now);
  }

  #publish(edge: LiveEdge): void {
    const position = this.#video.currentTime;
    const end = this.#hold.livePosition(edge);
    const window: LiveWindow = { start: edge.start, end: Math.max(edge.start, end), position };
    const { following, phase } = this.store.getState();
    const behind = end - position;
    const byClock = this.#latencyByClock();
    this.#set({
      window,
      latency: byClock ?? edge.edge - position,
      // A pause of a moment does not end being live; catching up closes the rest.
      following: phase === "paused" ? following && behind < LIVE_TOLERANCE : following,
    });
  }

  #watchWaiting(now: number): void {
    const { phase } = this.store.getState();
    if (this.#retryTimer !== null) return;
    if (phase === "loading" && isStuckLoading(this.#loadedAt, now)) {
      this.#onFault(watchdogFault("nothing to show after loading"));
      return;
    }
    if (phase !== "waiting") return;
    const due = this.#stall.due(now);
    if (this.#sourceState === "ended") this.#finish();
    else if (due === "ask") this.#options.askChannel();
    else if (due === "stuck" && this.#sourceState === "live") {
      this.#onFault(watchdogFault("no media although the source is live"));
    }
  }

  #latencyByClock(): number | null {
    const date = this.#engine?.playingDate() ?? null;
    return date === null ? null : this.#options.clockOffset.secondsSince(date, Date.now());
  }

  #applyCap(): void {
    const { renditions } = this.store.getState();
    if (renditions.length > 0) this.#engine?.cap(capForBox(renditions, viewBoxOf(this.#video))?.index ?? null);
  }

  #rememberBandwidth(now: number): void {
    if (now - this.#bandwidthRememberedAt < REMEMBER_BANDWIDTH_EVERY_MS || this.#playingSince === null) return;
    this.#bandwidthRememberedAt = now;
    const bandwidth = this.#engine?.bandwidth() ?? null;
    if (bandwidth !== null) this.#options.preferences.update({ bandwidth: Math.round(bandwidth) });
  }

  #set(change: Partial<PlaybackState>): void {
    if (!this.#closed) this.store.setState(change);
  }
}
