import { describe, expect, it } from "vitest";
import { LayerChooser } from "./layer-chooser.ts";

const LAYERS = [150_000, 600_000, 2_500_000];
const QUEUE_MS = 200;

/** A line of `capacity` bits/s with a queue of 200 ms, and a chooser that feels it once a second. */
class Line {
  readonly chooser = new LayerChooser();
  readonly chosen: number[] = [];
  capacity: number;
  baseMs = 40;
  chance = 0;
  layers: readonly number[] = LAYERS;
  #now = 0;
  /** Bits that wait. */
  #queued = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  run(seconds: number): this {
    for (let second = 0; second < seconds; second += 1) {
      const sent = this.layers[this.chooser.layer ?? 0] ?? 0;
      const room = (this.capacity * QUEUE_MS) / 1000;
      const waiting = this.#queued + sent - this.capacity;
      const dropped = Math.max(0, waiting - room);
      this.#queued = Math.min(room, Math.max(0, waiting));
      const roundTripMs = this.baseMs + (this.#queued / this.capacity) * 1000;
      const loss = sent === 0 ? 0 : Math.min(1, dropped / sent + this.chance);
      this.#now += 1000;
      this.chosen.push(this.chooser.add({ at: this.#now, loss, roundTripMs, layers: this.layers }));
    }
    return this;
  }

  share(layer: number, last: number): number {
    return this.chosen.slice(-last).filter((each) => each === layer).length / last;
  }
}

describe("the layer for a viewer (RTC1)", () => {
  it("is the best one within seconds where the network is wide", () => {
    const line = new Line(20e6).run(10);
    expect(line.chosen[0]).toBe(1);
    expect(line.chosen.at(-1)).toBe(2);
  });

  it("goes down within three seconds when the network narrows, to what it carries, and mostly stays there", () => {
    const line = new Line(20e6).run(15);
    line.capacity = 900_000;
    line.run(4);
    expect(line.chosen.at(-1)).toBe(1);
    line.run(200);
    expect(line.share(1, 200)).toBeGreaterThan(0.85);
    line.capacity = 250_000;
    line.run(4);
    expect(line.chosen.at(-1)).toBe(0);
    line.run(200);
    expect(line.share(0, 200)).toBeGreaterThan(0.85);
  });

  it("tries a layer that failed again, later and later", () => {
    const line = new Line(900_000).run(400);
    const tries = line.chosen.flatMap((layer, at) => (layer === 2 && line.chosen[at - 1] === 1 ? [at] : []));
    expect(tries.length).toBeGreaterThanOrEqual(3);
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(gaps[1]).toBeGreaterThan(gaps[0] ?? Number.POSITIVE_INFINITY);
  });

  it("comes back when the network widens", () => {
    const line = new Line(20e6).run(15);
    line.capacity = 250_000;
    line.run(30);
    expect(line.chosen.at(-1)).toBe(0);
    line.capacity = 20e6;
    line.run(60);
    expect(line.chosen.at(-1)).toBe(2);
  });

  it("bears the loss of a radio link: it says nothing of what the link carries", () => {
    const line = new Line(20e6).run(15);
    line.chance = 0.05;
    line.run(60);
    expect(line.share(2, 60)).toBe(1);
  });

  it("takes a longer route for a longer route, not for a queue, after a while", () => {
    const line = new Line(20e6).run(15);
    line.baseMs = 300;
    line.run(150);
    expect(line.chosen.at(-1)).toBe(2);
  });

  it("does not wait for layers that the sender has switched off", () => {
    const line = new Line(20e6);
    line.layers = [150_000, 0, 2_500_000];
    line.run(15);
    expect(line.chosen.at(-1)).toBe(2);
    line.layers = [150_000];
    line.run(1);
    expect(line.chosen.at(-1)).toBe(0);
  });
});
