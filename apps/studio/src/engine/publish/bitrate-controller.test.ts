import { describe, expect, it } from "vitest";
import { BitrateController, type LinkSample } from "./bitrate-controller.ts";

const LIMITS = { lowest: 500_000, highest: 6_000_000, latencyMs: 400 };
const PACKET = 1316;
const STEP_MS = 100;

/** A link of a certain rate with a queue in front of it, and a sender that gives up what is older than twice the latency. */
class Link {
  now = 0;
  #queued = 0;
  #delivered = 0;
  #sent = 0;
  #dropped = 0;
  #lost = 0;

  /** Sends at `rate` for one step over a link that carries `capacity`, bits/s. */
  step(rate: number, capacity: number, lossShare = 0): LinkSample {
    this.now += STEP_MS;
    const offered = (rate * STEP_MS) / 8000;
    this.#sent += offered / PACKET;
    this.#lost += (offered / PACKET) * lossShare;
    this.#queued += offered;
    const carried = Math.min(this.#queued, (capacity * STEP_MS) / 8000);
    this.#queued -= carried;
    this.#delivered += carried;
    let ageMs = (this.#queued * 8000) / capacity;
    const oldest = LIMITS.latencyMs * 2;
    if (ageMs > oldest) {
      const kept = (oldest * capacity) / 8000;
      this.#dropped += (this.#queued - kept) / PACKET;
      this.#queued = kept;
      ageMs = oldest;
    }
    return {
      now: this.now,
      // What waits at the bottleneck makes the round trip longer, as SRT measures it.
      rttMs: 30 + ageMs,
      sendBufferMs: 30 + ageMs,
      unsentMs: 0,
      bytesDelivered: this.#delivered,
      packetsSent: Math.round(this.#sent),
      packetsResent: Math.round(this.#lost),
      packetsDropped: Math.round(this.#dropped),
      local: false,
    };
  }
}

/** Runs for `ms` and says what the targets were, and how many packets were given up. */
function run(controller: BitrateController, link: Link, ms: number, capacity: number, lossShare = 0) {
  const targets: number[] = [];
  let first: number | undefined;
  let dropped = 0;
  for (let t = 0; t < ms; t += STEP_MS) {
    const sample = link.step(controller.target, capacity, lossShare);
    first ??= sample.packetsDropped;
    dropped = sample.packetsDropped - first;
    targets.push(controller.sample(sample));
  }
  return { targets, last: targets.at(-1) ?? 0, dropped };
}

describe("STU3: the bitrate that follows the network", () => {
  it("stays full while the network carries it", () => {
    const controller = new BitrateController(LIMITS);
    const { targets } = run(controller, new Link(), 60_000, 10_000_000, 0.02);
    expect(new Set(targets)).toEqual(new Set([6_000_000]));
    expect(controller.reason).toBe("full");
  });

  it("falls within 5 s below a link that got half as wide, without a storm of drops, and is back within 30 s", () => {
    const controller = new BitrateController(LIMITS);
    const link = new Link();
    run(controller, link, 10_000, 10_000_000);
    const fall = run(controller, link, 5000, 3_000_000);
    expect(fall.last).toBeLessThan(3_000_000);
    expect(controller.reason).not.toBe("full");
    const narrow = run(controller, link, 55_000, 3_000_000);
    // Well used all the while, and less than a tenth of a second of it given up.
    const average = narrow.targets.reduce((sum, rate) => sum + rate, 0) / narrow.targets.length;
    expect(average).toBeGreaterThan(3_000_000 * 0.75);
    expect(fall.dropped + narrow.dropped).toBeLessThan(3_000_000 / 8 / PACKET / 4);
    const wide = run(controller, link, 30_000, 10_000_000);
    expect(wide.last).toBe(6_000_000);
  });

  it("gives way to loss that retransmission cannot carry, never below the lowest", () => {
    const controller = new BitrateController(LIMITS);
    expect(run(controller, new Link(), 60_000, 10_000_000, 0.3).last).toBe(LIMITS.lowest);
    expect(controller.reason).toBe("loss");
  });

  it("is not misled by counters that begin again with a new connection", () => {
    const controller = new BitrateController(LIMITS);
    const link = new Link();
    run(controller, link, 5000, 2_000_000);
    const before = controller.target;
    controller.reconnected();
    const after = controller.sample({ ...new Link().step(before, 10_000_000), now: link.now + STEP_MS });
    expect(after).toBe(before);
  });
});
