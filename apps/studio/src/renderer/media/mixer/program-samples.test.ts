import { expect, it } from "vitest";
import { tone } from "./dsp/testing/tone.ts";
import { BLOCK, ProgramSamples } from "./program-samples.ts";

const BLOCK_TIME = 20_000;

interface Sent {
  readonly samples: Int16Array;
  readonly timestamp: number;
}

/** An audio context whose clock runs as a test says, and what came of it. */
class Context {
  readonly sent: Sent[] = [];
  readonly program = new ProgramSamples((samples, timestamp) => this.sent.push({ samples, timestamp }));
  #frame = 0;

  /** Mixes `seconds` of a 997 Hz tone at −20 dBFS. @param clock µs on the program clock at which a frame was mixed. */
  mix(seconds: number, clock: (frame: number) => number): void {
    for (let i = 0; i < seconds * 50; i += 1) {
      const block = new Float32Array(2 * BLOCK);
      for (let j = 0; j < BLOCK; j += 1) {
        const value = 0.1 * Math.sin((2 * Math.PI * 997 * (this.#frame + j)) / 48_000);
        block[2 * j] = value;
        block[2 * j + 1] = -value;
      }
      this.program.push(block, this.#frame, clock(this.#frame + BLOCK));
      this.#frame += BLOCK;
    }
  }

  /** Every block follows the one before. */
  expectNoHole(): void {
    const [first] = this.sent as [Sent];
    const late = this.sent.find(({ timestamp }, i) => timestamp !== first.timestamp + i * BLOCK_TIME);
    expect(late).toBe(undefined);
    expect(this.sent.every(({ samples }) => samples.length === 2 * BLOCK)).toBe(true);
  }

  /** The left channel from one block on, 1 as full scale. */
  left(from = 0): Float32Array {
    const blocks = this.sent.slice(from);
    const all = new Float32Array(blocks.length * BLOCK);
    for (const [i, { samples }] of blocks.entries()) {
      for (let j = 0; j < BLOCK; j += 1) all[i * BLOCK + j] = (samples[2 * j] as number) / 32_768;
    }
    return all;
  }
}

const steady = (begin: number) => (frame: number) => begin + (frame * 1e6) / 48_000;

it("gives out what was mixed as it was, in blocks of 20 ms from when it was mixed (STU2)", () => {
  const context = new Context();
  context.mix(1, steady(5_000_000));
  context.expectNoHole();
  expect(context.sent[0]?.timestamp).toBe(5_000_000);
  expect(context.sent.length).toBe(49);
  const wanted = tone(997, -20, 1);
  expect(context.left().every((sample, i) => Math.abs(sample - (wanted[i] as number)) < 1 / 65_000)).toBe(true);
  expect(context.sent[3]?.samples[101]).toBe(-(context.sent[3]?.samples[100] as number));
});

it("follows a sound device that is faster or slower than the program's clock, without a hole or a click (STU2)", () => {
  for (const drift of [300e-6, -300e-6]) {
    const context = new Context();
    const clock = (frame: number) => (frame * 1e6 * (1 + drift)) / 48_000;
    context.mix(60, clock);
    context.expectNoHole();
    // After a minute it would be off by 18 ms; it is no more than it tolerates and what a correction takes.
    const passed = context.sent.length * BLOCK_TIME;
    expect(Math.abs(passed - clock(60 * 48_000))).toBeLessThan(28_000);
    const left = context.left(context.sent.length - 100);
    // A tone stays one: from sample to sample it turns by its angle and no more.
    const largest = left.reduce(
      (most, sample, i) => (i === 0 ? 0 : Math.max(most, Math.abs(sample - (left[i - 1] as number)))),
      0,
    );
    expect(largest).toBeLessThan(0.1 * ((2 * Math.PI * 997) / 48_000) * 1.01);
    expect(Math.max(...left)).toBeCloseTo(0.1, 3);
  }
});

it("takes blocks that come late in bursts for what they are, and changes nothing (STU2)", () => {
  const context = new Context();
  // The sound's thread mixes 40 ms at once, and now and then somebody holds it up for 60.
  let n = 0;
  context.mix(20, (frame) => {
    n += 1;
    return steady(0)(frame) + (n % 2 === 0 ? 20_000 : 0) + (n % 97 === 0 ? 60_000 : 0);
  });
  context.expectNoHole();
  const wanted = tone(997, -20, 20);
  const left = context.left();
  expect(left.length).toBeGreaterThan(20 * 48_000 - 2 * BLOCK);
  expect(left.every((sample, i) => Math.abs(sample - (wanted[i] as number)) < 1e-4)).toBe(true);
});

it("fills with silence while nothing is mixed, and goes on where the clock is (STU2)", () => {
  const context = new Context();
  context.mix(1, steady(0));
  for (let now = 1_100_000; now <= 4_000_000; now += 250_000) context.program.fill(now);
  const before = context.sent.length;
  expect(context.sent.at(-1)?.samples.every((sample) => sample === 0)).toBe(true);
  context.mix(1, steady(3_000_000));
  context.expectNoHole();
  expect(context.sent.length - before).toBeGreaterThan(48);
  const end = (context.sent.at(-1) as Sent).timestamp + BLOCK_TIME;
  expect(Math.abs(end - 5_000_000)).toBeLessThanOrEqual(BLOCK_TIME);
  expect(Math.max(...context.left(before + 10))).toBeCloseTo(0.1, 3);
});

it("has silence from the beginning where the context waits for a gesture (STU2)", () => {
  const context = new Context();
  for (let now = 1_000_000; now <= 3_000_000; now += 250_000) context.program.fill(now);
  expect(context.sent[0]?.timestamp).toBe(900_000);
  expect(context.sent.length).toBe(100);
  context.mix(1, steady(3_010_000));
  context.expectNoHole();
});

it("makes up for a context that lost time without a word, once, by silence (STU2)", () => {
  const context = new Context();
  context.mix(2, steady(0));
  context.mix(4, steady(700_000));
  context.expectNoHole();
  const end = (context.sent.at(-1) as Sent).timestamp + BLOCK_TIME;
  expect(Math.abs(end - 6_700_000)).toBeLessThan(130_000);
  const silent = context.sent.filter(({ samples }) => samples.every((sample) => sample === 0));
  expect(silent.length).toBeGreaterThanOrEqual(29);
  expect(silent.length).toBeLessThanOrEqual(36);
});

it("begins again after a context that counts from elsewhere (STU2)", () => {
  const context = new Context();
  context.mix(1, steady(0));
  const other = new Float32Array(2 * BLOCK).fill(0.5);
  for (let i = 0; i < 50; i += 1) context.program.push(other, 1_000_000 + i * BLOCK, 1_020_000 + i * BLOCK_TIME);
  context.expectNoHole();
  expect(context.sent.length).toBeGreaterThan(96);
  expect(context.sent.at(-1)?.samples[0]).toBe(16_384);
});
