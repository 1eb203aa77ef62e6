import { ManualClock } from "@klieg/base";
import { fakeFfmpeg, INSTALLED_FFMPEG } from "@klieg/ffmpeg/testing";
import { type AccessUnit, parseAudioSpecificConfig } from "@klieg/media";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AacEncoder } from "./aac-encoder.ts";

const BLOCK = 960;
const BLOCK_US = 20_000;

class Bench {
  readonly clock = new ManualClock();
  readonly units: AccessUnit[] = [];
  readonly problems: string[] = [];
  readonly encoder: AacEncoder;

  constructor(path: string) {
    this.encoder = new AacEncoder({
      path,
      sampleRate: 48_000,
      channels: 2,
      bitrate: 128_000,
      clock: this.clock,
      onAccessUnit: (unit) => this.units.push(unit),
      onProblem: (message) => this.problems.push(message),
    });
  }

  /** Pushes `count` blocks from the `from`th on, each when the one before was taken. */
  async push(from: number, count: number): Promise<void> {
    for (let i = from; i < from + count; i += 1) {
      this.encoder.push(Buffer.alloc(BLOCK * 4, i), 5e6 + i * BLOCK_US);
      this.clock.advance(BLOCK_US / 1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  has(count: number): Promise<void> {
    return vi.waitFor(() => expect(this.units.length).toBeGreaterThanOrEqual(count), { timeout: 8000, interval: 5 });
  }
}

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.encoder.close();
  expect(bench?.clock.pending).toBe(0);
});

describe("STU3: AAC of the page's samples", () => {
  test("each frame has the time of its samples, to the tick", async () => {
    bench = new Bench(INSTALLED_FFMPEG);
    await bench.push(0, 20);
    await bench.has(15);
    const { units, problems } = bench;
    const [first] = units;
    // The encoder puts one frame before its first sample.
    expect(first?.dts).toBe(5 * 90_000 - 1920);
    for (const [i, unit] of units.entries()) expect(unit.dts).toBe(5 * 90_000 + (i - 1) * 1920);
    expect(new Set(units.map(({ track }) => track)).size).toBe(1);
    expect(first?.track).toMatchObject({ codec: "aac", sampleRate: 48_000, channels: 2 });
    expect(parseAudioSpecificConfig(first?.track.config ?? new Uint8Array())).toMatchObject({ objectType: 2 });
    expect(problems).toEqual([]);
  });

  test("an FFmpeg that dies is replaced at once, and the sound goes on in time", async () => {
    const first = `head -c ${BLOCK * 4 * 15} | '${INSTALLED_FFMPEG}' "$@"; kill -SEGV $$`;
    await using fake = await fakeFfmpeg({ first });
    bench = new Bench(fake.path);
    const { units, problems } = bench;
    await bench.push(0, 20);
    await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 8000, interval: 5 });
    expect(problems[0]).toMatch(/encodes the sound, was killed by SIGSEGV/);
    const made = units.length;
    expect(made).toBeGreaterThan(10);
    await bench.push(100, 15);
    await bench.has(made + 10);
    expect(units[made]?.dts).toBe(5 * 90_000 + 100 * 1800 - 1920);
    expect(units[made]?.track).toBe(units[0]?.track);
  });

  test("one that hangs is killed and replaced", async () => {
    await using fake = await fakeFfmpeg({ first: "exec sleep 600" });
    bench = new Bench(fake.path);
    await bench.push(0, 40);
    for (let i = 0; i < 5; i += 1) bench.clock.advance(1000);
    const { problems } = bench;
    await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 8000, interval: 5 });
    expect(problems).toEqual([expect.stringContaining("hung, and was killed. Another takes over")]);
  });
});
