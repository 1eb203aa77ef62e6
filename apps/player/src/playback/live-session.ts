import type { PlaybackMode } from "@klieg/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import { playWithin } from "./autoplay.ts";
import type { Bridge } from "./bridge.ts";
import { bufferedAhead } from "./buffered.ts";
import type { ClockOffset } from "./clock-offset.ts";
import { createEngine } from "./create-engine.ts";
import { mirrorElement, togglePictureInPicture } from "./element-state.ts";
import type { EngineFactory, PlaylistEngine } from "./engine.ts";
import { forgetLastFrame, keepLastFrame } from "./last-frame.ts";
import { LiveTimeline } from "./live-timeline.ts";
import { Loudness } from "./loudness.ts";
import { ModeSwitch } from "./mode-switch.ts";
import { INITIAL_STATE, type PlaybackState, type Statistics, UNPLAYED } from "./playback-state.ts";
import type { Preferences } from "./preferences.ts";
import { QualityChoice } from "./quality-choice.ts";
import type { RealtimeFactory, RealtimePlayback } from "./realtime/realtime-playback.ts";
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
import { FIRST_VISIT_BANDWIDTH, type Rendition } from "./rendition.ts";
import { sessionStatistics } from "./session-statistics.ts";
import type { Source, SourceState } from "./source.ts";
import { isStuckLoading, StallWatch } from "./stall-watch.ts";

const TICK_MS = 250;
/** Playing this long without a fault ends a row of attempts. */
const SETTLED_AFTER_MS = 10_000;
/** Paused longer than this, fetching stops. */
const SUSPEND_AFTER_MS = 30_000;
/** Less media ahead than this, seconds, is none. */
const DRY = 0.15;
/** Without a picture in real time by then, low latency begins to load beside it. */
const HEAD_START_MS = 1500;
/** In real time for so long, what went wrong before counts no more. */
const REALTIME_SETTLED_AFTER_MS = 60_000;

export interface LiveSessionOptions {
  /** The element to play in; the session is its only owner until closed. */
  readonly video: HTMLVideoElement;
  /** Lies beneath the element and keeps its last frame while there is no other; null to go black. */
  readonly still: HTMLCanvasElement | null;
  /** Lies between the two; null where there is no real time. */
  readonly bridge: Bridge | null;
  readonly preferences: Preferences;
  readonly clockOffset: ClockOffset;
  /** Playback needs to know how the channel is doing: it waits, or the source is gone. */
  readonly askChannel: () => void;
  /** False: begin only when the viewer asks for it. */
  readonly autoplay: boolean;
  /** Begin without sound, whatever is remembered. */
  readonly startMuted: boolean;
  readonly createEngine?: EngineFactory;
  readonly createRealtime?: RealtimeFactory;
}

/**
 * Plays one channel's live sources in one video element: the autoplay policy, real time or low latency, the distance from the live
 * edge, the choice of rendition and recovery. Knows nothing of React; `store` is what there is to show.
 */
export class LiveSession implements AsyncDisposable {
  readonly store: StoreApi<PlaybackState>;
  readonly loudness: Loudness;
  readonly #options: LiveSessionOptions;
  readonly #video: HTMLVideoElement;
  readonly #timeline: LiveTimeline;
  readonly #quality: QualityChoice;
  readonly #modes: ModeSwitch;
  readonly #stall = new StallWatch();
  readonly #listeners = new AbortController();
  #closed = false;
  #engine: PlaylistEngine | RealtimePlayback | null = null;
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

  constructor(options: LiveSessionOptions) {
    const { video, preferences, bridge } = options;
    this.#options = options;
    this.#video = video;
    this.#wantsPlay = options.autoplay;
    this.loudness = new Loudness(video, preferences, options.startMuted);
    this.store = createStore<PlaybackState>(() => ({ ...INITIAL_STATE, volume: video.volume, muted: video.muted }));
    this.#timeline = new LiveTimeline({
      video,
      store: this.store,
      clockOffset: options.clockOffset,
      engine: () => (this.#engine && this.#engine.protocol !== "webrtc" ? this.#engine : null),
    });
    this.#quality = new QualityChoice({ video, preferences, store: this.store, engine: () => this.#engine });
    this.#modes = new ModeSwitch({
      video,
      bridge,
      preferences,
      store: this.store,
      quality: this.#quality,
      createRealtime: options.createRealtime,
      events: {
        ready: () => this.#takeRealtime(),
        attached: () => void this.#requestPlay(),
        flowing: (flows) => this.#onFlowing(flows),
        ended: () => options.askChannel(),
        refused: () => this.#onRefused(),
        lost: () => this.#onLost(),
      },
    });
    this.#listen();
  }

  /** The element that is played in. */
  get video(): HTMLVideoElement {
    return this.#video;
  }

  /** Plays `source`, in place of what was played before. The same source again does nothing. */
  load(source: Source): void {
    if (this.#closed || (this.#source?.streamId === source.streamId && this.#source.url === source.url)) return;
    this.#source = source;
    this.#sourceState = "live";
    this.#memory = FRESH;
    this.#startUpMs = null;
    this.#generation++;
    this.#stopTimers();
    this.#engine?.destroy();
    this.#engine = null;
    if (this.#options.still) forgetLastFrame(this.#options.still);
    this.#set({ pictured: false });
    this.#modes.renew();
    this.#modes.offer(source);
    if (!this.#wantsPlay) {
      this.#set({ ...UNPLAYED, phase: "ready" });
      return;
    }
    this.#start();
  }

  /** Tells how the source that is loaded may be watched; that may change while it plays. */
  offer(source: Pick<Source, "whep" | "defaultMode">): void {
    if (this.#source) this.#modes.offer(source);
  }

  /** The viewer wants real time, or low latency. Kept for later visits. */
  setMode(mode: PlaybackMode): void {
    this.#modes.choose(mode);
    if (mode === "realtime") this.#modes.consider(performance.now());
    else if (this.#engine?.protocol === "webrtc") void this.#startPlaylist();
  }

  /** The viewer was told. */
  dismissNotice(): void {
    this.#set({ notice: null });
  }

  /** Tells what the channel says about the encoder. After `ended`, what is buffered is played to its end. */
  setSourceState(state: SourceState): void {
    // The engine gets its time from the moment at which there is media again.
    if (state !== this.#sourceState) this.#stall.restart(performance.now());
    this.#sourceState = state;
    this.#modes.setSourceState(state);
    const realtime = this.#engine?.protocol === "webrtc" ? this.#engine : null;
    realtime?.setSourceState(state);
    // In real time nothing is buffered that could still be played.
    if (state === "ended" && (realtime || this.store.getState().phase !== "playing")) this.#finish();
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
    this.#takeRealtime();
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
    if (this.#source) this.#start();
  }

  /** Returns to the live edge, and plays. */
  goLive(): void {
    this.#timeline.goLive();
    if (this.#video.paused) this.play();
  }

  /** Goes to `time` on the element's timeline, seconds, kept within the live window. */
  seekTo(time: number): void {
    this.#timeline.seekTo(time);
  }

  seekBy(seconds: number): void {
    this.seekTo(this.#video.currentTime + seconds);
  }

  /** The viewer looks at the qualities that there are. */
  refreshQualities(): void {
    if (this.#engine?.protocol === "webrtc") this.#engine.refresh();
  }

  /** Pins a rendition, or leaves the choice to the bandwidth when null. Kept for later sources and visits. */
  setQuality(rendition: Rendition | null): void {
    this.#quality.set(rendition);
  }

  togglePictureInPicture(): Promise<void> {
    return togglePictureInPicture(this.#video);
  }

  statistics(): Statistics {
    return sessionStatistics({
      video: this.#video,
      engine: this.#engine,
      timeline: this.#timeline,
      stall: this.#stall,
      rendition: this.store.getState().current,
      startUpMs: this.#startUpMs,
      clockOffsetMs: this.#options.clockOffset.offset,
    });
  }

  /** Ends everything and gives the element back empty. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#generation++;
    this.#listeners.abort();
    this.#quality[Symbol.dispose]();
    this.#stopTimers();
    this.#engine?.destroy();
    this.#engine = null;
    this.#modes[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Begins with the source as it is wanted: in real time, or at once by playlists. */
  #start(): void {
    if (!this.#source || this.#closed) return;
    this.#loadedAt = performance.now();
    this.#modes.bring(this.#loadedAt);
    if (this.#engine || !this.#modes.coming) {
      void this.#startPlaylist();
      return;
    }
    this.#set({ ...UNPLAYED, ...this.#kept(), phase: "loading" });
    this.#keepTicking();
    this.#retryAfter(HEAD_START_MS, () => void this.#startPlaylist());
  }

  /** What a new attempt at the same source leaves as it is. */
  #kept(): Pick<PlaybackState, "withheld" | "pictured" | "failure"> {
    const { withheld, failure, pictured } = this.store.getState();
    return {
      withheld,
      pictured: pictured && this.#options.still !== null,
      // The words of a failed attempt stay until the next one succeeds: they must not flicker.
      failure: failure && { ...failure, retryAt: null },
    };
  }

  async #startPlaylist(): Promise<void> {
    const source = this.#source;
    if (!source || this.#closed) return;
    const generation = ++this.#generation;
    this.#stopTimers();
    this.#dropEngine();
    this.#timeline.hold.reset();
    this.#stall.end(performance.now());
    this.#playingSince = null;
    this.#suspended = false;
    this.#loadedAt = performance.now();
    this.#set({ ...UNPLAYED, ...this.#kept(), mode: "hls", phase: "loading" });
    try {
      const engine = await (this.#options.createEngine ?? createEngine)({
        video: this.#video,
        bandwidth: this.#options.preferences.current.bandwidth ?? FIRST_VISIT_BANDWIDTH,
        chooseStart: (renditions) => this.#quality.start(renditions),
        events: {
          renditions: (list) => this.#isCurrent(generation) && this.#quality.offer(list),
          rendition: (index) => this.#isCurrent(generation) && this.#quality.show(index),
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
    this.#keepTicking();
    void this.#requestPlay();
  }

  /** Frees the element. What comes in real time stays in sight until there is another picture. */
  #dropEngine(): void {
    const engine = this.#engine;
    if (!engine) return;
    this.#engine = null;
    if (this.#options.still) keepLastFrame(this.#video, this.#options.still);
    if (engine.protocol === "webrtc" && this.#source) this.#modes.retire(engine);
    else engine.destroy();
  }

  #isCurrent(generation: number): boolean {
    return !this.#closed && generation === this.#generation;
  }

  /** Puts real time on screen, if it is ready and the viewer is watching. */
  #takeRealtime(): void {
    const engine = this.#wantsPlay ? this.#modes.take() : null;
    if (!engine) return;
    this.#generation++;
    this.#stopTimers();
    this.#dropEngine();
    this.#timeline.hold.reset();
    this.#engine = engine;
    const { phase } = this.store.getState();
    this.#set({
      following: true,
      latency: null,
      window: null,
      failure: null,
      // What plays goes on playing, in the viewer's eyes.
      phase: phase === "playing" || phase === "waiting" ? phase : "loading",
    });
    this.#video.playbackRate = 1;
    engine.attach();
    this.#keepTicking();
  }

  /** Real time is not to be had. */
  #onRefused(): void {
    if (!this.#engine && this.store.getState().phase !== "failed") void this.#startPlaylist();
  }

  /** Real time is not to be had any more. */
  #onLost(): void {
    if (this.#options.still) keepLastFrame(this.#video, this.#options.still);
    this.#engine?.destroy();
    this.#engine = null;
    this.#options.askChannel();
    void this.#startPlaylist();
  }

  #onFault(fault: Fault): void {
    const engine = this.#engine;
    if (engine?.protocol === "webrtc") {
      console.warn(`Klieg: ${fault.detail}, in real time`);
      this.#modes.lose();
      this.#onLost();
      return;
    }
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
        engine?.recoverMedia();
        void this.#requestPlay();
        return;
      case "swap-audio-codec":
        engine?.swapAudioCodec();
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
        this.#retryAfter(recovery.afterMs, () => void this.#startPlaylist());
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
    this.#source = null;
    this.#modes.abandon();
    // The engine stays attached, so that the last frame stays on screen; a connection is not kept for that.
    if (this.#engine?.protocol === "webrtc") this.#dropEngine();
    else this.#engine?.suspend();
    this.#sourceState = "live";
    this.#set({ phase: "ended", failure: null, window: null, latency: null });
    this.#options.askChannel();
  }

  #keepTicking(): void {
    this.#tickTimer ??= setInterval(() => this.#tick(), TICK_MS);
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
    // A stream's tracks end with its connection; another one follows.
    on("ended", () => this.#engine?.protocol !== "webrtc" && this.#finish());
    on("loadeddata", () => this.#onFirstFrame());
    on("error", () => this.#onElementError());
    mirrorElement(this.#video, this.store, this.#listeners.signal);
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
      this.#timeline.begin(now);
    }
    if (this.#stall.waiting) this.#timeline.hold.resumed(now);
    this.#modes.settle();
    this.#stall.end(now);
    this.#playingSince = now;
    this.#pausedSince = null;
    this.#wantsPlay = true;
    this.#set({ phase: "playing", failure: null });
  }

  /** In real time the element does not tell. */
  #onFlowing(flows: boolean): void {
    if (!flows) this.#onWaiting();
    else if (this.store.getState().phase === "waiting") this.#onPlaying();
  }

  #onWaiting(): void {
    if (this.#video.paused || this.store.getState().phase !== "playing") return;
    const now = performance.now();
    const seeking = this.#video.seeking;
    this.#playingSince = null;
    this.#stall.begin(now, !seeking);
    // With media left it is the decoder that hesitates, and more cushion would not help.
    const dry = !seeking && bufferedAhead(this.#video) < DRY;
    if (dry) this.#timeline.ranDry(now);
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
    if (engine?.protocol === "webrtc") this.#set({ latency: engine.latency() });
    else this.#timeline.tick(now);
    this.#watchWaiting(now);
    const steadyMs = this.#playingSince === null ? 0 : now - this.#playingSince;
    if (steadyMs > SETTLED_AFTER_MS) this.#memory = settled(this.#memory);
    if (steadyMs > REALTIME_SETTLED_AFTER_MS && engine?.protocol === "webrtc") this.#modes.steady();
    if (this.#pausedSince !== null && !this.#suspended && now - this.#pausedSince > SUSPEND_AFTER_MS) {
      this.#suspended = true;
      this.#engine?.suspend();
      this.#modes.abandon();
    }
    this.#quality.tick(now, this.#playingSince !== null);
    this.#modes.consider(now);
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
    else if (due === "stuck" && this.#sourceState === "live" && this.#engine?.protocol !== "webrtc") {
      this.#onFault(watchdogFault("no media although the source is live"));
    }
  }

  #set(change: Partial<PlaybackState>): void {
    if (!this.#closed) this.store.setState(change);
  }
}
