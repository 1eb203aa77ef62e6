/** Shorter than a syllable, ms. */
const EVERY_MS = 80;
/** What a meter shows as nothing and as full, dBFS. */
const FLOOR_DB = -60;
const CEILING_DB = -8;

/** How far a meter goes out at this level, 0 to 1. @param decibels dBFS or dBov. */
export function meterOf(decibels: number): number {
  return Math.min(1, Math.max(0, (decibels - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

/** Root mean square of samples of -1 to 1, dBFS. */
export function decibelsOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
}

/**
 * Measures what a microphone hears, muted or not: it listens to a copy of the track. The copy is as captured and no packet of it
 * leaves the tab.
 */
export class LevelMeter implements Disposable {
  readonly #context: AudioContext;
  readonly #copy: MediaStreamTrack;
  readonly #timer: ReturnType<typeof setInterval>;
  #closed = false;

  /** @param onLevel dBFS, several times a second. */
  constructor(track: MediaStreamTrack, onLevel: (decibels: number) => void) {
    this.#context = new AudioContext();
    this.#copy = track.clone();
    this.#copy.enabled = true;
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 2048;
    this.#context.createMediaStreamSource(new MediaStream([this.#copy])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      // Made before the person did anything: browsers let it run only after that.
      if (this.#context.state === "suspended" && navigator.userActivation?.hasBeenActive !== false) {
        void this.#context.resume();
      }
      analyser.getFloatTimeDomainData(samples);
      onLevel(decibelsOf(samples));
    }, EVERY_MS);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#copy.stop();
    void this.#context.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
