import { describe, expect, it } from "vitest";
import { CAMERA_LAYERS, sendingOf, spatialLayerFor } from "./encodings.ts";

const codec = (mimeType: string) => ({ kind: "video", mimeType, clockRate: 90_000 }) as never;

describe("how a source is sent (RTC2)", () => {
  it("sends a camera in three layers, each half of the next, a screen in one", () => {
    const { encodings = [], codec: chosen } = sendingOf("camera", [codec("video/H264"), codec("video/VP8")]);
    expect(encodings.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy)).toEqual([4, 2, 1]);
    expect(encodings).toHaveLength(CAMERA_LAYERS);
    expect(new Set(encodings.map(({ rid }) => rid)).size).toBe(3);
    expect(chosen?.mimeType).toBe("video/VP8");
    const screen = sendingOf("screen", [codec("video/H264")]);
    expect(screen.encodings).toHaveLength(1);
    expect(screen).not.toHaveProperty("codec");
  });

  it("sends speech so that it survives loss and costs nothing in silence, and music whole", () => {
    expect(sendingOf("microphone", []).codecOptions).toMatchObject({ opusFec: true, opusDtx: true, opusStereo: false });
    expect(sendingOf("screen_audio", []).codecOptions).toMatchObject({
      opusFec: true,
      opusDtx: false,
      opusStereo: true,
    });
  });
});

describe("the layer that is as large as it is shown (RTC2)", () => {
  it.each([
    [132, 74, 0],
    [320, 180, 0],
    [400, 225, 0],
    [640, 360, 1],
    // A tall tile is filled: its height decides.
    [200, 400, 1],
    // A wide one: its width.
    [900, 200, 2],
    [1280, 720, 2],
    [3840, 2160, 2],
    [0, 0, 0],
  ])("%d × %d: %d", (width, height, layer) => expect(spatialLayerFor(width, height)).toBe(layer));
});
