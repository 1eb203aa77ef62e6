import { describe, expect, it } from "vitest";
import {
  backOff,
  decide,
  elementFault,
  type Fault,
  FRESH,
  networkFault,
  type RecoveryMemory,
  settled,
  watchdogFault,
} from "./recovery.ts";

function fault(type: string, detail: string, more: Partial<Fault> = {}): Fault {
  return { origin: "engine", type, detail, fatal: true, status: null, native: false, ...more };
}

/** Decides a row of faults that come one after another. */
function row(faults: readonly Fault[], everyMs = 1000) {
  let memory: RecoveryMemory = FRESH;
  return faults.map((one, index) => {
    const decision = decide(one, memory, index * everyMs, 0.5);
    memory = decision.memory;
    return decision.recovery;
  });
}

describe("recovery (PLY1)", () => {
  it("leaves what the engine survives to the engine", () => {
    const decision = decide(fault("mediaError", "bufferStalledError", { fatal: false }), FRESH, 0, 0.5);
    expect(decision).toEqual({ recovery: { act: "none" }, memory: FRESH });
  });

  it("first loads on in mid-stream, then starts afresh, ever more slowly, and never stops trying", () => {
    const recoveries = row(Array.from({ length: 12 }, () => fault("networkError", "levelLoadError", { status: 503 })));
    expect(recoveries[0]).toMatchObject({ act: "resume-load" });
    expect(recoveries.slice(1).every((recovery) => recovery.act === "reload")).toBe(true);
    const delays = recoveries.slice(1).map((recovery) => (recovery.act === "reload" ? recovery.afterMs : 0));
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    expect(delays.at(-1)).toBe(15_000);
  });

  it.each([404, 410])("asks the channel at once when a playlist answers %d", (status) => {
    const [recovery] = row([fault("networkError", "levelLoadError", { status })]);
    expect(recovery).toMatchObject({ act: "reload", askChannel: true, reason: "unreachable" });
  });

  it("starts afresh when the first playlist fails: there is nothing to load on from", () => {
    expect(row([fault("networkError", "manifestLoadError", { status: 0 })])[0]).toMatchObject({ act: "reload" });
  });

  it.each([401, 403, 451])("gives up with the right words on status %d", (status) => {
    const [recovery] = row([fault("networkError", "manifestLoadError", { status })]);
    expect(recovery).toEqual({ act: "give-up", reason: "forbidden" });
  });

  it.each([
    "manifestIncompatibleCodecsError",
    "bufferIncompatibleCodecsError",
    "bufferAddCodecError",
    "keySystemNoAccess",
  ])("gives up on %s: no attempt brings a decoder", (detail) => {
    expect(row([fault("mediaError", detail)])[0]).toEqual({ act: "give-up", reason: "unsupported" });
  });

  it("resets the decoder, then swaps the audio codec, then starts afresh, then gives up", () => {
    const recoveries = row(Array.from({ length: 6 }, () => fault("mediaError", "bufferAppendError")));
    expect(recoveries.map((recovery) => recovery.act)).toEqual([
      "recover-media",
      "swap-audio-codec",
      "reload",
      "reload",
      "reload",
      "give-up",
    ]);
    expect(recoveries.at(-1)).toEqual({ act: "give-up", reason: "undecodable" });
  });

  it("forgets decoder faults that lie back", () => {
    const recoveries = row(
      Array.from({ length: 8 }, () => fault("muxError", "remuxAllocError")),
      31_000,
    );
    expect(recoveries.every((recovery) => recovery.act === "recover-media")).toBe(true);
  });

  it("treats the element's decode error like the engine's", () => {
    expect(row([elementFault({ code: 3, message: "" }, false)])[0]).toEqual({ act: "recover-media" });
  });

  it("ignores an aborted fetch", () => {
    expect(row([elementFault({ code: 1, message: "" }, false)])[0]).toEqual({ act: "none" });
  });

  it("cannot tell a missing playlist from a missing codec where the element plays by itself, so it tries again", () => {
    expect(row([elementFault({ code: 4, message: "" }, true)])[0]).toMatchObject({ act: "reload", askChannel: true });
  });

  it("starts afresh rather than resetting a decoder that it does not own", () => {
    expect(row([elementFault({ code: 3, message: "" }, true)])[0]).toMatchObject({ act: "reload" });
  });

  it("starts afresh when nothing moves, and when code does not arrive", () => {
    expect(row([watchdogFault("stuck")])[0]).toMatchObject({ act: "reload", askChannel: true });
    expect(row([networkFault("no chunk")])[0]).toMatchObject({ act: "reload", reason: "unreachable" });
  });

  it("gives up on an engine that keeps stumbling within a minute", () => {
    const stumble = fault("otherError", "internalException");
    expect(row([stumble, stumble, stumble, stumble]).map((recovery) => recovery.act)).toEqual([
      "reload",
      "reload",
      "reload",
      "give-up",
    ]);
    expect(row([stumble, stumble, stumble, stumble], 61_000).every((recovery) => recovery.act === "reload")).toBe(true);
  });

  it("ends a row of network faults by steady playback, but not the memory of the decoder's", () => {
    const memory: RecoveryMemory = { network: 5, media: [1], internal: [2] };
    expect(settled(memory)).toEqual({ network: 0, media: [1], internal: [2] });
    expect(settled(FRESH)).toBe(FRESH);
  });

  it("spreads viewers out by a fifth to either side", () => {
    expect(backOff(0, 0)).toBe(560);
    expect(backOff(0, 1)).toBe(840);
    expect(backOff(50, 1)).toBe(18_000);
  });
});
