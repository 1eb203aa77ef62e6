import type { Clock } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { type AccessUnit, type AudioTrack, aacTrack } from "@klieg/media";
import { KliegError, type ProgramFrame } from "@klieg/protocol";
import { AacEncoder } from "./aac-encoder.ts";
import { fromPage, pageTicks } from "./media-time.ts";

export interface ProgramSoundOptions {
  readonly clock: Clock;
  readonly ffmpeg: FfmpegBinary | undefined;
  /** Timestamps are the page's, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  readonly onProblem: (problem: KliegError) => void;
}

/** Hz; FFmpeg's AAC encoder knows these. */
const SAMPLE_RATES = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000];
/** An AAC frame is no longer: 6144 bits a channel, of 8 channels. */
const MAX_AAC_BYTES = 8 * 768;

/** The sound of one page: AAC as it comes, or made of samples. */
export class ProgramSound {
  readonly #options: ProgramSoundOptions;
  #track: AudioTrack | undefined;
  #aac: { readonly encoder: AacEncoder; readonly sampleRate: number; readonly channels: number } | undefined;
  #bitrate: number;
  #toldWithoutFfmpeg = false;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ProgramSoundOptions, bitrate: number) {
    this.#options = options;
    this.#bitrate = bitrate;
  }

  /** @param bitrate of AAC that is made here, bits/s; an encoder that runs is replaced where it changes. */
  configure(bitrate: number): void {
    if (bitrate === this.#bitrate) return;
    this.#bitrate = bitrate;
    this.reset();
  }

  /** @throws KliegError */
  take(frame: ProgramFrame): void {
    if (frame.kind === "pcm") this.#takeSamples(frame);
    else if (frame.kind === "aac_config") this.#track = fromPage("Sound", () => aacTrack(0, frame.data));
    else {
      const track = this.#track;
      if (track === undefined) throw new KliegError("media_malformed", "Sound came before its configuration.");
      if (frame.data.length > MAX_AAC_BYTES) throw new KliegError("media_malformed", "An AAC frame is too long.");
      const ticks = pageTicks(frame.timestamp);
      this.#options.onAccessUnit({ track, dts: ticks, pts: ticks, keyframe: true, data: frame.data });
    }
  }

  /** What follows is another page's, or of another kind. */
  reset(): void {
    this.#track = undefined;
    const encoder = this.#aac?.encoder;
    this.#aac = undefined;
    if (encoder === undefined) return;
    const closing = encoder.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async close(): Promise<void> {
    this.reset();
    await Promise.all(this.#closing);
  }

  #takeSamples(frame: ProgramFrame): void {
    const { sampleRate, channels, data } = frame;
    if (channels < 1 || channels > 2 || !SAMPLE_RATES.includes(sampleRate) || data.length % (2 * channels) !== 0) {
      const words = `Samples of ${sampleRate} Hz and ${channels} channels in ${data.length} bytes cannot be encoded.`;
      throw new KliegError("media_malformed", words);
    }
    const { ffmpeg, clock, onAccessUnit, onProblem } = this.#options;
    if (ffmpeg === undefined) {
      if (this.#toldWithoutFfmpeg) return;
      this.#toldWithoutFfmpeg = true;
      const words =
        "The program is silent: there is no FFmpeg to encode its sound. Install FFmpeg, then start the studio again.";
      onProblem(new KliegError("encoder_unavailable", words));
      return;
    }
    if (this.#aac !== undefined && (this.#aac.sampleRate !== sampleRate || this.#aac.channels !== channels))
      this.reset();
    if (this.#aac === undefined) {
      const encoder: AacEncoder = new AacEncoder({
        path: ffmpeg.path,
        sampleRate,
        channels,
        bitrate: this.#bitrate,
        clock,
        onAccessUnit: (unit) => {
          if (this.#aac?.encoder === encoder) onAccessUnit(unit);
        },
        onProblem: (message) => onProblem(new KliegError("encoder_unavailable", `${message}.`)),
      });
      this.#aac = { encoder, sampleRate, channels };
    }
    this.#aac.encoder.push(data, frame.timestamp);
  }
}
