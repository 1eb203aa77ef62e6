import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist, type PlaylistSnapshot, readPlaylist } from "../harness/hls-follower.ts";
import { loadStream, probe } from "../harness/playback.ts";
import { resourcesOf } from "../harness/process-resources.ts";
import { until } from "../harness/until.ts";

/** A rung that two cores make with ease, of a source that is small already. */
const LADDER = "180p:200k";

describe("TRN6: a transcoder's bad day", () => {
  let backend: BackendProcess;
  let encoder: Child;
  let id = "";
  beforeEach(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_LADDER: LADDER } });
    encoder = encode({ url: backend.rtmpUrl(), format: "flv", size: "640x360", bitrate: "500k" });
    ({ id } = await backend.live());
    await until(async () => (await backend.health(id)).transcode?.state === "running", { what: "transcoding" });
  });
  afterEach(async () => {
    await encoder[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const playlistOf = (rendition: string) => `${backend.http}/v1/streams/${id}/${rendition}/index.m3u8`;
  const ffmpegPid = async () => {
    const { children } = await resourcesOf(backend.child.pid, backend.ports.http);
    for (const pid of children) {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (command.includes("pipe:")) return pid;
    }
    throw new Error("no FFmpeg");
  };
  /** Longest time between two versions of a playlist, ms. */
  const longestWait = (snapshots: readonly PlaylistSnapshot[]) =>
    Math.max(...snapshots.slice(1).map((snapshot, at) => snapshot.at - (snapshots[at]?.at ?? 0)));

  it.each(["SIGKILL", "SIGSTOP"] as const)(
    "FFmpeg hit by %s: the source rendition never stops, the others are back within 3 s of its being noticed",
    async (signal) => {
      const stop = AbortSignal.timeout(60_000);
      const source = followPlaylist(playlistOf("source"), (_s, playlist) => playlist.segments.length >= 10, stop);
      const rung = followPlaylist(playlistOf("180p"), (_s, playlist) => playlist.segments.length >= 10, stop);
      await followPlaylist(playlistOf("180p"), (_s, playlist) => playlist.segments.length >= 2, stop);
      const pid = await ffmpegPid();
      process.kill(pid, signal);
      const [ofSource, ofRung] = await Promise.all([source, rung]);
      expect(longestWait(ofSource)).toBeLessThan(1000);
      // A frozen FFmpeg is noticed after two seconds.
      expect(longestWait(ofRung)).toBeLessThan(signal === "SIGKILL" ? 3000 : 5000);
      const health = await backend.health(id);
      expect(health.transcode).toMatchObject({ state: "running", restarts: 1 });
      await until(async () => !(await resourcesOf(backend.child.pid, backend.ports.http)).children.includes(pid), {
        what: "the old FFmpeg gone",
      });
      expect(await ffmpegPid()).not.toBe(pid);

      // The same segments in both, no discontinuity, and every frame decodes.
      const [ours, theirs] = await Promise.all(
        ["source", "180p"].map(async (name) => readPlaylist(await (await fetch(playlistOf(name))).text())),
      );
      expect(theirs?.segments.some(({ discontinuity }) => discontinuity)).toBe(false);
      const gaps = theirs?.segments.filter(({ gap }) => gap).length ?? 0;
      expect(gaps).toBeLessThanOrEqual(2);
      expect(theirs?.mediaSequence).toBe(ours?.mediaSequence);
      const { video } = await loadStream(`${backend.http}/v1/streams/${id}/manifest.m3u8`);
      for (const { runs } of video) {
        for (const run of runs) expect((await probe(run)).complaints).toBe("");
      }
    },
  );

  it("leaves no FFmpeg behind when the backend is killed with -9, frozen or not", async () => {
    const pid = await ffmpegPid();
    process.kill(pid, "SIGSTOP");
    await backend.stop("SIGKILL");
    await until(
      async () => {
        // A zombie waits for init to reap it: it runs no more.
        const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tX");
        return /State:\t[XZ]/.test(status);
      },
      { what: "FFmpeg gone", timeoutMs: 10_000 },
    );
  });

  it("makes the ladder anew when the source changes its size in mid-stream", async () => {
    const stop = AbortSignal.timeout(60_000);
    await followPlaylist(playlistOf("180p"), (_s, playlist) => playlist.segments.length >= 1, stop);
    await encoder.stop();
    encoder = encode({ url: backend.rtmpUrl(), format: "flv", size: "480x360", bitrate: "400k" });
    await until(async () => (await backend.stream(id)).renditions.find(({ name }) => name === "180p")?.width === 240, {
      what: "a ladder of the new shape",
    });
    const snapshots = await followPlaylist(playlistOf("180p"), (_s, playlist) => playlist.segments.length >= 4, stop);
    const playlist = readPlaylist(snapshots.at(-1)?.text ?? "");
    expect(new Set(playlist.segments.filter(({ gap }) => !gap).map(({ map }) => map)).size).toBe(2);
    expect(playlist.segments.some(({ discontinuity }) => discontinuity)).toBe(true);
    const { video } = await loadStream(`${backend.http}/v1/streams/${id}/manifest.m3u8`);
    for (const { runs } of video) {
      const probes = await Promise.all(runs.map(probe));
      expect(probes.map(({ complaints }) => complaints)).toEqual(runs.map(() => ""));
    }
  });
});
