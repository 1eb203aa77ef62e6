import type { CaptureOutlet, SourceCapture, SourceOf } from "./source-capture.ts";

/** What the picker is opened at. */
const SURFACES = { screen: "monitor", window: "window", browser_tab: "browser" } as const;

/** A screen, window or browser tab. Browsers let nobody but their user choose one, each time anew: it waits to be {@link pick}ed. */
export class ScreenCapture implements SourceCapture {
  readonly #outlet: CaptureOutlet;
  #source: SourceOf<"screen">;
  #stream: MediaStream | undefined;
  #picking = 0;

  constructor(source: SourceOf<"screen">, outlet: CaptureOutlet, stream?: MediaStream) {
    this.#source = source;
    this.#outlet = outlet;
    if (stream === undefined) outlet.report({ state: "waiting", problem: { kind: "not_picked" } });
    else this.adopt(stream);
  }

  update(source: SourceOf<"screen">): void {
    this.#source = source;
  }

  retry(): void {
    void this.pick();
  }

  /** Has its user choose. What was shared before goes on until then. @returns false where they did not. */
  async pick(): Promise<boolean> {
    this.#picking += 1;
    const picking = this.#picking;
    if (navigator.mediaDevices === undefined) {
      this.#outlet.report({ state: "failed", problem: { kind: "insecure" } });
      return false;
    }
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia(this.#wishes());
      if (picking !== this.#picking) {
        for (const track of stream.getTracks()) track.stop();
        return false;
      }
      this.adopt(stream);
      return true;
    } catch (error) {
      if (picking !== this.#picking || this.#stream !== undefined) return false;
      const name = error instanceof DOMException ? error.name : "";
      const detail = error instanceof Error ? error.message : String(error);
      // Refused by its user, or by the system: browsers say both in the same way.
      const kind = name === "NotAllowedError" || name === "AbortError" ? "picker_closed" : "unknown";
      this.#outlet.report({ state: kind === "picker_closed" ? "waiting" : "failed", problem: { kind, detail } });
      return false;
    }
  }

  /** Takes what was picked elsewhere. */
  adopt(stream: MediaStream): void {
    this.#picking += 1;
    this.#release();
    const [video] = stream.getVideoTracks();
    const [audio] = stream.getAudioTracks();
    if (video === undefined) {
      this.#outlet.report({ state: "failed", problem: { kind: "unknown", detail: "the stream has no picture" } });
      return;
    }
    this.#stream = stream;
    // Text and edges before motion, which is what screens are shared for.
    video.contentHint = "detail";
    video.addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      this.#release();
      this.#outlet.report({ state: "gone", problem: { kind: "sharing_ended", detail: video.label } });
    });
    // A screen on which nothing moves sends no picture for a while; what it is going to be is known.
    const { width = 0, height = 0 } = video.getSettings();
    this.#outlet.report({ state: "live", video, audio, ...(width > 0 ? { size: { width, height } } : {}) });
  }

  [Symbol.dispose](): void {
    this.#picking += 1;
    this.#release();
  }

  #wishes(): DisplayMediaStreamOptions {
    const { surface, with_audio, with_pointer } = this.#source;
    const options = {
      video: {
        displaySurface: SURFACES[surface],
        cursor: with_pointer ? "always" : "never",
        frameRate: { ideal: 60 },
      },
      audio: with_audio ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false } : false,
      systemAudio: with_audio ? "include" : "exclude",
      // The studio itself would be a tunnel of pictures.
      selfBrowserSurface: "exclude",
      surfaceSwitching: "include",
    };
    return options as DisplayMediaStreamOptions;
  }

  #release(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    for (const track of stream?.getTracks() ?? []) track.stop();
  }
}
