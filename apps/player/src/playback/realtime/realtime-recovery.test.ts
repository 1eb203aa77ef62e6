import { describe, expect, it } from "vitest";
import { type RealtimeSituation, realtimeAction } from "./realtime-recovery.ts";

const at = (change: Partial<RealtimeSituation>) =>
  realtimeAction({
    silentFor: 1500,
    connection: "connected",
    resource: "unknown",
    resourceAge: 0,
    sourceLive: true,
    busy: false,
    restartedFor: null,
    mayRenew: true,
    ...change,
  });

describe("recovery in real time (PLY1, RTC1)", () => {
  it("does nothing while media comes", () => {
    expect(at({ silentFor: 900 })).toBe("none");
    expect(at({ silentFor: 0, connection: "connecting" })).toBe("none");
  });

  it("asks the session first, be it silent or disconnected", () => {
    expect(at({})).toBe("ask");
    expect(at({ silentFor: 200, connection: "disconnected" })).toBe("ask");
    expect(at({ resource: "sending", resourceAge: 5000 })).toBe("ask");
  });

  it("opens a new session at once where the old one is gone", () => {
    expect(at({ resource: "gone" })).toBe("renew");
    expect(at({ resource: "gone", mayRenew: false })).toBe("none");
    expect(at({ resource: "gone", busy: true })).toBe("none");
  });

  it("restarts ICE of a session that is alive, and opens a new one where that did not help", () => {
    expect(at({ resource: "sending" })).toBe("restart-ice");
    expect(at({ resource: "sending", restartedFor: 500 })).toBe("none");
    expect(at({ resource: "sending", restartedFor: 3500 })).toBe("renew");
    expect(at({ resource: "sending", connection: "closed" })).toBe("renew");
  });

  it("waits for a source that is gone for the moment", () => {
    expect(at({ resource: "waiting", resourceAge: 1500 })).toBe("none");
    expect(at({ resource: "waiting", resourceAge: 2500 })).toBe("ask");
    expect(at({ resource: "gone", resourceAge: 2500, sourceLive: false, silentFor: 60_000 })).toBe("none");
    expect(at({ resource: "waiting", silentFor: 11_000 })).toBe("none");
    expect(at({ resource: "waiting", silentFor: 21_000 })).toBe("give-up");
    expect(at({ resource: "waiting", connection: "failed" })).toBe("renew");
  });

  it("gives up where media is due and does not come back quickly", () => {
    expect(at({ silentFor: 6500, resource: "sending" })).toBe("give-up");
    expect(at({ silentFor: 6500, busy: true })).toBe("give-up");
    expect(at({ silentFor: 6500, resource: "unreachable" })).toBe("give-up");
    expect(at({ silentFor: 5500, resource: "unreachable", resourceAge: 100 })).toBe("none");
  });
});
