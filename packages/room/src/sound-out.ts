/** Plays everybody's sound, one element each, on the output that was chosen. */
export class SoundOut implements Disposable {
  readonly #elements = new Map<string, HTMLAudioElement>();
  readonly #onBlocked: (blocked: boolean) => void;
  #sink: string | null;
  #closed = false;

  /** @param sink output device; null for the system's. @param onBlocked whether the browser waits for a gesture. */
  constructor(sink: string | null, onBlocked: (blocked: boolean) => void) {
    this.#sink = sink;
    this.#onBlocked = onBlocked;
  }

  /** Whether this browser lets pages choose an output. */
  static get choosable(): boolean {
    return typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
  }

  play(id: string, track: MediaStreamTrack): void {
    if (this.#closed) return;
    const element = this.#elements.get(id) ?? new Audio();
    this.#elements.set(id, element);
    element.srcObject = new MediaStream([track]);
    void this.#route(element);
    void this.#start(element);
  }

  stop(id: string): void {
    const element = this.#elements.get(id);
    if (!element) return;
    this.#elements.delete(id);
    element.pause();
    element.srcObject = null;
  }

  /** @param id null for the system's. */
  async use(id: string | null): Promise<void> {
    this.#sink = id;
    await Promise.all([...this.#elements.values()].map((element) => this.#route(element)));
  }

  /** Within a gesture: plays what the browser held back. */
  async unlock(): Promise<void> {
    await Promise.all([...this.#elements.values()].map((element) => this.#start(element)));
  }

  /** Plays so that one can hear which output was chosen. */
  async test(): Promise<void> {
    const context = new AudioContext();
    const gain = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context, { frequency: 660 });
    const target = context.createMediaStreamDestination();
    tone.connect(gain).connect(target);
    const now = context.currentTime;
    for (const [at, level] of [
      [0.02, 0.25],
      [0.18, 0.12],
      [0.5, 0],
    ] as const) {
      gain.gain.linearRampToValueAtTime(level, now + at);
    }
    tone.frequency.setValueAtTime(880, now + 0.18);
    const element = new Audio();
    element.srcObject = target.stream;
    await this.#route(element);
    tone.start();
    tone.stop(now + 0.6);
    tone.addEventListener("ended", () => {
      element.srcObject = null;
      void context.close();
    });
    await this.#start(element);
  }

  close(): void {
    this.#closed = true;
    for (const id of [...this.#elements.keys()]) this.stop(id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #start(element: HTMLAudioElement): Promise<void> {
    try {
      await element.play();
      this.#onBlocked(false);
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#onBlocked(true);
      // A new track in the element, or its end, breaks off the attempt to play the old one.
      else if (!(error instanceof DOMException && error.name === "AbortError")) {
        console.warn("Klieg: a sound did not play:", error);
      }
    }
  }

  async #route(element: HTMLAudioElement): Promise<void> {
    // Not every browser lets pages choose.
    if (!SoundOut.choosable || (this.#sink ?? "") === element.sinkId) return;
    try {
      await element.setSinkId(this.#sink ?? "");
    } catch (error) {
      // Unplugged since it was chosen: the system's output it is.
      console.info("Klieg: the chosen output is not there:", error);
    }
  }
}
