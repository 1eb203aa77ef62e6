import { describe, expect, it } from "vitest";
import { AUDIO, picture, sound, VIDEO } from "../testing/tracks.ts";
import { IngestMeter } from "./ingest-meter.ts";

describe("OBS3: what a contribution brings", () => {
  it("tells the frame rate of the media's own time, however bursty it comes", () => {
    const meter = new IngestMeter();
    expect(meter.mediaFrameRate).toBeUndefined();
    for (let frame = 0; frame < 60; frame += 1) meter.add(picture(frame * 3000), frame < 30 ? 0 : frame);
    meter.add(sound(0, { track: AUDIO }), 60);
    expect(meter.mediaFrameRate).toBe(30);
    expect(meter.frameRate(250)).toBeGreaterThan(200);
  });

  it("measures anew after a jump and with a new configuration", () => {
    const meter = new IngestMeter();
    for (let frame = 0; frame < 10; frame += 1) meter.add(picture(frame * 3000), frame);
    meter.add(picture(9_000_000, { discontinuity: true }), 10);
    expect(meter.mediaFrameRate).toBeUndefined();
    meter.add(picture(9_003_600), 11);
    expect(meter.mediaFrameRate).toBe(25);
    const track = { ...VIDEO };
    for (let frame = 1; frame < 10; frame += 1) meter.add(picture(9_003_600 + frame * 1500, { track }), 11 + frame);
    expect(meter.mediaFrameRate).toBe(60);
  });

  it("tells whether frames come in another order than they are shown in", () => {
    const meter = new IngestMeter();
    meter.add(picture(0), 0);
    meter.add({ ...picture(3000), pts: 12_000 }, 1);
    expect(meter.reordersFrames).toBe(false);
    meter.add({ ...picture(6000), pts: 6000 }, 2);
    meter.add({ ...picture(9000), pts: 15_000 }, 3);
    expect(meter.reordersFrames).toBe(true);
    // All frames the same time later is no other order.
    meter.add({ ...picture(12_000, { discontinuity: true }), pts: 15_000 }, 4);
    meter.add({ ...picture(15_000), pts: 18_000 }, 5);
    expect(meter.reordersFrames).toBe(false);
  });
});
