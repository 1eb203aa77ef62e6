import type { SourceState } from "../source.ts";
import { JitterBufferTarget } from "./jitter-buffer-target.ts";
import { PictureLatency } from "./picture-latency.ts";
import { BROWSER_MEANS, type LinkMeans, RealtimeLink } from "./realtime-link.ts";
import type { RealtimeOptions, RealtimePlayback } from "./realtime-playback.ts";
import { layerFor, pinRequest, renditionsOf } from "./session-state.ts";
import type { WhepConnection } from "./whep-connection.ts";

/** From the decoder to the screen, seconds: where the browser cannot tell of the frame itself. */
const DISPLAY_S = 0.02;
/** Out of sight and unheard for so long, nothing is received. */
const UNNOTICED_AFTER_MS = 15_000;

/** Receives a channel from its WHEP door and plays it (RTC1, PLY1). */
export class RealtimeEngine implements RealtimePlayback {
  readonly protocol = "webrtc";
  readonly #options: RealtimeOptions;
  readonly #means: LinkMeans;
  readonly #target = new JitterBufferTarget();
  readonly #listeners = new AbortController();
  #link: RealtimeLink | null = null;
  #latency: PictureLatency | null = null;
  #sourceState: SourceState;
  #ready = false;
  #attached = false;
  #silenced = false;
  #pinned: number | null = null;
  #pinKnown = false;
  #suspended = false;
  #unnoticed = false;
  #paused = false;
  #unnoticedTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: RealtimeOptions, means: LinkMeans = BROWSER_MEANS) {
    this.#options = options;
    this.#means = means;
    this.#sourceState = options.sourceState;
  }

  load(url: string): void {
    const { bridge } = this.#options;
    this.#link = new RealtimeLink({
      endpoint: url,
      means: this.#means,
      sourceState: this.#sourceState,
      prove: (stream, signal) => bridge.show(stream, signal),
      events: {
        connected: (connection) => this.#onConnected(connection),
        flowing: (flows) => this.#attached && this.#options.events.flowing(flows),
        changed: () => this.#onChanged(),
        ended: () => this.#attached && this.#options.events.ended(),
        sampled: (freezes, now) => this.#onSampled(freezes, now),
        gaveUp: (refusal) => !this.#silenced && this.#options.events.gaveUp(refusal),
      },
    });
  }

  attach(): void {
    this.#attached = true;
    const { video } = this.#options;
    this.#latency = new PictureLatency(video);
    const on = (target: EventTarget | undefined, type: string, listener: () => void) =>
      target?.addEventListener(type, listener, { signal: this.#listeners.signal });
    on(video, "loadeddata", () => this.#onPicture());
    on(video, "resize", () => this.#publish());
    on(video, "volumechange", () => this.#watchNotice());
    on(globalThis.document, "visibilitychange", () => this.#watchNotice());
    const stream = this.#link?.connection?.stream;
    if (stream) this.#show(stream);
    this.#publish();
  }

  retreat(): void {
    this.#attached = false;
    this.#silenced = true;
    this.#latency?.close();
    this.#listeners.abort();
    this.#stopTimer();
    const { video, bridge } = this.#options;
    const stream = this.#link?.connection?.stream;
    if (stream) bridge.standIn(stream, video);
    video.srcObject = null;
  }

  setSourceState(state: SourceState): void {
    this.#sourceState = state;
    this.#link?.setSourceState(state);
  }

  refresh(): void {
    void this.#link?.refresh();
  }

  latency(): number | null {
    const shown = this.#latency?.seconds ?? null;
    if (shown !== null) return shown;
    // Half the round trip, and what the frame then took here.
    const { roundTrip } = this.#link?.reception ?? {};
    const { processing, jitterBuffer } = this.#link?.change ?? {};
    const here = processing ?? jitterBuffer ?? null;
    if (roundTrip === undefined || roundTrip === null || here === null) return null;
    return roundTrip / 2 + here + DISPLAY_S;
  }

  statistics() {
    const reception = this.#link?.reception ?? null;
    const change = this.#link?.change ?? null;
    return {
      protocol: "WebRTC" as const,
      latency: this.latency(),
      roundTrip: reception?.roundTrip ?? null,
      loss: change?.loss ?? null,
      jitter: reception?.jitter ?? null,
      jitterBuffer: change?.jitterBuffer ?? null,
      jitterBufferTarget: this.#target.value,
      bitrate: change?.bitrate ?? null,
      bandwidth: this.#link?.state.availableBitrate ?? null,
      codec: reception?.codec ?? null,
      frameSize: this.#size(),
      frameRate: reception?.frameRate ?? null,
      framesDecoded: reception?.framesDecoded ?? 0,
      framesDropped: reception?.framesDropped ?? 0,
      freezes: reception?.freezes ?? 0,
      frozenMs: (reception?.frozenFor ?? 0) * 1000,
      path: reception?.path ?? null,
      reconnects: this.#link?.reconnects ?? 0,
    };
  }

  bandwidth(): number | null {
    // What the server may send is not what could be fetched.
    return null;
  }

  pin(index: number | null): void {
    this.#pinned = index;
    this.#pinKnown = true;
    this.#requestLayer();
  }

  get pinned(): number | null {
    return this.#pinned;
  }

  get automatic(): boolean {
    return this.#pinned === null;
  }

  cap(): void {
    // The server chooses by what the network carries.
  }

  suspend(): void {
    this.#suspended = true;
    this.#followPause();
  }

  resume(): void {
    this.#suspended = false;
    this.#followPause();
  }

  destroy(): void {
    this.#silenced = true;
    this.#listeners.abort();
    this.#latency?.close();
    this.#stopTimer();
    const { video, bridge } = this.#options;
    const stream = this.#link?.connection?.stream;
    this.#link?.close();
    this.#link = null;
    if (bridge.element.srcObject) bridge.clear();
    if (this.#attached && stream && video.srcObject === stream) video.srcObject = null;
    this.#attached = false;
  }

  #onConnected(connection: WhepConnection): void {
    this.#applyTarget(connection);
    if (this.#pinned !== null) this.#requestLayer();
    if (this.#attached) this.#show(connection.stream);
    if (this.#ready) return;
    this.#ready = true;
    this.#options.events.ready();
  }

  #show(stream: MediaStream): void {
    this.#latency?.restart();
    this.#options.video.srcObject = stream;
    this.#options.events.attached();
  }

  /** The element has its own picture: nothing beneath it is needed. */
  #onPicture(): void {
    if (this.#attached) this.#options.bridge.clear();
    this.#publish();
  }

  #onChanged(): void {
    const layers = this.#link?.state.layers ?? [];
    const quality = this.#options.pinned();
    if (!this.#pinKnown && layers.length > 1) {
      this.#pinKnown = true;
      this.#pinned = (quality && layerFor(layers, quality)?.spatial_layer) ?? null;
      if (this.#pinned !== null) this.#requestLayer();
    }
    this.#publish();
  }

  #onSampled(freezes: number, now: number): void {
    const connection = this.#link?.connection;
    if (connection && this.#target.update(freezes, now)) this.#applyTarget(connection);
  }

  #applyTarget({ peer }: WhepConnection): void {
    for (const receiver of peer.getReceivers()) {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = this.#target.value;
    }
  }

  #requestLayer(): void {
    const layers = this.#link?.state.layers ?? [];
    void this.#link?.request("layers", pinRequest(layers, this.#pinned));
  }

  #publish(): void {
    const connection = this.#link?.connection;
    if (!this.#attached || !this.#link || !connection) return;
    const { events } = this.#options;
    if (!connection.hasVideo) {
      const bitrate = this.#link.change?.bitrate ?? 0;
      events.renditions([{ index: 0, width: null, height: null, bitrate, frameRate: null, codecs: "opus" }]);
      events.rendition(0);
      return;
    }
    const size = this.#size();
    if (size === null) return;
    const { state } = this.#link;
    const renditions = renditionsOf(state, size, this.#link.change?.bitrate ?? 0);
    events.renditions(renditions);
    const current = renditions.find(({ index }) => index === state.current) ?? renditions.find(({ height }) => height);
    if (current) events.rendition(current.index);
  }

  #size(): { width: number; height: number } | null {
    const { videoWidth: width, videoHeight: height } = this.#options.video;
    return width > 0 ? { width, height } : null;
  }

  /** Whether anyone notices what is received: it is in sight, in a window of its own, or heard. */
  #watchNotice(): void {
    const { video } = this.#options;
    const hidden = globalThis.document?.visibilityState === "hidden" && document.pictureInPictureElement !== video;
    if (hidden && video.muted) {
      this.#unnoticedTimer ??= setTimeout(() => {
        this.#unnoticed = true;
        this.#followPause();
      }, UNNOTICED_AFTER_MS);
    } else {
      this.#stopTimer();
      this.#unnoticed = false;
      this.#followPause();
    }
  }

  #stopTimer(): void {
    if (this.#unnoticedTimer) clearTimeout(this.#unnoticedTimer);
    this.#unnoticedTimer = null;
  }

  /** The server sends nothing while nothing is noticed. */
  #followPause(): void {
    const pause = this.#suspended || this.#unnoticed;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#link?.suspend();
    else this.#link?.resume();
    void this.#link?.request(pause ? "pause" : "resume", {});
  }
}
