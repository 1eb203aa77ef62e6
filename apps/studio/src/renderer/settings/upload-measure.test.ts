import { KliegError } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import type { Destination } from "../../document/destination.ts";
import type { EngineLink } from "../state/engine-store.ts";
import { type MeasuredUpload, measureUpload, roomFor } from "./upload-measure.ts";

const upload = { bitrate: 8_000_000, at_least: false, rtt_ms: 30, loss: 0 };
const home: Destination = {
  id: "home",
  name: "Home",
  enabled: true,
  kind: "klieg",
  url: "https://klieg.example",
  channel: "demo",
  protocol: "srt",
};

/** An engine that answers so. */
const engine = (answer: () => Promise<unknown>) => ({ request: answer }) as unknown as EngineLink;

describe("the upload, before a show (STU2)", () => {
  test("is the engine's to measure, and is said in words where it cannot be", async () => {
    expect(
      await measureUpload(
        engine(async () => ({ upload })),
        home,
      ),
    ).toMatchObject({ destination: "Home", upload });
    const busy = engine(() => Promise.reject(new KliegError("conflict", "The channel is on air from somewhere else.")));
    expect(await measureUpload(busy, home)).toMatchObject({
      upload: undefined,
      problem: expect.stringMatching(/on air/),
    });
    const other: Destination = { id: "o", name: "Other", enabled: true, kind: "rtmp", url: "rtmp://example.org/live" };
    const never = engine(() => Promise.reject(new Error("it was asked")));
    expect(await measureUpload(never, other)).toMatchObject({
      upload: undefined,
      problem: expect.stringMatching(/Only a Klieg server/),
    });
  });

  test("leaves a quarter free, and is shared by all that are sent to", () => {
    const to = (bitrate: number): MeasuredUpload => ({
      destination: "",
      upload: { ...upload, bitrate },
      problem: undefined,
    });
    expect(roomFor([to(8_000_000)], 128_000)).toBe(5_872_000);
    expect(roomFor([to(20_000_000), to(8_000_000)], 128_000)).toBe(2_872_000);
    expect(roomFor([to(100_000)], 128_000)).toBe(0);
    expect(roomFor([{ ...to(1), upload: undefined }], 128_000)).toBeUndefined();
  });
});
