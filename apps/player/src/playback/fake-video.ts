/** A video element for tests: a clock that is moved by hand, and the events that a browser would send. */
export class FakeVideo extends EventTarget {
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  ended = false;
  seeking = false;
  videoWidth = 0;
  videoHeight = 0;
  clientWidth = 1280;
  clientHeight = 720;
  readyState = 0;
  error: { code: number; message: string } | null = null;
  ranges: [number, number][] = [];
  /** What the autoplay policy allows. */
  policy: "sound" | "muted" | "nothing" = "sound";
  #muted = false;
  #volume = 1;

  get buffered() {
    return {
      length: this.ranges.length,
      start: (index: number) => this.ranges[index]?.[0] ?? 0,
      end: (index: number) => this.ranges[index]?.[1] ?? 0,
    };
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    this.send("volumechange");
  }

  get volume(): number {
    return this.#volume;
  }

  set volume(volume: number) {
    this.#volume = volume;
    this.send("volumechange");
  }

  async play(): Promise<void> {
    if (this.policy === "nothing" || (this.policy === "muted" && !this.#muted)) {
      throw new DOMException("A gesture is needed.", "NotAllowedError");
    }
    this.paused = false;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.send("pause");
  }

  send(type: string): void {
    this.dispatchEvent(new Event(type));
  }

  /** As a session wants it. */
  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }
}
