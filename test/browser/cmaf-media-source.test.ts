import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openChromium } from "../harness/chromium.ts";
import { packageUnits } from "../harness/cmaf-presentation.ts";
import { ffmpegSource, type UnitContainer, unitsOf } from "../harness/ffmpeg-units.ts";
import { playThroughMediaSource } from "../harness/media-source-page.ts";

const SECONDS = 6;
const picture = (rate: string) => ["-f", "lavfi", "-i", `testsrc2=size=320x180:rate=${rate}:duration=${SECONDS}`];
const tone = (rate: number) => ["-f", "lavfi", "-i", `sine=sample_rate=${rate}:duration=${SECONDS}`];
const x264 = (gop: number, bFrames: number) =>
  `-c:v libx264 -preset veryfast -g ${gop} -bf ${bFrames} -pix_fmt yuv420p`.split(" ");
const AAC = ["-c:a", "aac"];

let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
});
afterAll(() => browser.close());

const sources: readonly { name: string; container: UnitContainer; args: readonly string[] }[] = [
  {
    name: "H.264 29.97 with B-frames and AAC 44.1 kHz, timestamps in ms",
    container: "flv",
    args: [...picture("30000/1001"), ...tone(44_100), ...x264(60, 3), ...AAC],
  },
  {
    name: "H.264 60 without B-frames and AAC 48 kHz",
    container: "mpegts",
    args: [...picture("60"), ...tone(48_000), ...x264(120, 0), ...AAC],
  },
  {
    name: "VP9 and Opus",
    container: "mp4",
    args: [
      ...picture("30"),
      ...tone(48_000),
      ..."-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -c:a libopus".split(" "),
    ],
  },
  {
    name: "AV1 and Opus",
    container: "mp4",
    args: [...picture("30"), ...tone(48_000), ..."-c:v libsvtav1 -preset 12 -g 60 -c:a libopus".split(" ")],
  },
  { name: "one picture a second", container: "flv", args: [...picture("1"), ...tone(48_000), ...x264(2, 0), ...AAC] },
];

describe("PKG1 CMAF in Chromium's MediaSource", () => {
  test.each(sources)("$name: one buffered range, and it plays to its end", async ({ container, args }) => {
    await expectPlays(unitsOf(container, await ffmpegSource(container, args)));
  });

  test.each([0.5, 1.5, 2.4])("PKG4: pictures missing for %s s, and no keyframe after them", async (hole) => {
    const args = [...picture("30"), ...tone(48_000), ...x264(180, 0), ...AAC];
    const units = unitsOf("flv", await ffmpegSource("flv", args));
    const from = 2.5 * TICKS_PER_SECOND;
    const to = from + hole * TICKS_PER_SECOND;
    await expectPlays(units.filter((unit) => unit.track.kind === "audio" || unit.dts < from || unit.dts >= to));
  });
});

async function expectPlays(units: readonly AccessUnit[]): Promise<void> {
  const tracks = packageUnits(units);
  expect(tracks).toHaveLength(2);
  const report = await playThroughMediaSource(browser, tracks);
  expect(report).toMatchObject({ ended: true, error: undefined });
  for (const { name, starts } of tracks) {
    const [range, ...others] = report.buffered[name] ?? [];
    expect(others).toEqual([]);
    const first = (starts[0]?.startTicks ?? 0) / TICKS_PER_SECOND;
    const last = Math.max(...units.filter((unit) => unit.track.kind === name).map((unit) => unit.pts));
    expect(Math.abs((range?.[0] ?? 0) - first)).toBeLessThan(0.002);
    expect(range?.[1]).toBeGreaterThan(last / TICKS_PER_SECOND);
  }
  // What is seen are pictures of the source at the times of the source, and the last one too.
  const times = new Set(units.filter((unit) => unit.track.kind === "video").map((unit) => Math.round(unit.pts / 90)));
  const seen = report.shown.map((seconds) => Math.round(seconds * 1000));
  expect(seen.filter((ms) => !times.has(ms) && !times.has(ms - 1) && !times.has(ms + 1))).toEqual([]);
  expect(seen.length).toBeGreaterThan(Math.min(20, times.size / 2));
}
