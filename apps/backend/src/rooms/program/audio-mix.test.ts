import { describe, expect, it } from "vitest";
import { AudioMix, BLOCK } from "./audio-mix.ts";
import { SAMPLE_RATE, VoiceBuffer } from "./voice-buffer.ts";

const MS = SAMPLE_RATE / 1000;
const FRAME = 20 * MS;

/** 20 ms of a tone that goes on from frame to frame. */
function tone(frame: number, amplitude = 0.25, hertz = 440): Float32Array {
  return Float32Array.from(
    { length: FRAME },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * (frame * FRAME + i)) / SAMPLE_RATE),
  );
}

/** Reads so many blocks; left channel. */
function play(voice: VoiceBuffer, blocks: number): Float32Array {
  const out = new Float32Array(blocks * BLOCK);
  for (let i = 0; i < blocks; i += 1) voice.mixInto(out.subarray(i * BLOCK, (i + 1) * BLOCK), new Float32Array(BLOCK));
  return out;
}

const largestStep = (samples: Float32Array) =>
  samples.reduce((most, sample, i) => (i === 0 ? 0 : Math.max(most, Math.abs(sample - (samples[i - 1] as number)))), 0);

describe("a voice's jitter buffer (RTC2)", () => {
  it("plays what comes in time without a seam, however it is batched", () => {
    const voice = new VoiceBuffer();
    const out: Float32Array[] = [];
    let next = 0;
    for (let block = 0; block < 100; block += 1) {
      // Two frames every other block, 10 ms late now and then.
      if (block % 2 === 0) {
        for (const _ of [0, 1]) {
          const samples = tone(next);
          voice.write(90_000 + next * FRAME, samples, samples);
          next += 1;
        }
      }
      out.push(play(voice, 1));
    }
    const samples = Float32Array.from(out.flatMap((part) => [...part])).subarray(10 * BLOCK);
    // 440 Hz at a quarter of full scale rises by 0.0144 a sample at most.
    expect(largestStep(samples)).toBeLessThan(0.0146);
    expect(voice.restarts).toBe(0);
  });

  it("gives packets that come late more time, and forgets that when there is no more need", () => {
    const voice = new VoiceBuffer();
    const samples = tone(0);
    voice.write(0, samples, samples);
    const before = voice.delayMs;
    play(voice, 10);
    voice.write(FRAME, samples, samples);
    expect(voice.delayMs).toBeGreaterThan(before);
    expect(voice.restarts).toBe(1);
    for (let i = 2; i < 1500; i += 1) {
      voice.write(i * FRAME, samples, samples);
      play(voice, 1);
    }
    expect(voice.delayMs).toBe(before);
  });

  it("is silent where something is missing, and when nothing comes at all", () => {
    const voice = new VoiceBuffer();
    const loud = new Float32Array(FRAME).fill(0.5);
    voice.write(0, loud, loud);
    voice.write(2 * FRAME, loud, loud);
    const samples = play(voice, 10);
    const start = samples.findIndex((sample) => sample !== 0) - 1;
    expect(samples[start + FRAME + FRAME / 2]).toBe(0);
    expect(samples[start + 2.5 * FRAME]).toBe(0.5);
    expect(play(voice, 3).every((sample) => sample === 0)).toBe(true);
  });

  it("does not fall behind a sender whose clock runs fast", () => {
    const voice = new VoiceBuffer();
    const samples = tone(0);
    let sent = 0;
    for (let block = 0; block < 6000; block += 1) {
      // 2 % too many.
      while (sent < block * 1.02 + 1) {
        voice.write(sent * FRAME, samples, samples);
        sent += 1;
      }
      play(voice, 1);
    }
    expect(voice.restarts).toBeGreaterThan(3);
    // What waits now is played within a quarter of a second.
    play(voice, 13);
    expect(play(voice, 1).every((sample) => sample === 0)).toBe(true);
  });

  it("takes no nonsense", () => {
    const voice = new VoiceBuffer();
    voice.write(0, new Float32Array(SAMPLE_RATE), new Float32Array(SAMPLE_RATE));
    const samples = tone(0);
    voice.write(0, samples, samples);
    for (const at of [-1e12, 1e15, 2 ** 52, 0]) voice.write(at, samples, samples);
    expect(play(voice, 200).every(Number.isFinite)).toBe(true);
  });
});

describe("the mix (RTC2)", () => {
  it("adds everybody up, and presses what is too loud instead of clipping it", () => {
    const mix = new AudioMix();
    const voices = [1, 2, 3].map(() => {
      const voice = new VoiceBuffer();
      const loud = new Float32Array(FRAME * 5).fill(0.5);
      voice.write(0, loud, loud);
      return voice;
    });
    const one = [voices[0] as VoiceBuffer];
    for (let i = 0; i < 4; i += 1) mix.next(one);
    expect(mix.next(one).readInt16LE(BLOCK * 2)).toBe(Math.round(0.5 * 32_767));
    const rest = voices.slice(1);
    for (let i = 0; i < 4; i += 1) mix.next(rest);
    const loud = mix.next(rest).readInt16LE(BLOCK * 2);
    expect(loud).toBeGreaterThan(0.85 * 32_767);
    expect(loud).toBeLessThan(32_767);
    expect(mix.next([]).every((byte) => byte === 0)).toBe(true);
  });
});
