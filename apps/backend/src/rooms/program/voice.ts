import type { Clock } from "@klieg/base";
import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import type { OpusDecoder } from "opus-decoder";
import type { SfuStage } from "../../sfu/sfu-stage.ts";
import { ProducerTap } from "./producer-tap.ts";
import { SAMPLE_RATE, VoiceBuffer } from "./voice-buffer.ts";

/** A frame of Opus lasts at most 120 ms (RFC 6716 § 2.1.4). */
const MAX_FRAME = SAMPLE_RATE * 0.12;

/** One microphone (or what a shared screen sounds like) on its way into the mix. */
export class Voice implements Disposable {
  readonly #buffer = new VoiceBuffer();
  readonly #decoder: OpusDecoder<48000>;
  #tap: ProducerTap | undefined;
  #damaged = 0;
  #closed = false;

  private constructor(decoder: OpusDecoder<48000>) {
    this.#decoder = decoder;
  }

  /** @throws {KliegError} `gone` where the producer is; MediaError for sound that is not Opus. */
  static async open(options: { stage: SfuStage; producerId: string; clock: Clock }): Promise<Voice> {
    // Loaded with the first program: a backend without one does without its memory.
    const { OpusDecoder } = await import("opus-decoder");
    const decoder = new OpusDecoder({ channels: 2, sampleRate: SAMPLE_RATE });
    await decoder.ready;
    const voice = new Voice(decoder);
    try {
      voice.#tap = await ProducerTap.open({
        ...options,
        spatialLayer: undefined,
        sink: { onTrack: () => undefined, onAccessUnit: (unit) => voice.#onAccessUnit(unit) },
      });
    } catch (error) {
      voice.close();
      throw error;
    }
    return voice;
  }

  get buffer(): VoiceBuffer {
    return this.#buffer;
  }

  /** Packets that could not be decoded. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tap?.close();
    this.#decoder.free();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #onAccessUnit(unit: AccessUnit): void {
    if (this.#closed) return;
    const { channelData, samplesDecoded, errors } = this.#decoder.decodeFrame(unit.data);
    const [left, right] = channelData;
    if (errors.length > 0 || left === undefined || samplesDecoded > MAX_FRAME) {
      this.#damaged += 1;
      return;
    }
    const at = Math.round((unit.pts * SAMPLE_RATE) / TICKS_PER_SECOND);
    this.#buffer.write(at, left.subarray(0, samplesDecoded), (right ?? left).subarray(0, samplesDecoded));
  }
}
