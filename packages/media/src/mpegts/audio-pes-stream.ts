import { type AudioTrack, TICKS_PER_SECOND } from "../access-unit.ts";
import type { AudioFrame, AudioFramer } from "./audio-framer.ts";
import type { PesHeader } from "./pes-header.ts";
import type { PesSink } from "./pes-reader.ts";
import type { StreamContext } from "./stream-context.ts";

/** A second of anything that is audio is less. */
const MAX_PES_BYTES = 256 * 1024;
const FIRST_CAPACITY = 4 * 1024;

/**
 * Makes access units of the PES packets of one audio stream. The first frame that begins in a PES packet has its
 * PTS; those behind it follow by their number of samples, counted from there, so that rounding never adds up.
 */
export class AudioPesStream implements PesSink {
  readonly #context: StreamContext;
  readonly #framer: AudioFramer;
  #bytes = new Uint8Array(0);
  #length = 0;
  /** The rest of the PES packet under way is not wanted. */
  #skipping = true;
  #announced: AudioTrack | undefined;
  #track: AudioTrack | undefined;
  /** PTS of the PES packet under way; −1 when it has none, or its frame has it. */
  #pesTime = -1;
  /** PTS of an earlier PES packet whose frame goes on in this one; −1 for none. */
  #carriedTime = -1;
  /** What frames are counted from; −1 before the first PTS. */
  #base = -1;
  #samples = 0;
  #sampleRate = 0;
  #discontinuityAhead = false;
  #discontinuity = false;
  readonly #onFrame = (frame: AudioFrame, track: AudioTrack) => this.#handOn(frame, track);
  readonly #onTrouble = (message: string) => this.#context.warn("audio_malformed", message);

  constructor(context: StreamContext, framer: AudioFramer) {
    this.#context = context;
    this.#framer = framer;
  }

  get track(): AudioTrack | undefined {
    return this.#track;
  }

  /** The next frame with a timestamp is the first on another timeline. */
  markDiscontinuity(): void {
    this.#discontinuityAhead = true;
  }

  onPesStart(header: PesHeader): void {
    this.#length = 0;
    this.#skipping = false;
    if (this.#pesTime >= 0) this.#carriedTime = this.#pesTime;
    this.#pesTime = header.pts < 0 ? -1 : this.#context.unwrap(header.pts);
    if (this.#pesTime >= 0 && this.#discontinuityAhead) {
      this.#discontinuityAhead = false;
      this.#discontinuity = true;
      this.#carriedTime = -1;
      this.#framer.reset();
    }
  }

  onPesData(data: Uint8Array, start: number, end: number): void {
    if (this.#skipping) return;
    const length = this.#length + end - start;
    if (length > this.#bytes.length) {
      if (length > MAX_PES_BYTES) {
        this.#context.warn("pes_too_large", `an audio PES packet of more than ${MAX_PES_BYTES} bytes`);
        this.onPesLost();
        return;
      }
      const grown = new Uint8Array(Math.max(FIRST_CAPACITY, length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(data.subarray(start, end), this.#length);
    this.#length = length;
  }

  onPesEnd(): void {
    if (this.#length === 0) return;
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.#framer.push(bytes, this.#onFrame, this.#onTrouble);
  }

  onPesContinued(): void {} // the framer takes frames in pieces

  onPesLost(): void {
    this.#length = 0;
    this.#skipping = true;
    this.#pesTime = -1;
    this.#carriedTime = -1;
    this.#base = -1;
    this.#framer.reset();
  }

  /** Forgets what is pending: an audio frame is handed on as soon as it is whole. */
  flush(): void {
    this.#length = 0;
    this.#framer.reset();
  }

  #handOn(frame: AudioFrame, announced: AudioTrack): void {
    const track = this.#trackOf(announced);
    const time = frame.beginsHere ? this.#pesTime : this.#carriedTime;
    this.#carriedTime = -1;
    if (frame.beginsHere) this.#pesTime = -1;
    if (time >= 0 || (this.#base >= 0 && frame.sampleRate !== this.#sampleRate)) {
      this.#base = time >= 0 ? time : this.#now();
      this.#samples = 0;
    }
    this.#sampleRate = frame.sampleRate;
    if (this.#base < 0) return; // no timestamp yet, or since a loss
    const pts = this.#now();
    this.#samples += frame.samples;
    const discontinuity = this.#discontinuity;
    this.#discontinuity = false;
    this.#context.sink.onAccessUnit({
      track,
      dts: pts,
      pts,
      keyframe: true,
      data: frame.data,
      ...(discontinuity && { discontinuity }),
    });
  }

  #now(): number {
    if (this.#samples === 0) return this.#base;
    return this.#base + Math.round((this.#samples * TICKS_PER_SECOND) / this.#sampleRate);
  }

  /** The track with its language, told to the sink when it is another than before. */
  #trackOf(announced: AudioTrack): AudioTrack {
    if (this.#track !== undefined && announced === this.#announced) return this.#track;
    this.#announced = announced;
    const language = this.#context.language;
    this.#track = language === undefined ? announced : { ...announced, language };
    this.#context.sink.onTrack(this.#track);
    return this.#track;
  }
}
