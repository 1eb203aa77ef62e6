import type { ChannelInfo } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import type { ChannelSnapshot } from "../api/channel-watch.ts";
import { INITIAL_STATE, type PlaybackState } from "../playback/playback-state.ts";
import { hasControls, stageOf } from "./stage.ts";

const playback = (change: Partial<PlaybackState> = {}): PlaybackState => ({
  ...INITIAL_STATE,
  volume: 1,
  muted: false,
  ...change,
});

function channel(state: ChannelInfo["state"]): ChannelInfo {
  const on = state !== null && state !== "ended";
  return {
    name: "lamp-lab",
    title: "Lamp Lab",
    live_stream_id: on ? "stream000" : null,
    state,
    live_since: null,
    playback: { hls: on ? "/live.m3u8" : null, dash: null, whep: null },
    default_playback: "hls",
    broadcast: null,
  };
}

const snapshot = (change: Partial<ChannelSnapshot> = {}): ChannelSnapshot => ({
  status: "known",
  channel: null,
  unreachable: false,
  ended: null,
  ...change,
});
const of = (state: ChannelInfo["state"], change: Partial<PlaybackState> = {}) =>
  stageOf(snapshot({ channel: channel(state) }), playback(change));
const ENDED = { streamId: "stream000", liveSince: null, endedAt: 0 };
const failure = (attempt: number) => ({ reason: "unreachable" as const, retryAt: 1, attempt });

describe("stage (PLY1)", () => {
  it("waits for the first answer", () => {
    expect(stageOf(snapshot({ status: "unknown" }), playback())).toBe("connecting");
    expect(stageOf(snapshot({ status: "unknown", unreachable: true }), playback())).toBe("unreachable");
  });

  it("tells a channel that does not exist from one that is off air", () => {
    expect(stageOf(snapshot({ status: "missing" }), playback())).toBe("missing");
    expect(of(null)).toBe("offline");
  });

  it("follows a broadcast from its start to its end", () => {
    expect(of("starting")).toBe("starting");
    expect(of("live", { phase: "loading" })).toBe("connecting");
    expect(of("live", { phase: "playing" })).toBe("playing");
    expect(of("live", { phase: "waiting" })).toBe("buffering");
    expect(of("interrupted", { phase: "playing" })).toBe("playing");
    expect(of("interrupted", { phase: "waiting" })).toBe("interrupted");
    expect(stageOf(snapshot({ channel: channel(null), ended: ENDED }), playback({ phase: "playing" }))).toBe("playing");
    expect(stageOf(snapshot({ channel: channel(null), ended: ENDED }), playback({ phase: "ended" }))).toBe("ended");
    expect(of("starting", { phase: "ended" })).toBe("starting");
  });

  it("keeps what the viewer paused paused", () => {
    expect(of("interrupted", { phase: "paused" })).toBe("paused");
    expect(of("live", { phase: "paused", failure: failure(3) })).toBe("paused");
  });

  it("asks for a gesture when the browser wants one", () => {
    expect(of("live", { phase: "paused", withheld: "playback" })).toBe("blocked");
    expect(of("live", { phase: "ready" })).toBe("ready");
  });

  it("says that it is trying again only from the second attempt on", () => {
    expect(of("live", { phase: "loading", failure: failure(1) })).toBe("connecting");
    expect(of("live", { phase: "loading", failure: failure(2) })).toBe("retrying");
    expect(of("live", { phase: "failed", failure: failure(2) })).toBe("failed");
  });

  it("has controls only where there is something to control", () => {
    expect(hasControls("paused")).toBe(true);
    expect(hasControls("offline")).toBe(false);
  });
});
