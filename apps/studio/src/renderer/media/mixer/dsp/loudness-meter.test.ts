import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { LoudnessMeter } from "./loudness-meter.ts";
import { joined, noise, tone } from "./testing/tone.ts";

function measured(left: Float32Array, right = left): LoudnessMeter {
  const meter = new LoudnessMeter();
  for (let at = 0; at < left.length; at += 128)
    meter.measure(left.subarray(at, at + 128), right.subarray(at, at + 128));
  return meter;
}

it("measures 997 Hz of full scale in one channel as −3.01 LUFS (BS.1770-4), and −23 dBFS in both as −23 LUFS (STU2)", () => {
  const one = measured(tone(997, 0, 4), new Float32Array(4 * 48_000));
  for (const loudness of [one.momentary, one.shortTerm, one.integrated]) expect(loudness).toBeCloseTo(-3.01, 1);
  const both = measured(tone(997, -23, 4));
  for (const loudness of [both.momentary, both.shortTerm, both.integrated]) expect(loudness).toBeCloseTo(-23, 1);
});

it("gates as EBU Tech 3341 asks: its cases 3, 4 and 5, in a quarter of their time, are −23 LUFS (STU2)", () => {
  const at = (level: number, seconds: number) => tone(1000, level, seconds / 4);
  const cases = [
    joined(at(-36, 10), at(-23, 60), at(-36, 10)),
    joined(at(-72, 10), at(-36, 10), at(-23, 60), at(-36, 10), at(-72, 10)),
    joined(at(-26, 20), at(-20, 20.1), at(-26, 20)),
  ];
  for (const sound of cases) expect(Math.abs(measured(sound).integrated + 23)).toBeLessThanOrEqual(0.1);
});

it("knows no loudness before there is any, of silence, and begins anew when asked (STU2)", () => {
  const meter = measured(new Float32Array(48_000));
  expect([meter.momentary, meter.shortTerm, meter.integrated]).toEqual([-Infinity, -Infinity, -Infinity]);
  const loud = tone(997, -10, 1);
  meter.measure(loud, loud);
  expect(meter.integrated).toBeGreaterThan(-15);
  meter.reset();
  expect(meter.integrated).toBe(-Infinity);
  const soft = tone(997, -30, 2);
  meter.measure(soft, soft);
  expect(meter.integrated).toBeCloseTo(-30, 0);
});

it("agrees with FFmpeg's ebur128 on noise and tones of many levels (STU2)", async () => {
  const left = joined(noise(-20, 4), tone(100, -12, 3), noise(-45, 3), tone(6000, -30, 3), new Float32Array(96_000));
  const right = joined(tone(440, -18, 4), noise(-9, 3), noise(-60, 3), tone(60, -6, 3), noise(-26, 2));
  const samples = new Float32Array(2 * left.length);
  for (let i = 0; i < left.length; i += 1) {
    samples[2 * i] = left[i] as number;
    samples[2 * i + 1] = right[i] as number;
  }
  const folder = await mkdtemp(join(tmpdir(), "klieg-loudness-"));
  try {
    const file = join(folder, "sound.f32");
    await writeFile(file, new Uint8Array(samples.buffer));
    const { stderr } = await promisify(execFile)("ffmpeg", [
      ...["-hide_banner", "-nostats", "-f", "f32le", "-ar", "48000", "-ac", "2", "-i", file],
      ...["-af", "ebur128=framelog=info", "-f", "null", "-"],
    ]);
    const meter = measured(left, right);
    const last = (name: string) => Number([...stderr.matchAll(new RegExp(`${name}:\\s*(-?[\\d.]+)`, "g"))].at(-1)?.[1]);
    expect(Math.abs(meter.integrated - last("I"))).toBeLessThanOrEqual(0.1);
    expect(Math.abs(meter.momentary - last("M"))).toBeLessThanOrEqual(0.1);
    expect(Math.abs(meter.shortTerm - last("S"))).toBeLessThanOrEqual(0.1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
