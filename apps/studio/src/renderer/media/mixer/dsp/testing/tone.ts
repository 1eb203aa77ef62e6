import { gainOf } from "../decibel.ts";
import { SAMPLE_RATE, type SoundProcessor } from "../sound-processor.ts";

/** A sine. @param level of its peak, dBFS. @param seconds how long. */
export function tone(frequency: number, level: number, seconds: number): Float32Array {
  const amplitude = gainOf(level);
  return Float32Array.from(
    { length: Math.round(seconds * SAMPLE_RATE) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * frequency * i) / SAMPLE_RATE),
  );
}

/** Noise that is the same each time, evenly spread. @param level of its peak, dBFS. */
export function noise(level: number, seconds: number): Float32Array {
  const amplitude = gainOf(level);
  let seed = 12_345;
  return Float32Array.from({ length: Math.round(seconds * SAMPLE_RATE) }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return amplitude * (seed / 0x8000_0000 - 1);
  });
}

/** As a fan or a street sounds: 6 dB less for each octave. */
export function lowPassed(samples: Float32Array): Float32Array {
  let last = 0;
  return samples.map((sample) => {
    last = 0.95 * last + sample;
    return last;
  });
}

export function joined(...parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Sends sound through a processor in blocks of 128, as an audio worklet does. @returns what comes out. */
export function through(processor: SoundProcessor, left: Float32Array, right = left): [Float32Array, Float32Array] {
  const out: [Float32Array, Float32Array] = [left.slice(), right.slice()];
  for (let at = 0; at < left.length; at += 128) {
    processor.process(out[0].subarray(at, at + 128), out[1].subarray(at, at + 128));
  }
  return out;
}

/** dBFS of the highest sample between two times, s. */
export function peakBetween(samples: Float32Array, from: number, to: number): number {
  let peak = 0;
  for (const sample of samples.subarray(from * SAMPLE_RATE, to * SAMPLE_RATE)) peak = Math.max(peak, Math.abs(sample));
  return 20 * Math.log10(peak);
}

/** dBFS of the root mean square between two times, s. */
export function rmsBetween(samples: Float32Array, from: number, to: number): number {
  const part = samples.subarray(from * SAMPLE_RATE, to * SAMPLE_RATE);
  return 10 * Math.log10(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
}

/** Of each sample of `a` from that of `b`, which may be longer. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (const [i, sample] of a.entries()) largest = Math.max(largest, Math.abs(sample - (b[i] as number)));
  return largest;
}
