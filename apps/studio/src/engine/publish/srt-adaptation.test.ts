import { describe, expect, test } from "vitest";
import { SimulatedUplink } from "./testing/simulated-uplink.ts";

const WIDE = 10_000_000;

describe("STU3: our SRT over a network that gets half as wide for a minute, and then as wide as before", () => {
  test.each([
    ["near, with a router's queue", { delayMs: 10, queueBytes: 200_000, loss: 0 }],
    ["far, with a deep queue", { delayMs: 100, queueBytes: 1_000_000, loss: 0 }],
    ["losing 2 % of everything besides", { delayMs: 20, queueBytes: 200_000, loss: 0.02 }],
  ])("%s", async (_what, way) => {
    await using uplink = await SimulatedUplink.open({ videoBitrate: 6_000_000, capacity: WIDE, ...way });
    expect(uplink.run(10_000).average).toBe(6_000_000);

    uplink.capacity = 3_000_000;
    const fall = uplink.run(5000);
    expect(fall.last).toBeLessThan(3_000_000);
    // A second of pictures at most is left out, and few packets are lost for good.
    expect(fall.droppedFrames).toBeLessThanOrEqual(30);
    expect(fall.packetsDropped).toBeLessThan(150);
    const narrow = uplink.run(55_000);
    expect(narrow.droppedFrames).toBe(0);
    expect(narrow.packetsDropped).toBeLessThan(way.loss === 0 ? 30 : 120);
    // What the network carries is used: it falls no deeper than it must.
    const media = 3_000_000 / 1.08 - 128_000;
    expect(narrow.average).toBeGreaterThan(media * (way.loss === 0 ? 0.85 : 0.7));
    expect(Math.min(...narrow.targets)).toBeGreaterThan(media * 0.5);

    uplink.capacity = WIDE;
    const back = uplink.run(30_000);
    expect(back.last).toBe(6_000_000);
    expect([back.droppedFrames, uplink.closes]).toEqual([0, []]);
  });

  test("where keyframes are thirty times as large as other pictures", async () => {
    const way = { delayMs: 2, queueBytes: 60_000, keyframeWeight: 30 };
    await using uplink = await SimulatedUplink.open({ videoBitrate: 2_000_000, capacity: 9_000_000, ...way });
    expect(new Set(uplink.run(10_000).targets)).toEqual(new Set([2_000_000]));
    uplink.capacity = 1_125_000;
    expect(uplink.run(5000).last).toBeLessThan(1_000_000);
    const narrow = uplink.run(55_000);
    expect([narrow.droppedFrames, narrow.packetsDropped]).toEqual([0, 0]);
    expect(narrow.average).toBeGreaterThan(650_000);
    uplink.capacity = 9_000_000;
    expect(uplink.run(30_000).last).toBe(2_000_000);
  });

  test("with an encoder that makes more than it is asked for, and back all the same", async () => {
    const way = { delayMs: 1, queueBytes: 200_000, leastMade: 1_500_000 };
    await using uplink = await SimulatedUplink.open({ videoBitrate: 3_000_000, capacity: 8_000_000, ...way });
    uplink.run(5000);
    uplink.capacity = 1_600_000;
    const narrow = uplink.run(60_000);
    expect(narrow.packetsDropped).toBeLessThan(100);
    expect(narrow.pictures).toBeGreaterThan(60 * 30 * 0.85);
    uplink.capacity = 8_000_000;
    expect(uplink.run(30_000).last).toBe(3_000_000);
  });

  test("to less than a third: pictures are left out, the connection stays, and nothing arrives damaged", async () => {
    const way = { delayMs: 10, queueBytes: 200_000 };
    await using uplink = await SimulatedUplink.open({ videoBitrate: 2_500_000, capacity: 8_000_000, ...way });
    uplink.run(5000);
    uplink.capacity = 700_000;
    const fall = uplink.run(5000);
    expect(fall.last).toBeLessThan(600_000);
    expect(fall.droppedFrames).toBeLessThan(90);
    const narrow = uplink.run(55_000);
    expect(fall.packetsDropped + narrow.packetsDropped).toBe(0);
    expect(narrow.droppedFrames).toBe(0);
    expect(narrow.average).toBeGreaterThan(430_000);
    expect(uplink.publisher.phase).toBe("live");
    expect(uplink.closes).toEqual([]);
  });

  test("a far server alone is no full network", async () => {
    await using uplink = await SimulatedUplink.open({
      videoBitrate: 6_000_000,
      capacity: WIDE,
      delayMs: 150,
      queueBytes: 300_000,
    });
    expect(new Set(uplink.run(30_000).targets)).toEqual(new Set([6_000_000]));
    expect(uplink.publisher.rate?.reason).toBe("full");
  });
});
