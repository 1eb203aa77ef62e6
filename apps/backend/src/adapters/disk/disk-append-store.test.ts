import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { appendStoreContract } from "../../ports/append-store.contract.ts";
import { DiskAppendStore } from "./disk-append-store.ts";

let root = "";
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "klieg-append-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
const newFolder = () => join(root, String(count++));

appendStoreContract("disk", () => DiskAppendStore.open(newFolder()));

it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
  "says that the disk is full, and keeps what was whole",
  async () => {
    const folder = newFolder();
    await mkdir(folder);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "klieg-test", folder]);
    try {
      await using store = await DiskAppendStore.open(folder);
      await using file = await store.create("a/recording");
      await file.append([Buffer.alloc(600_000, 1)]);
      await expect(file.append([Buffer.alloc(300_000, 2), Buffer.alloc(300_000, 2)])).rejects.toMatchObject({
        code: "storage_unavailable",
        message: expect.stringContaining("the disk is full"),
      });
      expect(await store.size("a/recording")).toBe(600_000);
      await file.append([Buffer.alloc(10_000, 3)]);
      expect(file.bytes).toBe(610_000);
      expect([...(await store.read("a/recording", 599_999, 2))]).toEqual([1, 3]);
      await file.close();
    } finally {
      execFileSync("umount", ["-l", folder]);
    }
  },
);
