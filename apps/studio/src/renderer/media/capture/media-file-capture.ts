import type { EngineCaptures } from "./engine-captures.ts";
import type { CaptureOutlet, SourceCapture, SourceOf } from "./source-capture.ts";
import { EngineCapture } from "./stream-capture.ts";

/** A film or sound file of the show, played by the browser; one of a format that it does not know, by the engine. */
export class MediaFileCapture implements SourceCapture {
  readonly #outlet: CaptureOutlet;
  readonly #assetUrl: (path: string) => string;
  readonly #engine: EngineCaptures;
  readonly #player: HTMLVideoElement;
  readonly #stop = new AbortController();
  #source: SourceOf<"media_file">;
  #onAir = false;
  #tracks: MediaStreamTrack[] = [];
  /** What the engine plays in the browser's stead. */
  #byEngine: EngineCapture | undefined;

  constructor(
    source: SourceOf<"media_file">,
    outlet: CaptureOutlet,
    assetUrl: (path: string) => string,
    engine: EngineCaptures,
  ) {
    this.#source = source;
    this.#engine = engine;
    this.#outlet = outlet;
    this.#assetUrl = assetUrl;
    const player = document.createElement("video");
    this.#player = player;
    // What is captured of it is heard by way of the mixer alone.
    player.muted = true;
    player.playsInline = true;
    player.preload = "auto";
    player.loop = source.loop;
    const { signal } = this.#stop;
    player.addEventListener("loadeddata", () => this.#loaded(), { signal });
    player.addEventListener("error", () => void this.#failed(), { signal });
    this.#load();
  }

  update(source: SourceOf<"media_file">): void {
    const { path, loop } = this.#source;
    this.#source = source;
    this.#player.loop = source.loop;
    if (path !== source.path) this.#load();
    else if (this.#byEngine !== undefined && loop !== source.loop) this.#playByEngine();
  }

  retry(): void {
    this.#load();
  }

  /** Plays from its beginning. */
  restart(): void {
    if (this.#byEngine !== undefined) {
      this.#byEngine.restart();
      return;
    }
    this.#player.currentTime = 0;
    this.#play();
  }

  /** Whether a scene with it is on air. */
  set onAir(onAir: boolean) {
    const comes = onAir && !this.#onAir;
    this.#onAir = onAir;
    if (comes && this.#source.on_air === "restart") this.restart();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#release();
    this.#player.removeAttribute("src");
    this.#player.load();
  }

  #load(): void {
    this.#release();
    this.#outlet.report({ state: "opening" });
    this.#player.crossOrigin = "anonymous";
    this.#player.src = this.#assetUrl(this.#source.path);
  }

  #loaded(): void {
    this.#release();
    const { videoWidth: width, videoHeight: height } = this.#player;
    const stream = (this.#player as CapturableElement).captureStream();
    const [video] = stream.getVideoTracks();
    const [audio] = stream.getAudioTracks();
    this.#tracks = [...stream.getTracks()];
    this.#outlet.report({ state: "live", video, audio, ...(width > 0 ? { size: { width, height } } : {}) });
    this.#play();
  }

  #release(): void {
    for (const track of this.#tracks) track.stop();
    this.#tracks = [];
    this.#byEngine?.[Symbol.dispose]();
    this.#byEngine = undefined;
  }

  #playByEngine(): void {
    this.#release();
    const { id, path: asset_id, loop } = this.#source;
    const input = { kind: "file", asset_id, loop, hardware_decode: true } as const;
    this.#byEngine = new EngineCapture(this.#engine, this.#outlet, id, input);
  }

  #play(): void {
    this.#player.play().catch((error: unknown) => {
      // Another file took its place before it began.
      if (this.#stop.signal.aborted || (error instanceof DOMException && error.name === "AbortError")) return;
      const detail = error instanceof Error ? error.message : String(error);
      this.#outlet.report({ state: "failed", problem: { kind: "unreadable_file", detail } });
    });
  }

  /** The player does not tell a file that is not there from one that it cannot read. */
  async #failed(): Promise<void> {
    const { path } = this.#source;
    const detail = this.#player.error?.message ?? "";
    if (this.#byEngine !== undefined) return;
    this.#release();
    const { signal } = this.#stop;
    const there = await fetch(this.#assetUrl(path), { method: "HEAD", signal }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (signal.aborted || path !== this.#source.path) return;
    if (there) this.#playByEngine();
    else this.#outlet.report({ state: "failed", problem: { kind: "missing_file", detail } });
  }
}

/** In browsers for years, in no standard that the library's types know. */
interface CapturableElement extends HTMLVideoElement {
  captureStream(): MediaStream;
}
