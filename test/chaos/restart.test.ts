import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist } from "../harness/hls-follower.ts";

describe("the backend killed with -9", () => {
  it("comes back with its channels and keys, no half-written file, and takes the encoder again", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "klieg-restart-"));
    try {
      let key = "";
      {
        await using first = await BackendProcess.start({ dataDir });
        key = first.key;
        await using encoder = encode({ url: first.rtmpUrl(), format: "flv", size: "320x180", bitrate: "200k" });
        const { id } = await first.live();
        await followPlaylist(
          `${first.http}/v1/streams/${id}/source/index.m3u8`,
          (_snapshot, playlist) => playlist.segments.length >= 2,
          AbortSignal.timeout(20_000),
        );
        expect(await readdir(join(dataDir, "blobs", "live"))).toEqual([id]);
        await first.stop("SIGKILL");
        await encoder.exited;
      }
      await using second = await BackendProcess.start({ dataDir });
      expect(second.key).toBe(key);
      expect(second.log.find((line) => String(line.msg).startsWith("streams were open"))).toMatchObject({ streams: 1 });
      expect(await readdir(join(dataDir, "blobs"))).not.toContain("live");
      expect(await readdir(join(dataDir, "blobs", ".tmp"))).toEqual([]);
      await using _encoder = encode({ url: second.rtmpUrl(key), format: "flv", size: "320x180", bitrate: "200k" });
      await second.live();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it("shuts down in order: encoders are told, viewers answered, exit code 0", async () => {
    await using backend = await BackendProcess.start();
    await using encoder = encode({ url: backend.rtmpUrl(), format: "flv", size: "320x180" });
    const { id } = await backend.live();
    const waiting = fetch(`${backend.http}/v1/streams/${id}/source/index.m3u8?_HLS_msn=2`);
    const started = Date.now();
    await backend.stop();
    expect(Date.now() - started).toBeLessThan(5000);
    expect(await (await waiting).text()).toContain("#EXT-X-ENDLIST");
    expect(await backend.child.exited).toEqual({ code: 0, signal: null });
    await encoder.exited;
    expect(encoder.output).toContain("The server is shutting down");
  });

  it("says what is wrong with its configuration, and that a port is taken", async () => {
    await expect(BackendProcess.start({ env: { KLIEG_PART_MS: "soon" } })).rejects.toThrow(
      /KLIEG_PART_MS: a whole number/,
    );
    await using backend = await BackendProcess.start();
    await expect(BackendProcess.start({ env: { KLIEG_RTMP_PORT: String(backend.ports.rtmp) } })).rejects.toThrow(
      /in use by another program; choose another with KLIEG_RTMP_PORT/,
    );
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    // Media workers are started with the first peer, and yet it is said now.
    const { port } = taken.address();
    await expect(BackendProcess.start({ env: { KLIEG_RTC_PORT: String(port) } })).rejects.toThrow(
      `port ${port} is in use by another program; choose another with KLIEG_RTC_PORT`,
    );
    taken.close();
  });
});
