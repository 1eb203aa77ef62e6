import { ChannelWatch } from "../api/channel-watch.ts";
import type { ApiClient } from "../api/client.ts";
import { Bridge } from "../playback/bridge.ts";
import type { ClockOffset } from "../playback/clock-offset.ts";
import type { EngineFactory } from "../playback/engine.ts";
import { LiveSession } from "../playback/live-session.ts";
import type { Preferences } from "../playback/preferences.ts";
import type { RealtimeFactory } from "../playback/realtime/realtime-playback.ts";

export interface ViewerOptions {
  readonly channel: string;
  /** Token of who watches a hidden broadcast of their own. */
  readonly preview?: string | undefined;
  readonly api: Pick<ApiClient, "channel">;
  readonly preferences: Preferences;
  readonly clockOffset: ClockOffset;
  readonly autoplay: boolean;
  readonly startMuted: boolean;
  readonly video: HTMLVideoElement;
  readonly still: HTMLCanvasElement;
  /** A second video element, for real time. */
  readonly bridge: HTMLVideoElement;
  readonly createEngine?: EngineFactory;
  readonly createRealtime?: RealtimeFactory;
}

/** Someone watching a channel: asks how the channel is doing and plays whatever is live on it, for as long as the page is open. */
export class Viewer implements AsyncDisposable {
  readonly watch: ChannelWatch;
  readonly session: LiveSession;
  /** Lies beneath the video, and beneath the bridge. */
  readonly still: HTMLCanvasElement;
  /** Lies beneath the video. */
  readonly bridge: HTMLVideoElement;
  /** The stream that was loaded last, whether or not it still plays. */
  #streamId: string | null = null;
  #unsubscribe: () => void;

  constructor(options: ViewerOptions) {
    const { channel, api, preferences, clockOffset, autoplay, startMuted, video, still, bridge } = options;
    this.still = still;
    this.bridge = bridge;
    this.watch = new ChannelWatch(channel, api, options.preview);
    this.session = new LiveSession({
      video,
      still,
      bridge: new Bridge(bridge),
      preferences,
      clockOffset,
      autoplay,
      startMuted,
      askChannel: () => this.watch.refresh(),
      ...(options.createEngine ? { createEngine: options.createEngine } : {}),
      ...(options.createRealtime ? { createRealtime: options.createRealtime } : {}),
    });
    this.#unsubscribe = this.watch.store.subscribe(() => this.#follow());
    this.#follow();
  }

  close(): void {
    this.#unsubscribe();
    this.watch.close();
    this.session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #follow(): void {
    const { channel } = this.watch.store.getState();
    if (!channel) return;
    const { live_stream_id: streamId, state, playback } = channel;
    if (streamId === null || state === "ended") {
      if (this.#streamId !== null) this.session.setSourceState("ended");
      this.#streamId = null;
      return;
    }
    // Connected, but nothing published yet: the next answer will have a playlist.
    if (state === "starting" || playback.hls === null) return;
    const whep = playback.whep && absolute(playback.whep);
    const defaultMode = channel.default_playback;
    if (streamId !== this.#streamId) {
      this.#streamId = streamId;
      this.session.load({ streamId, url: absolute(playback.hls), whep, defaultMode });
    } else if (whep !== null || state === "live") {
      // While the encoder is gone nothing is to be had in real time; that says nothing about later.
      this.session.offer({ whep, defaultMode });
    }
    this.session.setSourceState(state === "interrupted" ? "interrupted" : "live");
  }
}

function absolute(path: string): string {
  return new URL(path, location.href).href;
}
