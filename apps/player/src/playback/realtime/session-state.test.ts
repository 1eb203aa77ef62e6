import type { WhepState } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { layerFor, pinRequest, readSessionState, renditionsOf, UNKNOWN_STATE, withMedium } from "./session-state.ts";

const layer = (spatial_layer: number, bitrate: number, rid: string | null = null) => ({
  rid,
  spatial_layer,
  temporal_layers: 1,
  bitrate,
});
const LAYERS = [layer(2, 2_000_000, "f"), layer(1, 600_000, "h"), layer(0, 150_000, "q")];
const VIDEO: WhepState["media"][number] = {
  media_id: "0",
  kind: "video",
  codec: "VP8",
  layers: LAYERS,
  current: { spatial_layer: 1, temporal_layer: 0 },
  pinned: null,
};
const AUDIO: WhepState["media"][number] = { ...VIDEO, media_id: "1", kind: "audio", codec: "opus", layers: [] };
const STATE: WhepState = {
  channel: "demo",
  stream_id: "abcdefgh23456723",
  state: "active",
  paused: false,
  viewers: 3,
  available_bitrate: 4_000_000,
  media: [AUDIO, VIDEO],
};
const SIZE = { width: 640, height: 360 };

describe("what a WHEP session says of itself", () => {
  it("is read as far as the player needs it", () => {
    expect(readSessionState(STATE)).toEqual({ sending: true, layers: LAYERS, current: 1, availableBitrate: 4_000_000 });
    expect(readSessionState({ ...STATE, state: "inactive" }).sending).toBe(false);
    const silent = [{ ...VIDEO, layers: LAYERS.map((each) => ({ ...each, bitrate: 0 })) }];
    expect(readSessionState({ ...STATE, media: silent }).sending).toBe(false);
    expect(readSessionState({ ...STATE, media: [{ ...VIDEO, current: null }] }).current).toBeNull();
  });

  it.each([null, "x", [], {}, { media: 7 }, { media: [null] }, { media: [{ kind: "video", layers: [null, {}] }] }])(
    "is a session that sends where it is %j",
    (value) => expect(readSessionState(value)).toEqual(UNKNOWN_STATE),
  );

  it("changes with its layers, those of the picture", () => {
    const state = readSessionState(STATE);
    expect(withMedium(state, { ...VIDEO, current: { spatial_layer: 2, temporal_layer: 0 } }).current).toBe(2);
    expect(withMedium(state, AUDIO)).toBe(state);
    expect(withMedium(state, null)).toBe(state);
  });

  it("offers layers by rank, since only the one on screen has a known size", () => {
    const state = readSessionState(STATE);
    expect(renditionsOf(state, SIZE, 0)).toMatchObject([
      { index: 2, rank: "high", height: null, bitrate: 2_000_000 },
      { index: 1, rank: "medium", height: 360, bitrate: 600_000 },
      { index: 0, rank: "low", height: null, bitrate: 150_000 },
    ]);
    expect(renditionsOf({ ...state, layers: [...LAYERS, layer(3, 1)] }, SIZE, 0).map(({ rank }) => rank)).toEqual([
      1, 2, 3, 4,
    ]);
    const unsent = [layer(2, 0, "f"), ...LAYERS.slice(1)];
    expect(renditionsOf({ ...state, layers: unsent }, SIZE, 0).map(({ rank }) => rank)).toEqual(["high", "low"]);
    const quiet = LAYERS.map((each) => ({ ...each, bitrate: 0 }));
    expect(renditionsOf({ ...state, layers: quiet }, SIZE, 9)).toEqual([
      { index: 1, ...SIZE, bitrate: 9, frameRate: null, codecs: null },
    ]);
    const [only, ...more] = renditionsOf(UNKNOWN_STATE, SIZE, 700_000);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ index: 0, height: 360, bitrate: 700_000 });
    expect(only).not.toHaveProperty("rank");
  });

  it("takes a quality that was pinned elsewhere for a limit of bits", () => {
    const pin = (bitrate: number) => ({ height: 480, frameRate: null, bitrate });
    expect(layerFor(LAYERS, pin(1_200_000))?.rid).toBe("h");
    expect(layerFor(LAYERS, pin(9_000_000))?.rid).toBe("f");
    expect(layerFor(LAYERS, pin(10_000))?.rid).toBe("q");
    expect(layerFor(LAYERS.slice(2), pin(10_000))).toBeNull();
  });

  it("pins by the publisher's own name of the layer, where it has one", () => {
    expect(pinRequest(LAYERS, 1)).toEqual({ rid: "h" });
    expect(pinRequest([layer(0, 1)], 0)).toEqual({ spatial_layer: 0 });
    expect(pinRequest(LAYERS, null)).toEqual({ auto: true });
  });
});
