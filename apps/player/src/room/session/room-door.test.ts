import type { RoomInfo } from "@klieg/protocol";
import { ApiError } from "@klieg/room";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RoomApi } from "./room-api.ts";
import { RoomDoor } from "./room-door.ts";

const INFO: RoomInfo = {
  id: "room00000000",
  title: "Light",
  locked: false,
  open: true,
  participants: 3,
  max_participants: 50,
};

describe("a room's door (RTC2)", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is looked at while somebody stands before it, and not while they are in", async () => {
    let asked = 0;
    const door = new RoomDoor({
      info: async () => {
        asked += 1;
        if (asked === 2) throw new ApiError("network", "", true);
        return { ...INFO, participants: asked };
      },
    });
    const leave = door.watch();
    await vi.advanceTimersByTimeAsync(0);
    expect(door.store.getState()).toMatchObject({ info: { participants: 1 }, problem: null });
    await vi.advanceTimersByTimeAsync(8000);
    // What was known stays known.
    expect(door.store.getState()).toMatchObject({ info: { participants: 1 }, problem: { code: "network" } });
    await vi.advanceTimersByTimeAsync(8000);
    expect(door.store.getState()).toMatchObject({ info: { participants: 3 }, problem: null });
    leave();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(3);
    door.watch();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toBe(4);
    door.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a room's HTTP API (RTC2)", () => {
  const api = (status: number, body: unknown) =>
    new RoomApi("room00000000", async (path, init) => {
      requests.push([path, new Headers(init?.headers).get("authorization")]);
      return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
    });
  const requests: unknown[] = [];

  it("asks for what anybody may know, and as a host for recordings, the latest first", async () => {
    expect(await api(200, INFO).info()).toEqual(INFO);
    const recording = (day: number) => ({ id: `recording${day}`, started_at: `2026-11-2${day}T10:00:00.000Z` });
    const listed = await api(200, { recordings: [recording(1), recording(3), recording(2)] }).recordings("token");
    expect(listed.map(({ id }) => id)).toEqual(["recording3", "recording2", "recording1"]);
    expect(requests).toEqual([
      ["/v1/rooms/room00000000", null],
      ["/v1/rooms/room00000000/recordings", "Bearer token"],
    ]);
  });

  it("says what went wrong", async () => {
    const error = { code: "gone", message: "This room has ended.", retryable: false };
    await expect(api(410, { error }).info()).rejects.toMatchObject(error);
    await expect(api(502, "<html>").info()).rejects.toMatchObject({ code: "malformed", retryable: true });
    await expect(api(200, "[]").info()).rejects.toMatchObject({ code: "malformed" });
    await expect(api(200, {}).recordings("token")).rejects.toMatchObject({ code: "malformed" });
    const offline = new RoomApi("room00000000", () => Promise.reject(new TypeError("fetch failed")));
    await expect(offline.info()).rejects.toMatchObject({ code: "network", retryable: true });
  });

  it("has its socket where its page is", () => {
    expect(new RoomApi("room00000000").socketUrl("https://host:8443/room/x#invite=y")).toBe(
      "wss://host:8443/v1/rooms/room00000000",
    );
    expect(new RoomApi("room00000000").socketUrl("http://host/room/x")).toBe("ws://host/v1/rooms/room00000000");
  });
});
