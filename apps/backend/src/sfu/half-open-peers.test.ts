import { ManualClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { ClosedSessions } from "./closed-sessions.ts";
import { HalfOpenPeers } from "./half-open-peers.ts";

describe("half-open peers (SEC5)", () => {
  it("are limited in all and per address, and counted out once", () => {
    const peers = new HalfOpenPeers({ total: 3, perAddress: 2 });
    const first = peers.enter("192.0.2.1");
    peers.enter("192.0.2.1");
    expect(() => peers.enter("192.0.2.1")).toThrow(expect.objectContaining({ code: "rate_limited" }));
    const other = peers.enter("192.0.2.2");
    expect(() => peers.enter("192.0.2.3")).toThrow(expect.objectContaining({ code: "overloaded" }));
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(peers.total).toBe(2);
    peers.enter("192.0.2.1");
    other[Symbol.dispose]();
    expect(peers.total).toBe(2);
  });
});

describe("closed sessions", () => {
  it("say why they ended, for a while", () => {
    const clock = new ManualClock();
    const sessions = new ClosedSessions(clock);
    sessions.add("a", { by: "peer", message: "the encoder has stopped" });
    sessions.add("b", { by: "owner", message: "x", error: new KliegError("taken_over", "Another one came.") });
    expect(sessions.errorOf("a")).toMatchObject({
      code: "gone",
      message: "The session has ended: the encoder has stopped.",
    });
    expect(sessions.errorOf("b")).toMatchObject({ code: "gone", message: "Another one came." });
    expect(sessions.errorOf("c").code).toBe("not_found");
    clock.advance(300_000);
    expect(sessions.errorOf("a").code).toBe("not_found");
  });

  it("are not remembered without bound", () => {
    const sessions = new ClosedSessions(new ManualClock());
    for (let index = 0; index < 1500; index += 1) sessions.add(String(index), { by: "peer", message: "gone" });
    expect([sessions.errorOf("0").code, sessions.errorOf("1499").code]).toEqual(["not_found", "gone"]);
  });
});
