import { buffer } from "node:stream/consumers";
import { KliegError } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import type { BlobStore } from "./blob-store.ts";

/** What every {@link BlobStore} does. @param open a new, empty store. */
export function blobStoreContract(name: string, open: () => Promise<BlobStore>): void {
  const read = async (store: BlobStore, key: string, range?: { start: number; end: number }) => {
    const blob = await store.get(key, range);
    return blob === undefined ? undefined : (await buffer(blob)).toString();
  };

  describe(`BlobStore: ${name}`, () => {
    it("gives back what was put, whole or in ranges", async () => {
      await using store = await open();
      await store.put("live/s1/720p/1.m4s", [Buffer.from("hello "), Buffer.from("there")]);
      expect(await read(store, "live/s1/720p/1.m4s")).toBe("hello there");
      expect(await read(store, "live/s1/720p/1.m4s", { start: 6, end: 8 })).toBe("the");
      expect(await store.size("live/s1/720p/1.m4s")).toBe(11);
    });

    it("overwrites wholly", async () => {
      await using store = await open();
      await store.put("a", [Buffer.from("a long first version")]);
      await store.put("a", [Buffer.from("second")]);
      expect(await read(store, "a")).toBe("second");
    });

    it("takes blobs of thousands of chunks", async () => {
      await using store = await open();
      const chunks = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
      await store.put("many", chunks);
      expect(await read(store, "many")).toBe(chunks.join(""));
    });

    it("knows nothing of keys that were not put, or were deleted", async () => {
      await using store = await open();
      expect(await store.get("live/none")).toBeUndefined();
      expect(await store.size("live/none")).toBeUndefined();
      await store.put("live/a/1", [Buffer.from("1")]);
      await store.put("live/b/1", [Buffer.from("1")]);
      await store.delete("live/a/1");
      await store.delete("live/a/1");
      expect(await store.get("live/a/1")).toBeUndefined();
      await store.deletePrefix("live/b/");
      expect(await store.get("live/b/1")).toBeUndefined();
      await store.put("live/b/2", [Buffer.from("2")]);
      expect(await read(store, "live/b/2")).toBe("2");
    });

    it("lists names in pages", async () => {
      await using store = await open();
      for (const id of ["c", "a", "b"]) await store.put(`live/${id}/1`, [Buffer.from(id)]);
      const first = await store.list("live/", { limit: 2 });
      expect(first.names).toEqual(["a", "b"]);
      const second = await store.list("live/", {
        limit: 2,
        ...(first.cursor === undefined ? {} : { cursor: first.cursor }),
      });
      expect(second).toEqual({ names: ["c"] });
      expect(await store.list("nothing/")).toEqual({ names: [] });
    });

    it("refuses keys that are not of its form", async () => {
      await using store = await open();
      for (const key of ["", "/a", "a/", "../a", "a/../../b", "a//b", ".hidden", "a\0b", "x".repeat(500)]) {
        await expect(store.put(key, [])).rejects.toThrow(KliegError);
      }
    });
  });
}
