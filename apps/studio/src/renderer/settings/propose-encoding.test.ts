import { describe, expect, test } from "vitest";
import { Encoding } from "../../document/encoding.ts";
import type { Measured } from "./encoder-measure.ts";
import { proposeEncoding, SHAPES } from "./propose-encoding.ts";

const [best, full, , half] = SHAPES;
if (best === undefined || full === undefined || half === undefined) throw new Error("no shapes");
const cpu = (shape: Measured["shape"], speed: number): Measured => ({
  encoder: "browser_software",
  label: "CPU",
  hardware: false,
  shape,
  speed,
});
const gpu = (shape: Measured["shape"], speed: number): Measured => ({
  encoder: "h264_nvenc",
  label: "NVIDIA GPU",
  hardware: true,
  shape,
  speed,
});

describe("what this machine is proposed (STU2)", () => {
  test("the best picture with room to spare", () => {
    expect(proposeEncoding([cpu(best, 1.4), cpu(full, 2.6)])).toMatchObject({
      width: 1920,
      frameRate: 30,
      label: "CPU",
    });
    expect(proposeEncoding([cpu(best, 1.1), cpu(full, 2.1), cpu(half, 4.5)])).toMatchObject({
      width: 1280,
      videoBitrate: half.bitrate,
    });
  });

  test("a GPU needs less room, and comes before a faster CPU", () => {
    expect(proposeEncoding([gpu(best, 1.6), cpu(best, 3)])).toMatchObject({ encoder: "h264_nvenc", frameRate: 60 });
    expect(proposeEncoding([gpu(best, 1.2), cpu(best, 3)])).toMatchObject({ encoder: "browser_software" });
  });

  test("no more than the network takes, and a smaller picture where a larger one would look worse", () => {
    const fast = [gpu(best, 3)];
    expect(proposeEncoding(fast, 6_040_000)).toMatchObject({ width: 1920, frameRate: 60, videoBitrate: 6_000_000 });
    expect(proposeEncoding(fast, 2_600_000)).toMatchObject({ width: 1280, frameRate: 30, videoBitrate: 2_600_000 });
    expect(proposeEncoding(fast, 200_000)).toMatchObject({ width: 640, videoBitrate: 300_000 });
    expect(proposeEncoding([cpu(best, 1.4), cpu(full, 2.6)], 50_000_000)).toMatchObject({ videoBitrate: 6_000_000 });
  });

  test("something even where there is no room, nothing where nothing works", () => {
    expect(proposeEncoding([cpu(half, 0.8)])).toMatchObject({ width: 640, height: 360 });
    expect(proposeEncoding([gpu(best, 0)])).toBeUndefined();
    expect(proposeEncoding([])).toBeUndefined();
  });

  test("only what a show may have", () => {
    for (const { bitrate } of SHAPES) {
      expect(Encoding.shape.video_bitrate.safeParse(bitrate).success).toBe(true);
    }
  });
});
