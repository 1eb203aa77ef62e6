import type { ChannelInfo } from "@klieg/protocol";
import { ApiError } from "@klieg/room";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChannelWatch } from "./channel-watch.ts";

import { pollDelay } from "./poll.ts";

function info(streamId: string | null, state: ChannelInfo["state"]): ChannelInfo {
  const hls = streamId === null ? null : "/v1/channels/demo/live.m3u8";
  return {
    name: "demo",
    title: "Demo",
    live_stream_id: streamId,
    state,
    live_since: null,
    playback: { hls, dash: null, whep: null },
    default_playback: "hls",
    broadcast: null,
  };
}

/** Answers one after another; the last one for good. */
function answers(...list: (ChannelInfo | Error)[]) {
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    async channel(): Promise<ChannelInfo> {
      const answer = list[Math.min(asked++, list.length - 1)];
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    },
  };
}

const NETWORK = new ApiError("network", "No answer.", true);

describe("channel watch (PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "info").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("notices without a reload that a channel goes live and that the broadcast ends", async () => {
    const api = answers(info(null, null), info("stream001", "live"), info(null, null));
    await using watch = new ChannelWatch("demo", api);
    await vi.advanceTimersByTimeAsync(0);
    expect(watch.store.getState()).toMatchObject({ status: "known", ended: null });
    await vi.advanceTimersByTimeAsync(4000);
    expect(watch.store.getState().channel?.state).toBe("live");
    await vi.advanceTimersByTimeAsync(12_000);
    expect(watch.store.getState().ended).toMatchObject({ streamId: "stream001" });
  });

  it("notices one broadcast following another", async () => {
    const api = answers(info("stream001", "live"), info("stream002", "live"));
    await using watch = new ChannelWatch("demo", api);
    await vi.advanceTimersByTimeAsync(0);
    watch.refresh();
    await vi.advanceTimersByTimeAsync(0);
    expect(watch.store.getState()).toMatchObject({
      channel: { live_stream_id: "stream002" },
      ended: { streamId: "stream001" },
    });
  });

  it("says at once that the first question got no answer, later only the second time", async () => {
    await using silent = new ChannelWatch("demo", answers(NETWORK));
    await vi.advanceTimersByTimeAsync(0);
    expect(silent.store.getState()).toMatchObject({ status: "unknown", unreachable: true });

    await using watch = new ChannelWatch("demo", answers(info(null, null), NETWORK, NETWORK, info(null, null)));
    await vi.advanceTimersByTimeAsync(4000);
    expect(watch.store.getState().unreachable).toBe(false);
    await vi.advanceTimersByTimeAsync(4000);
    expect(watch.store.getState()).toMatchObject({ status: "known", unreachable: true });
    await vi.advanceTimersByTimeAsync(8000);
    expect(watch.store.getState().unreachable).toBe(false);
  });

  it("knows that a channel is missing", async () => {
    const api = answers(new ApiError("channel_unknown", "No such channel.", false));
    await using watch = new ChannelWatch("nobody", api);
    await vi.advanceTimersByTimeAsync(0);
    expect(watch.store.getState().status).toBe("missing");
  });

  it("asks once more when asked during a question, not once for each call", async () => {
    const api = answers(info("stream001", "live"));
    await using watch = new ChannelWatch("demo", api);
    watch.refresh();
    watch.refresh();
    watch.refresh();
    await vi.advanceTimersByTimeAsync(1000);
    expect(api.asked).toBe(2);
  });

  it("stops asking when closed", async () => {
    const api = answers(info(null, null));
    const watch = new ChannelWatch("demo", api);
    await vi.advanceTimersByTimeAsync(0);
    watch.close();
    watch.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.asked).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("pace of the questions", () => {
  it("is gentle: seldom when live or out of sight, slower with every failure, never in step", () => {
    const pace = (expecting: "soon" | "idle" | "steady", hidden: boolean, failures: number, random = 0.5) =>
      pollDelay({ expecting, hidden, failures }, random);
    expect(pace("soon", false, 0)).toBe(1500);
    expect(pace("idle", false, 0)).toBe(3000);
    expect(pace("steady", false, 0)).toBe(10_000);
    expect(pace("idle", true, 0)).toBe(30_000);
    expect(pace("idle", false, 1)).toBe(3000);
    expect(pace("idle", false, 3)).toBe(12_000);
    expect(pace("idle", false, 30)).toBe(15_000);
    expect(pace("idle", false, 0, 0)).toBe(2550);
    expect(pace("idle", false, 0, 1)).toBe(3450);
  });
});
