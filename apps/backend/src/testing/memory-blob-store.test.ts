import { describe, expect, it } from "vitest";
import { MemoryBlobStore } from "./memory-blob-store.ts";

describe("MemoryBlobStore", () => {
  it("keeps, cuts, lists and forgets as the real ones do", async () => {
    await using store = new MemoryBlobStore();
    await store.put("live/a/1", [Buffer.from("hello")]);
    expect((await (await store.get("live/a/1", { start: 1, end: 2 }))?.toArray())?.join("")).toBe("el");
    expect(await store.size("live/a/1")).toBe(5);
    expect(await store.list("live/")).toEqual({ names: ["a"] });
    await store.deletePrefix("live/");
    expect(await store.get("live/a/1")).toBeUndefined();
    store.full = true;
    await expect(store.put("x", [])).rejects.toMatchObject({ code: "storage_unavailable" });
  });
});
