import { IDLE_BROADCAST, IDLE_RECORDING, type IsolatedState } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { type EngineState, NOTHING_TOLD } from "../state/engine-store.ts";
import { noticeOf, noticesOfChange } from "./engine-notices.ts";

const state: EngineState = { ...NOTHING_TOLD, linked: true, linkState: { state: "lost" } };
const at = (broadcast: Partial<EngineState["broadcast"]>): EngineState => ({
  ...state,
  broadcast: { ...IDLE_BROADCAST, ...broadcast },
});

const camera: IsolatedState = {
  ...{ source: "camera", number: 1, picture: true, sound: false, path: "C:\\Films\\Klieg - Camera.mp4" },
  ...{ state: "recording", duration_ms: 5000, bytes: 100, problem: null },
};

describe("what is said in passing (STU3)", () => {
  test("what the engine has to say, with what to do", () => {
    const error = { code: "storage_unavailable", message: "The show could not be saved.", retryable: true } as const;
    expect(noticeOf({ event: "notice", error })).toEqual({
      text: "The show could not be saved. Try again in a moment.",
      tone: "bad",
    });
    expect(noticeOf({ event: "update", state: "ready", version: "0.2.0" })?.text).toMatch(/^Klieg 0\.2\.0 is ready/);
    expect(noticeOf({ event: "keyframe_wanted" })).toBeUndefined();
  });

  test("going on air, and how long it was", () => {
    const text = (before: EngineState, after: EngineState) =>
      noticesOfChange(before, after, 100_000).map((notice) => notice.text);
    expect(text(state, at({ state: "preview" }))).toEqual(["Only you see it. Put it on air when you are ready."]);
    expect(text(at({ state: "preview" }), at({ state: "live" }))).toEqual(["You are on air."]);
    expect(text(at({ state: "stopping", started_at: 40_000 }), state)).toEqual(["The stream has ended after 1 min."]);
    expect(text(state, state)).toEqual([]);
  });

  test("where a film was kept, whoever ended it", () => {
    const path = "/films/Klieg.mp4";
    const recording = { ...state, recording: { ...IDLE_RECORDING, state: "recording", path, bytes: 2e6 } } as const;
    const kept = { ...state, recording: { ...IDLE_RECORDING, path, bytes: 3e6 } } as const;
    expect(noticesOfChange(recording, kept, 0)).toEqual([{ text: `Recorded 3 MB: ${path}`, tone: "plain", path }]);
    expect(noticesOfChange(recording, state, 0)).toEqual([]);
    const failed = { ...state, recording: { ...IDLE_RECORDING, state: "failed" } } as const;
    expect(noticesOfChange(recording, failed, 0)).toEqual([]);
  });

  test("that a source is not recorded by itself any more, once (STU8)", () => {
    const problem = { code: "storage_unavailable", message: "The disk is full.", retryable: true } as const;
    const recordingWith = (isolated: Partial<IsolatedState>): EngineState => ({
      ...state,
      recording: { ...IDLE_RECORDING, state: "recording", isolated: [{ ...camera, ...isolated }] },
    });
    const [runs, ended] = [recordingWith({}), recordingWith({ state: "failed", problem })];
    const text = "Klieg - Camera is not recorded by itself any more. The disk is full.";
    expect(noticesOfChange(runs, ended, 0)).toEqual([{ text, tone: "bad" }]);
    expect(noticesOfChange(ended, ended, 0)).toEqual([]);
  });
});
