import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blobStoreContract } from "../../ports/blob-store.contract.ts";
import { DiskBlobStore } from "./disk-blob-store.ts";

let root = "";
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "klieg-blobs-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
const newFolder = () => join(root, String(count++));

blobStoreContract("disk", () => DiskBlobStore.open(newFolder()));

it("clears away what a crash left half written", async () => {
  const folder = newFolder();
  await mkdir(join(folder, ".tmp"), { recursive: true });
  await writeFile(join(folder, ".tmp", "half"), "half a segm");
  await using store = await DiskBlobStore.open(folder);
  expect(await readdir(join(folder, ".tmp"))).toEqual([]);
  expect((await store.list("")).names).toEqual([]);
});

it("says that the medium refuses", async () => {
  const folder = newFolder();
  await using store = await DiskBlobStore.open(folder);
  await writeFile(join(folder, "live"), "a file where a folder should be");
  await expect(store.put("live/a", [Buffer.from("x")])).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(await readdir(join(folder, ".tmp"))).toEqual([]);
});
