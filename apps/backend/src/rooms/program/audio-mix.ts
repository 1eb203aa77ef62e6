import { SAMPLE_RATE, type VoiceBuffer } from "./voice-buffer.ts";

/** The mix is made in blocks of so many samples: 20 ms. */
export const BLOCK = SAMPLE_RATE / 50;
/** What is louder is pressed together, so that many voices at once do not crack. */
const KNEE = 0.7;

/** Adds voices up to one stereo program. */
export class AudioMix {
  readonly #left = new Float32Array(BLOCK);
  readonly #right = new Float32Array(BLOCK);

  /** The next 20 ms of everybody: 16-bit stereo samples, little-endian, interleaved. */
  next(voices: Iterable<VoiceBuffer>): Buffer {
    const left = this.#left.fill(0);
    const right = this.#right.fill(0);
    let any = false;
    for (const voice of voices) any = voice.mixInto(left, right) || any;
    const pcm = Buffer.alloc(BLOCK * 4);
    if (!any) return pcm;
    for (let i = 0; i < BLOCK; i += 1) {
      pcm.writeInt16LE(toInt16(left[i] as number), i * 4);
      pcm.writeInt16LE(toInt16(right[i] as number), i * 4 + 2);
    }
    return pcm;
  }
}

function toInt16(sample: number): number {
  const magnitude = Math.abs(sample);
  if (magnitude <= KNEE) return Math.round(sample * 32_767);
  const pressed = KNEE + (1 - KNEE) * Math.tanh((magnitude - KNEE) / (1 - KNEE));
  return Math.round(Math.sign(sample) * pressed * 32_767);
}
