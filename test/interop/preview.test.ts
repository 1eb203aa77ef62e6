import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { StartedStream, StreamHealth, StreamInfo } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist, type PlaylistSnapshot, readPlaylist } from "../harness/hls-follower.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg");

const ENV = { KLIEG_SEGMENT_MS: "1000", KLIEG_RECONNECT_GRACE_MS: "2000" };
const PICTURE = { format: "flv", size: "320x180", bitrate: "200k", gop: 1 } as const;

/** The picture that FFmpeg finds at an address. */
async function probe(url: string): Promise<unknown> {
  const args = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=codec_name,width", "-of", "json", url];
  const { stdout } = await promisify(execFile)("ffprobe", args, { timeout: 15_000 });
  return JSON.parse(stdout).streams?.[0];
}

describe("ING5: a private preview", () => {
  const withKey = (backend: BackendProcess, method = "GET", body?: object): RequestInit => ({
    method,
    headers: {
      authorization: `Bearer ${backend.key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const start = (backend: BackendProcess, details: object) =>
    backend.json(StartedStream, "/v1/streams/start", withKey(backend, "POST", details));

  it("is seen with its token alone, then becomes public by itself, and shows nothing of before", async () => {
    await using backend = await BackendProcess.start({ env: ENV });
    const { stream_id: id, preview_access: own } = await start(backend, { title: "Late show", preview: true });
    await using _encoder = encode({ ...PICTURE, url: backend.rtmpUrl() });
    const stream = () => backend.json(StreamInfo, `/v1/streams/${id}`, withKey(backend));
    const health = () => backend.json(StreamHealth, `/v1/streams/${id}/health`, withKey(backend));
    await until(async () => (await stream()).state === "live", { what: "live", diagnose: () => backend.child.output });

    // Nobody sees it.
    expect(await backend.channel()).toMatchObject({ state: null, live_stream_id: null, broadcast: null });
    const media = `/v1/streams/${id}/source/index.m3u8`;
    for (const path of [`/v1/streams/${id}`, `/v1/streams/${id}/health`, `/v1/streams/${id}/manifest.m3u8`, media]) {
      expect([path, (await fetch(backend.http + path)).status]).toEqual([path, 404]);
    }
    await expect(probe(`${backend.http}/v1/channels/demo/live.m3u8`)).rejects.toThrow("404");
    const whep = async (query: string) => {
      const headers = { "content-type": "application/sdp" };
      const answer = await fetch(`${backend.http}/v1/whep/demo${query}`, { method: "POST", headers, body: "v=0" });
      return ((await answer.json()) as { error: { code: string } }).error.code;
    };
    expect(await whep("")).toBe("stream_not_live");
    expect(await whep("?preview=guess")).toBe("stream_not_live");

    // Its owner does.
    expect(await whep(`?preview=${own.token}`)).toBe("sdp_invalid");
    expect(await probe(backend.http + own.hls)).toEqual({ codec_name: "h264", width: 320 });
    const players = new AbortController();
    const follow = (signal: AbortSignal) =>
      followPlaylist(backend.http + own.hls.replace("manifest", "source/index"), () => false, signal).catch(
        (error: unknown): PlaylistSnapshot[] => {
          if (!signal.aborted) throw error;
          return [];
        },
      );
    const following = [1, 2].map(() => follow(players.signal));
    await until(async () => (await health()).viewers.hls === 2, { what: "two followers" });
    players.abort();
    await Promise.all(following);
    const before = readPlaylist(await (await fetch(backend.http + own.hls.replace("manifest", "source/index"))).text());

    // It becomes public when it is due.
    const due = new Date(Date.now() + 1500).toISOString();
    const changed = withKey(backend, "PATCH", { public_at: due });
    expect((await backend.json(StreamInfo, `/v1/streams/${id}`, changed)).public_at).toBe(due);
    const live = await backend.live();
    expect([live.id, live.title, live.preview_access]).toEqual([id, "Late show", null]);
    expect(await probe(`${backend.http}/v1/channels/demo/live.m3u8`)).toEqual({ codec_name: "h264", width: 320 });
    const shown = readPlaylist(await (await fetch(backend.http + media)).text());
    // Times in playlists are those at which the first frame came, and frames come as they like.
    expect(shown.segments[0]?.programDateTime).toBeGreaterThan(Date.parse(due) - 300);
    for (const { uri } of [...before.segments, ...before.parts]) {
      expect([uri, (await fetch(new URL(uri, backend.http + media))).status]).toEqual([uri, 404]);
    }
  });

  it("stays one when the backend is killed, and the encoder comes back by itself", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "klieg-preview-"));
    try {
      let token = "";
      {
        await using first = await BackendProcess.start({ env: ENV, dataDir });
        token = (await start(first, { visibility: "private" })).preview_access.token;
        await first.stop("SIGKILL");
      }
      await using second = await BackendProcess.start({ env: ENV, dataDir });
      await using _encoder = encode({ ...PICTURE, url: second.rtmpUrl() });
      const own = `/v1/channels/demo?preview=${token}`;
      const state = async () => ((await (await fetch(second.http + own)).json()) as { state: string }).state;
      await until(async () => (await state()) === "live", { what: "live", diagnose: () => second.child.output });
      expect(await second.channel()).toMatchObject({ state: null, broadcast: null });
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
