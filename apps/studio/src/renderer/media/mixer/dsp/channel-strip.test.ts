import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ChannelStrip, type StripSettings } from "./channel-strip.ts";
import { NoiseSuppressor } from "./noise-suppressor.ts";
import { ProgramBus } from "./program-bus.ts";
import { joined, largestDifference, lowPassed, noise, peakBetween, rmsBetween, through, tone } from "./testing/tone.ts";

const PLAIN: StripSettings = {
  filters: [],
  gain: 0,
  pan: 0,
  delay: 0,
  inProgram: true,
  fade: 0,
  inMonitor: false,
  muted: false,
};

interface Heard {
  readonly left: Float32Array;
  readonly right: Float32Array;
  readonly monitor: Float32Array;
  /** The left channel of its sound by itself. */
  readonly own: Float32Array;
}

/** @param changes settings from a time on, s. */
function heard(
  strip: ChannelStrip,
  left: Float32Array,
  right = left,
  changes: readonly [number, StripSettings][] = [],
): Heard {
  const silence = () => new Float32Array(left.length);
  const out = { left: left.slice(), right: right.slice(), monitor: silence(), own: silence() };
  const due = [...changes];
  for (let at = 0; at < left.length; at += 128) {
    while (due[0] !== undefined && due[0][0] * 48_000 <= at) strip.set((due.shift() as [number, StripSettings])[1]);
    const [l, r, m, own] = [out.left, out.right, out.monitor, out.own].map((all) => all.subarray(at, at + 128)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    strip.process(l, r, m, new Float32Array(l.length), [own, new Float32Array(l.length)]);
  }
  return out;
}

function stripOf(settings: Partial<StripSettings>): ChannelStrip {
  const strip = new ChannelStrip();
  strip.set({ ...PLAIN, ...settings });
  return strip;
}

/** The largest step from one sample to the next. */
function largestStep(samples: Float32Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i += 1) {
    largest = Math.max(largest, Math.abs((samples[i] as number) - (samples[i - 1] as number)));
  }
  return largest;
}

const rnnoise = WebAssembly.compile(
  await readFile(createRequire(import.meta.url).resolve("@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm")),
);

describe("channel strip", () => {
  it("has gain, pan and delay, and shows them on its meter (STU2)", () => {
    const strip = stripOf({ gain: 6, pan: -1, delay: 500 });
    const { left, right } = heard(strip, tone(1000, -20, 1));
    expect(peakBetween(left, 0, 0.499)).toBe(-Infinity);
    expect(peakBetween(left, 0.52, 1)).toBeCloseTo(-14, 2);
    expect(peakBetween(right, 0, 1)).toBeLessThan(-300);
    expect(strip.meter.takePeakDb()).toBeCloseTo(-14, 2);
    // Over 300 ms, of which half a second of sound has passed.
    expect(strip.meter.rmsDb).toBeCloseTo(-14 - 3.01 + 10 * Math.log10(1 - Math.exp(-0.5 / 0.3)), 1);
    const centre = heard(stripOf({ pan: 0.5 }), tone(1000, -20, 1));
    expect(peakBetween(centre.right, 0.1, 1)).toBeCloseTo(-20, 2);
    expect(peakBetween(centre.left, 0.1, 1)).toBeCloseTo(-23.01, 1);
  });

  it("fades in and out of the program while its meter goes on, and is monitored apart from it (STU2)", () => {
    const strip = stripOf({ inProgram: false, inMonitor: true });
    const { left, monitor } = heard(strip, tone(1000, -20, 2), undefined, [
      [0.5, { ...PLAIN, fade: 500, inMonitor: true }],
      [1.5, { ...PLAIN, inProgram: false }],
    ]);
    expect(peakBetween(left, 0, 0.5)).toBe(-Infinity);
    expect(peakBetween(left, 0.74, 0.76)).toBeCloseTo(-26, 0);
    expect(peakBetween(left, 1.02, 1.4)).toBeCloseTo(-20, 1);
    expect(peakBetween(left, 1.6, 2)).toBe(-Infinity);
    expect(peakBetween(monitor, 0.1, 1.4)).toBeCloseTo(-20, 1);
    expect(peakBetween(monitor, 1.6, 2)).toBe(-Infinity);
    expect(strip.meter.takePeakDb()).toBeCloseTo(-20, 1);
  });

  it("has its sound by itself, wherever it is shown, as loud as it is mixed; silence while it is muted (STU8)", () => {
    const off = { ...PLAIN, gain: 6, inProgram: false };
    const { left, own } = heard(stripOf(off), tone(1000, -20, 1.5), undefined, [
      [0.5, { ...off, muted: true }],
      [1, off],
    ]);
    expect(peakBetween(left, 0, 1.5)).toBe(-Infinity);
    expect(peakBetween(own, 0.1, 0.5)).toBeCloseTo(-14, 1);
    expect(peakBetween(own, 0.52, 1)).toBe(-Infinity);
    expect(peakBetween(own, 1.1, 1.5)).toBeCloseTo(-14, 1);
  });

  it("changes gain, pan, delay and switches without a click (STU2)", () => {
    const sound = tone(100, -10, 1);
    const { left } = heard(stripOf({}), sound, undefined, [
      [0.2, { ...PLAIN, gain: -60 }],
      [0.4, { ...PLAIN, pan: 1 }],
      [0.6, { ...PLAIN, delay: 333 }],
      [0.8, { ...PLAIN, inProgram: false }],
    ]);
    expect(largestStep(left)).toBeLessThan(1.5 * largestStep(sound));
  });

  it("takes its filters in their order, keeps them through a change of another, and counts their time as delay (STU2)", () => {
    const limiter = { id: "l", enabled: true, kind: "limiter", ceiling: -20, release: 100 } as const;
    const compressor = {
      ...({ id: "c", enabled: true, kind: "compressor", threshold: -40, ratio: 20, knee: 0 } as const),
      ...{ attack: 1, release: 50, makeup: 20 },
    } as const;
    const last = (filters: StripSettings["filters"]) => heard(stripOf({ filters }), tone(1000, -6, 1)).left;
    expect(peakBetween(last([compressor, limiter]), 0.5, 1)).toBeCloseTo(-20, 1);
    expect(peakBetween(last([limiter, compressor]), 0.5, 1)).toBeCloseTo(-19, 1);
    expect(peakBetween(last([{ ...limiter, enabled: false }]), 0.5, 1)).toBeCloseTo(-6, 2);

    const gate = {
      ...({
        id: "g",
        enabled: true,
        kind: "gate",
        open_at: -10,
        close_at: -50,
        attack: 0,
        hold: 0,
        release: 1,
      } as const),
    } as const;
    const kept = heard(stripOf({ filters: [gate] }), joined(tone(1000, -6, 0.5), tone(1000, -30, 0.5)), undefined, [
      // Had it begun anew, it would be shut.
      [0.7, { ...PLAIN, filters: [{ ...gate, hold: 10 }, limiter] }],
    ]);
    expect(peakBetween(kept.left, 0.8, 1)).toBeCloseTo(-30, 1);

    const click = new Float32Array(24_000);
    click[0] = 0.05;
    const delayed = heard(stripOf({ filters: [limiter], delay: 100 }), click).left;
    expect(delayed.findIndex((sample) => sample !== 0)).toBe(4800);
  });

  it("does not stay silent after what was not a number (STU2)", () => {
    const sound = tone(1000, -20, 1);
    sound[1000] = Number.NaN;
    sound[1001] = Infinity;
    const filter = {
      id: "c",
      enabled: true,
      kind: "compressor",
      threshold: -10,
      ratio: 2,
      knee: 0,
      attack: 1,
      release: 9,
      makeup: 0,
    } as const;
    expect(peakBetween(heard(stripOf({ filters: [filter] }), sound).left, 0.5, 1)).toBeCloseTo(-20, 1);
  });
});

describe("noise suppression", () => {
  it("takes a fan's rumble away by 20 dB and more, in both channels, and leaves silence silent (STU2)", async () => {
    const rumble = lowPassed(noise(-40, 4));
    const right = rumble.map((sample) => -0.5 * sample);
    const out = through(new NoiseSuppressor(await rnnoise), rumble, right);
    expect(rmsBetween(out[0], 2, 4)).toBeLessThan(rmsBetween(rumble, 2, 4) - 20);
    expect(rmsBetween(out[1], 2, 4)).toBeLessThan(rmsBetween(right, 2, 4) - 20);
    const [silent] = through(new NoiseSuppressor(await rnnoise), new Float32Array(48_000));
    expect(peakBetween(silent, 0, 1)).toBeLessThan(-100);
  });

  it("keeps a voice in it (STU2)", async () => {
    const { stdout } = await promisify(execFile)(
      "ffmpeg",
      [
        ...[
          "-hide_banner",
          "-loglevel",
          "error",
          "-f",
          "lavfi",
          "-i",
          "flite=text='Good evening, and welcome to the show.'",
        ],
        ...["-ar", "48000", "-ac", "1", "-f", "f32le", "-"],
      ],
      { encoding: "buffer", maxBuffer: 10_000_000 },
    );
    const voice = new Float32Array(Uint8Array.from(stdout).buffer);
    const seconds = Math.floor(voice.length / 48_000);
    const rumble = lowPassed(noise(-40, seconds + 1));
    const [out] = through(
      new NoiseSuppressor(await rnnoise),
      voice.map((sample, i) => sample + (rumble[i] as number)),
    );
    expect(Math.abs(rmsBetween(out, 0, seconds) - rmsBetween(voice, 0, seconds))).toBeLessThan(2);
  });

  it("comes out as late as it says (STU2)", async () => {
    const suppressor = new NoiseSuppressor(await rnnoise);
    // A chirp of a voice's harmonics: what it lets through best at its beginning.
    const voice = Float32Array.from({ length: 96_000 }, (_, i) => {
      const phase = (2 * Math.PI * (140 * i + 0.001 * i * i)) / 48_000;
      let sum = 0;
      for (let k = 1; k < 20; k += 1) sum += Math.sin(k * phase) / k;
      return 0.15 * sum * (0.6 + 0.4 * Math.sin((2 * Math.PI * 4 * i) / 48_000));
    });
    const [out] = through(suppressor, voice);
    let best = { lag: -1, likeness: -Infinity };
    for (let lag = 0; lag < 1920; lag += 1) {
      let likeness = 0;
      for (let i = 4800; i < 24_000; i += 1) likeness += (voice[i] as number) * (out[i + lag] as number);
      if (likeness > best.likeness) best = { lag, likeness };
    }
    expect(Math.abs(best.lag - suppressor.latency)).toBeLessThanOrEqual(24);
  });

  it("passes sound through until it is there, and is refused where the module is another's (STU2)", async () => {
    const strip = stripOf({ filters: [{ id: "n", enabled: true, kind: "noise_suppression" }] });
    const rumble = lowPassed(noise(-40, 4));
    expect(largestDifference(heard(strip, rumble).left.subarray(480), rumble.subarray(480))).toBe(0);
    const empty = await WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    expect(() => strip.setRnnoise(empty)).toThrow();
    strip.setRnnoise(await rnnoise);
    expect(rmsBetween(heard(strip, rumble).left, 3, 4)).toBeLessThan(rmsBetween(rumble, 3, 4) - 20);
  });
});

it("keeps what several loud sources add up to below full scale, and leaves the rest as it is (STU2)", () => {
  const bus = new ProgramBus();
  const out = tone(440, 9, 1);
  const right = tone(440, 9, 1);
  for (let at = 0; at < out.length; at += 128) bus.process(out.subarray(at, at + 128), right.subarray(at, at + 128));
  expect(peakBetween(out, 0, 1)).toBeLessThanOrEqual(-0.999);
  expect(bus.meter.takePeakDb()).toBeCloseTo(-1, 2);
  expect(bus.reductionDb).toBeCloseTo(10, 0);
  expect(bus.loudness.momentary).toBeGreaterThan(-6);
});
