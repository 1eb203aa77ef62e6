import type { VideoTrack } from "@klieg/media";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_LADDER,
  fitLadder,
  type LadderSource,
  LadderSyntaxError,
  parseLadder,
  playedByBrowsers,
} from "./ladder.ts";
import { chooseLadder, type EncodeCapacity, ladderCost } from "./ladder-choice.ts";

const source = (width: number, height: number, more: Partial<LadderSource> = {}): LadderSource => ({
  width,
  height,
  frameRate: 30,
  playable: true,
  ...more,
});
const names = (rungs: readonly { name: string }[]) => rungs.map(({ name }) => name);

describe("TRN1: the rungs that suit a source", () => {
  test("1080p gets what is below it, at the default bit rates", () => {
    const rungs = fitLadder(DEFAULT_LADDER, source(1920, 1080));
    expect(rungs.map(({ name, width, height, bitrate }) => [name, width, height, bitrate])).toEqual([
      ["720p", 1280, 720, 3_000_000],
      ["480p", 854, 480, 1_500_000],
      ["360p", 640, 360, 800_000],
      ["240p", 426, 240, 400_000],
    ]);
  });

  test("2160p gets the whole ladder but its own size", () => {
    expect(names(fitLadder(DEFAULT_LADDER, source(3840, 2160)))).toEqual([
      "1440p",
      "1080p",
      "720p",
      "480p",
      "360p",
      "240p",
    ]);
  });

  test("a source that browsers do not play is made at its own size too", () => {
    expect(names(fitLadder(DEFAULT_LADDER, source(1280, 720, { playable: false })))).toEqual([
      "720p",
      "480p",
      "360p",
      "240p",
    ]);
    const [own] = fitLadder(DEFAULT_LADDER, source(1601, 901, { playable: false }));
    expect(own).toMatchObject({ name: "901p", width: 1600, height: 900 });
    expect(own?.bitrate).toBeGreaterThan(3_000_000);
    expect(own?.bitrate).toBeLessThan(6_000_000);
    const [small] = fitLadder(DEFAULT_LADDER, source(320, 180, { playable: false }));
    expect(small).toMatchObject({ name: "180p", width: 320, height: 180 });
    expect(small?.bitrate).toBeLessThan(400_000);
  });

  test("portrait keeps its orientation: the short side counts", () => {
    expect(
      fitLadder(DEFAULT_LADDER, source(720, 1280)).map(({ name, width, height }) => [name, width, height]),
    ).toEqual([
      ["480p", 480, 854],
      ["360p", 360, 640],
      ["240p", 240, 426],
    ]);
  });

  test("a rung of almost the source's size is left out", () => {
    expect(names(fitLadder(DEFAULT_LADDER, source(896, 504)))).toEqual(["360p", "240p"]);
  });

  test("60 and 50 frames a second stay from 720p on and are halved below; 25 and 30 stay everywhere", () => {
    const rates = (frameRate: number) =>
      fitLadder(DEFAULT_LADDER, source(1920, 1080, { frameRate })).map((rung) => rung.frameRate);
    expect(rates(60)).toEqual([60, 30, 30, 30]);
    expect(rates(50)).toEqual([50, 25, 25, 25]);
    expect(rates(30)).toEqual([30, 30, 30, 30]);
    expect(rates(25)).toEqual([25, 25, 25, 25]);
    expect(rates(120)).toEqual([60, 30, 30, 30]);
  });

  test("no rung has more than its share of a bit rate that is known", () => {
    const rungs = fitLadder(DEFAULT_LADDER, source(1280, 720, { bitrate: 1_000_000 }));
    expect(rungs[0]?.bitrate).toBeLessThan(600_000);
  });

  test("whatever the source: never upscaled, even, of its shape, descending", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 7680 }),
        fc.integer({ min: 16, max: 4320 }),
        fc.double({ min: 1, max: 240, noNaN: true }),
        fc.option(fc.integer({ min: 10_000, max: 100_000_000 }), { nil: undefined }),
        fc.boolean(),
        (width, height, frameRate, bitrate, playable) => {
          const rungs = fitLadder(DEFAULT_LADDER, { width, height, frameRate, bitrate, playable });
          for (const [i, rung] of rungs.entries()) {
            expect(rung.width).toBeLessThanOrEqual(width);
            expect(rung.height).toBeLessThanOrEqual(height);
            expect(rung.width % 2).toBe(0);
            expect(rung.height % 2).toBe(0);
            expect(Math.min(rung.width, rung.height)).toBeGreaterThan(0);
            expect(rung.frameRate).toBeLessThanOrEqual(frameRate);
            expect(rung.frameRate).toBeCloseTo(frameRate / rung.frameRateDivisor);
            // The shape differs by no more than rounding to even does.
            expect(Math.abs(rung.width * height - rung.height * width)).toBeLessThanOrEqual(2 * (width + height));
            const below = rungs[i + 1];
            if (below === undefined) continue;
            expect(below.bitrate).toBeLessThan(rung.bitrate);
            expect(below.width * below.height).toBeLessThan(rung.width * rung.height);
          }
          expect(new Set(names(rungs)).size).toBe(rungs.length);
        },
      ),
    );
  });
});

describe("the ladder setting", () => {
  test("auto, off and rungs in any order and unit", () => {
    expect(parseLadder("auto")).toBe(DEFAULT_LADDER);
    expect(parseLadder("off")).toEqual([]);
    expect(parseLadder("480p:1500k, 720p:3M ,240p:400000")).toEqual([
      { shortSide: 720, bitrate: 3_000_000 },
      { shortSide: 480, bitrate: 1_500_000 },
      { shortSide: 240, bitrate: 400_000 },
    ]);
    expect(parseLadder("1080p:4.5M")).toEqual([{ shortSide: 1080, bitrate: 4_500_000 }]);
  });

  test.each([
    ["", "no rung"],
    ["720", "no rung"],
    ["720p:fast", "no rung"],
    ["721p:3000k", "even"],
    ["9998p:3000k", "even"],
    ["720p:3", "bit rate"],
    ["720p:900M", "bit rate"],
    ["720p:3M,720p:2M", "twice"],
    ["720p:3M,480p:4M", "lower bit rate"],
  ])("%j is refused", (text, reason) => {
    expect(() => parseLadder(text)).toThrow(LadderSyntaxError);
    expect(() => parseLadder(text)).toThrow(reason);
  });
});

describe("TRN1, TRN6: the rungs that the machine has room for", () => {
  const capacity = (more: Partial<EncodeCapacity> = {}): EncodeCapacity => ({
    cores: 1,
    pixelsPerCoreSecond: 60e6,
    hardware: false,
    ...more,
  });
  const h264 = (width: number, height: number, frameRate = 30) => ({
    ...source(width, height, { frameRate }),
    codec: "h264" as const,
  });

  test("a large machine makes everything", () => {
    const from = h264(1920, 1080, 60);
    const offered = fitLadder(DEFAULT_LADDER, from);
    const choice = chooseLadder(offered, from, capacity({ cores: 8 }));
    expect(choice).toMatchObject({ rungs: offered, preset: "veryfast", leftOut: [] });
  });

  test("a small one makes fewer, and the lowest is among them", () => {
    const from = h264(1920, 1080);
    const offered = fitLadder(DEFAULT_LADDER, from);
    const choice = chooseLadder(offered, from, capacity({ cores: 0.7 }));
    expect(choice.rungs.length).toBeGreaterThan(0);
    expect(choice.rungs.length).toBeLessThan(offered.length);
    expect(choice.rungs.at(-1)?.name).toBe("240p");
    expect(choice.leftOut).toContain("720p");
  });

  test("a machine that cannot even decode the source makes nothing", () => {
    const from = h264(3840, 2160, 60);
    const choice = chooseLadder(
      fitLadder(DEFAULT_LADDER, from),
      from,
      capacity({ cores: 0.5, pixelsPerCoreSecond: 20e6 }),
    );
    expect(choice.rungs).toEqual([]);
    expect(choice.leftOut.length).toBeGreaterThan(0);
  });

  test("a hardware encoder makes room", () => {
    const from = h264(1920, 1080, 60);
    const offered = fitLadder(DEFAULT_LADDER, from);
    expect(chooseLadder(offered, from, capacity({ cores: 1 })).rungs.length).toBeLessThan(offered.length);
    expect(chooseLadder(offered, from, capacity({ cores: 1, hardware: true })).rungs).toEqual(offered);
  });

  test("whatever the machine: within its capacity, in order, and more capacity never serves fewer bits", () => {
    fc.assert(
      fc.property(
        fc.constantFrom([1280, 720], [1920, 1080], [3840, 2160], [640, 360], [1080, 1920]),
        fc.constantFrom(25, 30, 50, 60),
        fc.double({ min: 0.1, max: 16, noNaN: true }),
        fc.integer({ min: 10e6, max: 200e6 }),
        ([width, height], frameRate, cores, pixelsPerCoreSecond) => {
          const from = h264(width as number, height as number, frameRate);
          const offered = fitLadder(DEFAULT_LADDER, from);
          const machine = capacity({ cores, pixelsPerCoreSecond });
          const choice = chooseLadder(offered, from, machine);
          expect(choice.cost).toBeLessThanOrEqual(cores);
          expect(choice.cost).toBeCloseTo(ladderCost(choice.rungs, from, machine, choice.preset));
          expect(choice.rungs).toEqual(offered.filter((rung) => choice.rungs.includes(rung)));
          expect([...names(choice.rungs), ...choice.leftOut].toSorted()).toEqual(names(offered).toSorted());
          const more = chooseLadder(offered, from, { ...machine, cores: cores * 4 });
          expect(more.rungs.length).toBeGreaterThanOrEqual(choice.rungs.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("browsers play 8-bit 4:2:0 H.264, and nothing else can be counted on", () => {
  const track = (codec: VideoTrack["codec"], codecString: string): VideoTrack => ({
    kind: "video",
    id: 0,
    codec,
    config: new Uint8Array(),
    codecString,
    width: 1280,
    height: 720,
    frameRate: 30,
    profile: undefined,
  });
  expect(playedByBrowsers(track("h264", "avc1.64001f"))).toBe(true);
  expect(playedByBrowsers(track("h264", "avc1.42c01f"))).toBe(true);
  expect(playedByBrowsers(track("h264", "avc1.6e001f"))).toBe(false);
  expect(playedByBrowsers(track("h264", "avc1.f4001f"))).toBe(false);
  expect(playedByBrowsers(track("hevc", "hvc1.1.6.L93.B0"))).toBe(false);
  expect(playedByBrowsers(track("av1", "av01.0.05M.08"))).toBe(false);
});
