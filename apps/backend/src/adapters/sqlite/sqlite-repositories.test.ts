import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_INGEST_PROFILE } from "@klieg/protocol";
import { expect, it } from "vitest";
import { repositoriesContract } from "../../ports/repositories.contract.ts";
import { SqliteRepositories } from "./sqlite-repositories.ts";

repositoriesContract("SQLite", () => SqliteRepositories.open(":memory:"));

it("remembers over a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "klieg-db-"));
  try {
    const path = join(folder, "klieg.db");
    {
      await using first = await SqliteRepositories.open(path);
      await first.channels.insert({
        name: "a",
        title: "A",
        profile: DEFAULT_INGEST_PROFILE,
        defaultPlayback: "hls",
        createdAt: 1,
      });
    }
    await using second = await SqliteRepositories.open(path);
    expect(await second.channels.list()).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it("says that a database cannot be opened", async () => {
  await expect(SqliteRepositories.open("/proc/none/klieg.db")).rejects.toMatchObject({ code: "storage_unavailable" });
});
