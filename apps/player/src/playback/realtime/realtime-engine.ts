import type { SourceState } from "../source.ts";
import { JitterBufferTarget } from "./jitter-buffer-target.ts";
import { PictureLatency } from "./picture-latency.ts";
import { BROWSER_MEANS, type LinkMeans, RealtimeLink } from "./realtime-link.ts";
import type { RealtimeOptions, RealtimePlayback } from "./realtime-playback.ts";
import type { SessionState } from "./session-state.ts";
import type { WhepConnection } from "./whep-connection.ts";

/** From the decoder to the screen, seconds: where the browser cannot tell of the frame itself. */
const DISPLAY_S = 0.02;

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
  #suspended = false;

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
        state: (state) => this.#onState(state),
        sampled: (freezes, now) => this.#onSampled(freezes, now),
        gaveUp: (refusal) => !this.#silenced && this.#options.events.gaveUp(refusal),
      },
    });
  }

  attach(): void {
    this.#attached = true;
    const { video } = this.#options;
    this.#latency = new PictureLatency(video);
    video.addEventListener("loadeddata", () => this.#onPicture(), { signal: this.#listeners.signal });
    video.addEventListener("resize", () => this.#publish(), { signal: this.#listeners.signal });
    const stream = this.#link?.connection?.stream;
    if (stream) this.#show(stream);
    this.#publish();
  }

  retreat(): void {
    this.#attached = false;
    this.#silenced = true;
    this.#latency?.close();
    this.#listeners.abort();
    const { video, bridge } = this.#options;
    const stream = this.#link?.connection?.stream;
    if (stream) bridge.standIn(stream, video);
    video.srcObject = null;
  }

  setSourceState(state: SourceState): void {
    this.#sourceState = state;
    this.#link?.setSourceState(state);
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
    const { video } = this.#options;
    return {
      protocol: "WebRTC" as const,
      latency: this.latency(),
      roundTrip: reception?.roundTrip ?? null,
      loss: change?.loss ?? null,
      jitter: reception?.jitter ?? null,
      jitterBuffer: change?.jitterBuffer ?? null,
      jitterBufferTarget: this.#target.value,
      bitrate: change?.bitrate ?? null,
      codec: reception?.codec ?? null,
      frameSize: video.videoWidth > 0 ? { width: video.videoWidth, height: video.videoHeight } : null,
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
    return null;
  }

  pin(index: number | null): void {
    this.#pinned = index;
  }

  get automatic(): boolean {
    return this.#pinned === null;
  }

  cap(): void {
    // The server chooses by what the network carries.
  }

  suspend(): void {
    if (this.#suspended) return;
    this.#suspended = true;
    this.#link?.suspend();
    void this.#link?.request("pause", {});
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#link?.resume();
    void this.#link?.request("resume", {});
  }

  destroy(): void {
    this.#silenced = true;
    this.#listeners.abort();
    this.#latency?.close();
    const { video, bridge } = this.#options;
    const stream = this.#link?.connection?.stream;
    this.#link?.close();
    this.#link = null;
    if (bridge.element.srcObject !== null) bridge.clear();
    if (this.#attached && stream && video.srcObject === stream) video.srcObject = null;
    this.#attached = false;
  }

  #onConnected(connection: WhepConnection): void {
    this.#applyTarget(connection);
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

  #onState(_state: SessionState): void {
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

  #publish(): void {
    if (!this.#attached) return;
    const { video, events } = this.#options;
    const hasVideo = this.#link?.connection?.hasVideo ?? true;
    const size = video.videoWidth > 0 ? { width: video.videoWidth, height: video.videoHeight } : null;
    if (hasVideo && size === null) return;
    events.renditions([
      {
        index: 0,
        width: size?.width ?? null,
        height: size?.height ?? null,
        bitrate: 0,
        frameRate: null,
        codecs: hasVideo ? null : "opus",
      },
    ]);
    events.rendition(0);
  }
}
