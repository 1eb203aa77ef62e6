import type { RoomEvent } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RoomWire } from "./room-wire.ts";
import { FakeTransport } from "./testing/fake-room.ts";

function open() {
  const socket = new FakeTransport();
  const events: RoomEvent[] = [];
  const lost: number[] = [];
  const wire = new RoomWire({
    transport: socket,
    onEvent: (event) => events.push(event),
    onLost: (code) => lost.push(code),
  });
  return { socket, events, lost, wire };
}

describe("a room's socket (RTC2)", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("gives each question its answer in whatever order they come", async () => {
    const { socket, wire } = open();
    const lock = wire.ask("lock", {});
    const hand = wire.ask("raise_hand", { raised: true });
    expect(socket.requests).toEqual([
      { id: 1, type: "lock" },
      { id: 2, type: "raise_hand", raised: true },
    ]);
    socket.receive(JSON.stringify({ id: 2, ok: true, data: { second: true } }));
    socket.receive(JSON.stringify({ id: 1, ok: true, data: { first: true } }));
    expect(await lock).toEqual({ first: true });
    expect(await hand).toEqual({ second: true });
    wire.close();
  });

  it("turns a refusal into an error with the server's code", async () => {
    const { socket, wire } = open();
    const asked = expect(wire.ask("lock", {})).rejects.toMatchObject({ code: "forbidden", message: "Only a host." });
    socket.refuse("lock", "forbidden", "Only a host.");
    await asked;
    wire.close();
  });

  it("tells events, and passes over what is none", () => {
    const { socket, events, wire } = open();
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    socket.tell({ event: "active_speaker", participant_id: "ben" });
    for (const nonsense of ["not JSON", "null", "7", '"text"', "{}", '{"id":99,"ok":true,"data":{}}']) {
      socket.receive(nonsense);
    }
    socket.receive('{"id":null,"ok":false,"error":{"code":"bad_request","message":"?","retryable":false}}');
    expect(events).toEqual([{ event: "active_speaker", participant_id: "ben" }]);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
    wire.close();
  });

  it("rejects what is open when the other end goes, and says so once", async () => {
    const { socket, lost, wire } = open();
    const asked = expect(wire.ask("lock", {})).rejects.toMatchObject({ code: "network" });
    socket.end(4503);
    socket.end(1006);
    await asked;
    expect(lost).toEqual([4503]);
    await expect(wire.ask("lock", {})).rejects.toMatchObject({ code: "network" });
    wire.close();
  });

  it("says goodbye without calling that a loss", async () => {
    const { socket, lost, wire } = open();
    const asked = expect(wire.ask("lock", {})).rejects.toMatchObject({ code: "network" });
    wire.close();
    wire.close();
    socket.end(1000);
    await asked;
    expect(socket.closed).toBe(true);
    expect(lost).toEqual([]);
  });

  it("asks whether anybody is there after a silence, and gives the socket up where nobody is", async () => {
    const { socket, lost, wire } = open();
    await vi.advanceTimersByTimeAsync(3900);
    expect(socket.of("ping")).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(socket.of("ping")).toHaveLength(1);
    socket.answer("ping");
    await vi.advanceTimersByTimeAsync(4100);
    expect(socket.of("ping")).toHaveLength(2);
    expect(lost).toEqual([]);
    await vi.advanceTimersByTimeAsync(4000);
    expect(lost).toEqual([1006]);
    expect(socket.closed).toBe(true);
    wire.close();
  });

  it("waits for a slow answer as long as anything is heard", async () => {
    const { socket, lost, wire } = open();
    const air = wire.ask("go_on_air", {});
    for (let second = 0; second < 25; second += 5) {
      await vi.advanceTimersByTimeAsync(5000);
      socket.tell({ event: "levels", levels: [] });
    }
    expect(socket.of("ping")).toHaveLength(0);
    socket.answer("go_on_air", { on_air: null });
    expect(await air).toEqual({ on_air: null });
    const unanswered = expect(wire.ask("lock", {})).rejects.toMatchObject({ code: "timeout" });
    await vi.advanceTimersByTimeAsync(6000);
    socket.tell({ event: "levels", levels: [] });
    await vi.advanceTimersByTimeAsync(4000);
    await unanswered;
    expect(lost).toEqual([]);
    wire.close();
  });

  it("gives up a socket on which questions are met by silence", async () => {
    const { lost, wire } = open();
    const asked = expect(wire.ask("lock", {})).rejects.toMatchObject({ code: "timeout" });
    await vi.advanceTimersByTimeAsync(10_000);
    await asked;
    expect(lost).toEqual([1006]);
    wire.close();
  });
});
