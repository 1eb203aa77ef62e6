import { describe, expect, it } from "vitest";
import type { AppendStore } from "./append-store.ts";

const text = (...parts: string[]) => parts.map((part) => Buffer.from(part));
const read = async (store: AppendStore, key: string) => Buffer.from(await store.read(key, 0, 1000)).toString();

/** What every {@link AppendStore} does. @param open a new, empty one. */
export function appendStoreContract(name: string, open: () => Promise<AppendStore>): void {
  describe(`AppendStore: ${name}`, () => {
    it("grows a file, readable while it does", async () => {
      await using store = await open();
      await using file = await store.create("rooms/a/one.mp4");
      expect(await store.size("rooms/a/one.mp4")).toBe(0);
      await file.append(text("abc", "", "de"));
      expect(await read(store, "rooms/a/one.mp4")).toBe("abcde");
      await file.append(text("fgh"));
      expect(file.bytes).toBe(8);
      expect(await store.size("rooms/a/one.mp4")).toBe(8);
      expect(Buffer.from(await store.read("rooms/a/one.mp4", 6, 100)).toString()).toBe("gh");
      expect((await store.read("rooms/a/one.mp4", 100, 5)).byteLength).toBe(0);
      await file.close();
      await file.close();
      expect(await read(store, "rooms/a/one.mp4")).toBe("abcdefgh");
    });

    it("writes appends in their order, however many", async () => {
      await using store = await open();
      await using file = await store.create("many");
      await Promise.all(Array.from({ length: 50 }, (_, i) => file.append(text(`${i},`))));
      expect(await read(store, "many")).toBe(Array.from({ length: 50 }, (_, i) => `${i},`).join(""));
    });

    it("knows what is not there, what is taken, and what is no key", async () => {
      await using store = await open();
      expect(await store.size("none")).toBeUndefined();
      await expect(store.read("none", 0, 1)).rejects.toMatchObject({ code: "not_found" });
      await expect(store.mend("none", 0, [])).rejects.toMatchObject({ code: "not_found" });
      await store.delete("none");
      await using file = await store.create("taken");
      await expect(store.create("taken")).rejects.toMatchObject({ code: "conflict" });
      await file.append(text("x"));
      for (const key of ["../outside", "/root", "a//b", "", "a/../b"]) {
        await expect(store.create(key)).rejects.toMatchObject({ code: "bad_request" });
      }
      await file.close();
      await store.delete("taken");
      expect(await store.size("taken")).toBeUndefined();
    });

    it("cuts off what is damaged and adds what was missing", async () => {
      await using store = await open();
      {
        await using file = await store.create("cut");
        await file.append(text("whole", "torn"));
      }
      await store.mend("cut", 5, text("-end"));
      expect(await read(store, "cut")).toBe("whole-end");
      expect((await store.free()) ?? 1).toBeGreaterThan(0);
    });
  });
}
