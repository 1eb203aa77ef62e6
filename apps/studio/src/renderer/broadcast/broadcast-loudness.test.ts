import { type BroadcastState, IDLE_BROADCAST } from "@klieg/protocol";
import { expect, test } from "vitest";
import { EngineStore } from "../state/engine-store.ts";
import { followLoudness } from "./broadcast-loudness.ts";

test("STU2: loudness is measured anew when the show is sent, and when everybody sees it", () => {
  const none = { [Symbol.dispose]: () => undefined };
  const link = {
    state: { state: "connecting" } as const,
    request: () => Promise.reject(new Error("nothing is asked")),
    onEvent: () => none,
    onState: () => none,
  };
  using engine = new EngineStore(link);
  let resets = 0;
  const resetLoudness = () => {
    resets += 1;
  };
  const following = followLoudness(engine, { resetLoudness });
  const becomes = (broadcast: Partial<BroadcastState>) =>
    engine.state.setState({ broadcast: { ...engine.now.broadcast, ...broadcast } });
  becomes({ state: "starting" });
  expect(resets).toBe(0);
  becomes({ state: "preview", started_at: 1000 });
  expect(resets).toBe(1);
  becomes({ title: "Another" });
  expect(resets).toBe(1);
  becomes({ state: "live", live_at: 2000 });
  expect(resets).toBe(2);
  becomes(IDLE_BROADCAST);
  becomes({ state: "live", started_at: 3000, live_at: 3000 });
  expect(resets).toBe(3);
  following[Symbol.dispose]();
  becomes(IDLE_BROADCAST);
  becomes({ state: "live", started_at: 4000, live_at: 4000 });
  expect(resets).toBe(3);
});
