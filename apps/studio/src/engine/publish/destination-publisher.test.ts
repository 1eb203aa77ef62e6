import { ManualClock } from "@klieg/base";
import type { AccessUnit, Track } from "@klieg/media";
import { describe, expect, test } from "vitest";
import { ProgramFeed } from "../program/program-feed.ts";
import { configFrame, pictureFrame } from "../testing/program-frames.ts";
import type { LinkSample } from "./bitrate-controller.ts";
import type { DestinationOutput, OutputEvents, OutputStatistics } from "./destination-output.ts";
import { DestinationPublisher } from "./destination-publisher.ts";
import { failure } from "./publish-failure.ts";

/** A connection that is not one. */
class FakeOutput implements DestinationOutput {
  readonly latencyMs = 300;
  readonly events: OutputEvents;
  readonly tracks: Track[] = [];
  readonly units: AccessUnit[] = [];
  closed = 0;
  link = { sendBufferMs: 10, bytesDelivered: 0, packetsSent: 0, packetsResent: 0, packetsDropped: 0 };

  constructor(events: OutputEvents) {
    this.events = events;
  }

  onTrack(track: Track): void {
    this.tracks.push(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    this.units.push(unit);
  }

  sample(now: number): LinkSample {
    return { now, rttMs: 20, unsentMs: 0, local: false, ...this.link };
  }

  statistics(): OutputStatistics {
    const { packetsSent, packetsResent } = this.link;
    const packets = { packetsSent, packetsReportedLost: packetsResent, packetsRetransmitted: packetsResent };
    return { bytesSent: packetsSent * 1000, rttMs: 20, bufferMs: 10, droppedFrames: 2, ...packets };
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class Bench implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly feed = new ProgramFeed({ clock: this.clock, ffmpeg: undefined });
  readonly outputs: FakeOutput[] = [];
  /** What the next attempts answer, in turn; after these all succeed. */
  readonly answers: (Error | "never")[] = [];
  attempts = 0;
  readonly phases: string[] = [];
  readonly publisher = new DestinationPublisher({
    id: "one",
    clock: this.clock,
    feed: this.feed,
    limits: { lowest: 300_000, highest: 3_000_000 },
    random: () => 0.5,
    onState: () => {
      const { phase } = this.publisher;
      if (this.phases.at(-1) !== phase) this.phases.push(phase);
    },
    open: (events, signal) => this.#open(events, signal),
  });

  get output(): FakeOutput {
    const last = this.outputs.at(-1);
    if (last === undefined) throw new Error("nothing is open");
    return last;
  }

  async #open(events: OutputEvents, signal: AbortSignal): Promise<DestinationOutput> {
    this.attempts += 1;
    const answer = this.answers.shift();
    if (answer === "never") {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    } else if (answer !== undefined) throw answer;
    const output = new FakeOutput(events);
    this.outputs.push(output);
    return output;
  }

  /** Lets what has been promised happen. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher.close();
    await this.feed.close();
    expect(this.clock.pending).toBe(0);
  }
}

const down = failure("network", "unreachable", "Nobody there.");

describe("STU3: a destination for the length of a broadcast", () => {
  test("waits for a program, connects, and sends from a keyframe on", async () => {
    await using bench = new Bench();
    expect(bench.publisher.state).toMatchObject({ state: "waiting", attempt: 0, problem: null });
    bench.publisher.begin();
    await bench.settle();
    expect(bench.phases).toEqual(["connecting", "live"]);
    const source = bench.feed.openSource();
    source.push(configFrame());
    source.push(pictureFrame(0, true));
    source.push(pictureFrame(40_000, false));
    expect(bench.output.tracks).toHaveLength(1);
    expect(bench.output.units.map(({ keyframe }) => keyframe)).toEqual([true, false]);
  });

  test("an outage: it comes back by itself, later each time, and counts on over its connections", async () => {
    await using bench = new Bench();
    bench.publisher.begin();
    await bench.settle();
    await bench.pass(20_000);
    bench.output.link.packetsResent = 3;
    bench.answers.push(down, down);
    bench.output.events.onClosed(down);
    expect(bench.publisher.state).toMatchObject({
      state: "reconnecting",
      attempt: 1,
      next_attempt_at: bench.clock.wall() + 500,
      problem: { code: "unreachable", message: "Nobody there.", retryable: true },
    });
    await bench.settle();
    expect(bench.output.closed).toBe(1);
    await bench.pass(500);
    await bench.pass(1000);
    expect(bench.attempts).toBe(3);
    await bench.pass(2000);
    expect(bench.publisher.state).toMatchObject({ state: "live", problem: null, next_attempt_at: null });
    expect(bench.phases).toEqual(["connecting", "live", "reconnecting", "live"]);
    expect(bench.publisher.health(bench.clock.now())).toMatchObject({ dropped_frames: 4, retransmitted: 3 });
  });

  test("a refusal is final, until its user has it tried again", async () => {
    await using bench = new Bench();
    bench.answers.push(failure("refused", "stream_key_invalid", "The key is wrong."));
    bench.publisher.begin();
    await bench.settle();
    expect(bench.publisher.state).toMatchObject({ state: "failed", problem: { code: "stream_key_invalid" } });
    await bench.pass(600_000);
    expect(bench.attempts).toBe(1);
    bench.publisher.retry();
    await bench.settle();
    expect(bench.publisher.phase).toBe("live");
  });

  test("retry does not wait; stop ends an attempt under way, and stays so", async () => {
    await using bench = new Bench();
    bench.answers.push(down, "never");
    bench.publisher.begin();
    await bench.settle();
    bench.publisher.retry();
    await bench.settle();
    expect(bench.attempts).toBe(2);
    await bench.publisher.stop();
    expect(bench.publisher.state).toMatchObject({ state: "stopped", problem: null, next_attempt_at: null });
    await bench.pass(60_000);
    bench.publisher.begin();
    expect(bench.attempts).toBe(2);
    bench.publisher.retry();
    await bench.settle();
    expect(bench.publisher.phase).toBe("live");
  });

  test("what its muxer cannot take ends the connection, not the feed", async () => {
    await using bench = new Bench();
    bench.publisher.begin();
    await bench.settle();
    bench.output.onAccessUnit = () => {
      throw new Error("impossible");
    };
    const source = bench.feed.openSource();
    source.push(configFrame());
    source.push(pictureFrame(0, true));
    expect(bench.publisher.state).toMatchObject({ state: "reconnecting", problem: { code: "internal" } });
    await bench.pass(500);
    expect(bench.publisher.phase).toBe("live");
  });

  test("its bit rate follows the connection, and survives an outage", async () => {
    await using bench = new Bench();
    expect(bench.publisher.rate).toBeUndefined();
    bench.publisher.begin();
    await bench.settle();
    const { link } = bench.output;
    for (let i = 0; i < 20; i += 1) {
      link.bytesDelivered += 50_000;
      link.packetsSent += 50;
      if (i > 10) link.sendBufferMs = 600;
      await bench.pass(250);
      bench.publisher.sample(bench.clock.now());
    }
    const { rate } = bench.publisher;
    expect(rate?.reason).toBe("queue");
    expect(rate?.target).toBeLessThan(2_000_000);
    expect(bench.publisher.health(bench.clock.now())).toMatchObject({ bitrate: 1_600_000, loss: 0, rtt_ms: 20 });
    bench.output.events.onClosed(down);
    expect(bench.publisher.rate).toBeUndefined();
    await bench.pass(500);
    expect(bench.publisher.rate).toEqual(rate);
  });
});
