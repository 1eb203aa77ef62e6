import { mkdtemp, rm, symlink } from "node:fs/promises";
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

it.skipIf(process.platform !== "linux")("says that the disk is full, and keeps what was whole", async () => {
  const folder = newFolder();
  await using store = await DiskAppendStore.open(folder);
  // Every write to it fails for want of room.
  await symlink("/dev/full", join(folder, "full"));
  await expect(store.mend("full", 0, [Buffer.from("x")])).rejects.toMatchObject({ code: "storage_unavailable" });
});
