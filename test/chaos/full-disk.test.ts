import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { run } from "../harness/child.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist, readPlaylist } from "../harness/hls-follower.ts";
import { until } from "../harness/until.ts";

/** A real file system of 4 MiB; making one takes root. */
describe("a disk that is full (PKG1, SEC5)", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "klieg-full-"));
    await mkdir(join(folder, "data"));
    await run("mount", ["-t", "tmpfs", "-o", "size=4m", "klieg-test", join(folder, "data")]);
  });
  afterEach(async () => {
    await run("umount", ["-l", join(folder, "data")]);
    await rm(folder, { recursive: true, force: true });
  });

  it("stays live, says so, and never names a segment that it cannot give", async () => {
    await using backend = await BackendProcess.start({ dataDir: join(folder, "data") });
    await using encoder = encode({
      url: backend.rtmpUrl(),
      format: "flv",
      size: "640x360",
      bitrate: "3000k",
      extra: ["-minrate", "3000k", "-maxrate", "3000k", "-bufsize", "1000k", "-x264-params", "nal-hrd=cbr"],
    });
    const { id } = await backend.live();
    const url = `${backend.http}/v1/streams/${id}/source/index.m3u8`;
    const warning = await until(
      async () => (await backend.health(id)).warnings.find(({ code }) => code === "storage_unavailable"),
      { what: "a warning", timeoutMs: 40_000 },
    );
    expect(warning.message).toContain("Check the disk");
    const before = readPlaylist(await (await fetch(url)).text());
    const target = before.mediaSequence + before.segments.length + 12;
    const snapshots = await followPlaylist(
      url,
      (_snapshot, playlist) => playlist.mediaSequence + playlist.segments.length >= target,
      AbortSignal.timeout(60_000),
    );
    const after = readPlaylist(snapshots.at(-1)?.text ?? "");
    expect(after.mediaSequence).toBeGreaterThan(before.mediaSequence);
    for (const { uri } of after.segments) {
      const response = await fetch(new URL(uri, url));
      expect(response.status).toBe(200);
      await response.arrayBuffer();
    }
    expect(encoder.running).toBe(true);
    expect((await backend.channel()).state).toBe("live");
    expect((await fetch(`${backend.http}/readyz`)).status).toBe(200);
  });
});
