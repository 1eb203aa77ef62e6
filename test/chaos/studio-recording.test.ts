import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { StudioEventOf } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_AUDIO, type Source } from "../../apps/studio/src/document/source.ts";
import { newDocument, type StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { BackendProcess } from "../harness/backend.ts";
import { run } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { ProgramPage } from "../harness/program-page.ts";
import { longestStep, probeProgram } from "../harness/recorded-program.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { StudioStage } from "../harness/studio-stage.ts";
import { StudioWebProcess } from "../harness/studio-web.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg", "chromium");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-studio-recording-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const WITHOUT_WEBRTC = { KLIEG_WEBRTC: "0" };

/** Is recorded by itself, too. */
const SCREEN: Source = {
  ...{
    id: "screen",
    name: "Screen",
    kind: "screen",
    surface: "screen",
    surface_id: "",
    filters: [],
    audio: DEFAULT_AUDIO,
  },
  ...{ with_audio: true, with_pointer: true },
};

/** Sends the screen by itself where the engine records it, as the studio's page does. */
async function sendScreen(stage: StudioStage, program: ProgramPage): Promise<void> {
  const { recording } = await stage.hears("recording", (event) => event.recording.isolated?.length === 1);
  program.isolate(recording.isolated?.[0]?.number ?? Number.NaN);
}

/** Begins a broadcast by SRT. @returns the show. */
async function goLive(stage: StudioStage, backend: BackendProcess): Promise<StudioDocument> {
  const destination = { id: "klieg", name: "Klieg", enabled: true, kind: "klieg", url: backend.http } as const;
  const document: StudioDocument = {
    ...newDocument("Scene"),
    sources: [SCREEN],
    isolated: [SCREEN.id],
    destinations: [{ ...destination, channel: "demo", protocol: "srt" }],
  };
  await stage.request("save_show", { document });
  await stage.request("set_secret", { holder: "klieg", kind: "stream_key", secret: backend.key });
  const details = { title: "A bad day", category: "", visibility: "public", preview: false, public_at: null } as const;
  await stage.request("start_broadcast", details);
  return document;
}

/** The file that is recorded of the program, or of the screen, probed, and how long its picture lasts, ms. */
async function recorded(recordings: string, what: "program" | "screen" = "program") {
  const names = (await readdir(recordings)).filter((name) => name.endsWith(".mp4"));
  expect(names).toHaveLength(2);
  const name = names.find((found) => found.endsWith(" - Screen.mp4") === (what === "screen"));
  const path = join(recordings, name ?? "");
  const program = await probeProgram(path);
  const times = program.packets
    .filter(({ codec_type }) => codec_type === "video")
    .map(({ dts_time }) => Number(dts_time));
  return { path, program, durationMs: (times.at(-1) ?? 0) * 1000 };
}

/** Opens the file as a page of its own, which is a player of it, and goes to just before its end. */
async function playedInChromium(path: string) {
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(path).href);
    return await page.evaluate(async () => {
      const video = document.querySelector("video") as HTMLVideoElement;
      const next = (event: string) => new Promise((resolve) => video.addEventListener(event, resolve, { once: true }));
      if (video.readyState < video.HAVE_CURRENT_DATA) await next("loadeddata");
      // A file without an index is measured as far as it was read: its end shows when it is played.
      video.currentTime = Math.max(0, video.duration - 1);
      await next("seeked");
      void video.play();
      await next("ended");
      const { videoWidth: width, videoHeight: height, error, currentTime, duration } = video;
      return { width, height, error: error?.message ?? null, atEnd: currentTime > 8 && currentTime >= duration };
    });
  } finally {
    await browser.close();
  }
}

describe("a recording on a bad day (STU3, STU8)", () => {
  test("backend killed and back, page loaded again, then kill -9: the file has no hole, and misses two seconds at most", async () => {
    const data = join(folder, "backend");
    const before = await BackendProcess.start({ dataDir: data, env: WITHOUT_WEBRTC });
    const { http, srt } = before.ports;
    await using studio = await StudioWebProcess.start({ dataDir: join(folder, "data") });
    using stage = await StudioStage.open(studio.link);
    await goLive(stage, before);
    using program = await ProgramPage.open(stage, { bitrate: 2_000_000 });
    // The sound is there before the recording begins: it then begins with the keyframe that it asks for.
    await until(() => stage.keyframes.length >= 2, { what: "a second GOP" });
    await before.live();
    const asked = performance.now();
    await stage.request("start_recording", {});
    await sendScreen(stage, program);
    await stage.hears("recording", ({ recording }) => recording.state === "recording");
    const began = stage.keyframes.find((at) => at > asked) ?? Number.NaN;

    await before.stop("SIGKILL");
    const onAir = (state: string) => (event: StudioEventOf<"broadcast">) =>
      event.broadcast.destinations[0]?.state === state;
    await stage.hears("broadcast", onAir("reconnecting"));
    const env = { ...WITHOUT_WEBRTC, KLIEG_HTTP_PORT: `${http}`, KLIEG_SRT_PORT: `${srt}` };
    await using after = await BackendProcess.start({ dataDir: data, env });
    await stage.hears("broadcast", onAir("live"));
    await after.live();

    program.leave();
    stage[Symbol.dispose]();
    using reloaded = await StudioStage.open(studio.link);
    await reloaded.hears("program", ({ program: { state } }) => state === "held");
    const { recording } = await reloaded.hears("recording", () => true);
    expect(recording.state).toBe("recording");
    using again = await ProgramPage.open(reloaded, { bitrate: 2_000_000 });
    await sendScreen(reloaded, again);
    await reloaded.hears("program", ({ program: { state } }) => state === "fed");
    const { duration_ms } = recording;
    await reloaded.hears("recording", (event) => event.recording.duration_ms >= duration_ms + 3000);
    // Just before the next piece is written, when most is in memory.
    const written = reloaded.pictures;
    await until(() => reloaded.pictures >= written + 27, { what: "the rest of a piece", everyMs: 10 });
    const killedAt = performance.now();
    await studio.stop("SIGKILL");

    const { path, program: kept, durationMs } = await recorded(join(folder, "data", "recordings"));
    const missingMs = killedAt - began - durationMs;
    expect(missingMs).toBeGreaterThan(-300);
    expect(missingMs).toBeLessThan(2000);
    expect(kept.complaints).toBe("");
    expect(kept.streams.map(({ codec_name }) => codec_name)).toEqual(["h264", "aac"]);
    expect(longestStep(kept, "video")).toBeLessThan(1.2);
    expect(longestStep(kept, "audio")).toBeLessThan(0.1);
    // The screen's own film is on the same time; while the page was away its picture stands.
    const { program: screen, durationMs: screenMs } = await recorded(join(folder, "data", "recordings"), "screen");
    expect(screen.complaints).toBe("");
    expect(screen.streams.map(({ codec_name }) => codec_name)).toEqual(["h264", "aac"]);
    expect(screen.packets[0]).toMatchObject({ codec_type: "video", dts_time: "0.000000" });
    expect(Math.abs(screenMs - durationMs)).toBeLessThan(1500);
    expect(longestStep(screen, "audio")).toBeLessThan(0.5);
    expect(await playedInChromium(path)).toEqual({ width: 640, height: 360, error: null, atEnd: true });
  });

  test("disk full: the recording ends with words and plays, the broadcast goes on, the show is kept", async () => {
    const recordings = join(folder, "recordings");
    await mkdir(recordings);
    await run("mount", ["-t", "tmpfs", "-o", "size=3m", "klieg-test", recordings]);
    try {
      await using backend = await BackendProcess.start({ env: WITHOUT_WEBRTC });
      await using studio = await StudioWebProcess.start({ dataDir: join(folder, "data") });
      using stage = await StudioStage.open(studio.link);
      await stage.request("change_settings", {
        settings: { recording_folder: recordings, record_with_broadcast: true },
      });
      const document = await goLive(stage, backend);
      using program = await ProgramPage.open(stage, { bitrate: 4_000_000 });
      await sendScreen(stage, program);
      // The screen's film gives way to the program's.
      const { recording: without } = await stage.hears("recording", ({ recording: { isolated = [] } }) =>
        isolated.some(({ state }) => state === "failed"),
      );
      expect(without).toMatchObject({ state: "recording", isolated: [{ problem: { code: "storage_unavailable" } }] });
      const { recording } = await stage.hears("recording", ({ recording }) => recording.state === "failed", 40_000);
      expect(recording.problem).toMatchObject({
        code: "storage_unavailable",
        message: expect.stringContaining("full"),
      });
      expect(recording.bytes).toBeGreaterThan(1_000_000);
      const { at: failedAt } = await stage.hears("health", () => true);
      const { server } = await stage.hears(
        "health",
        ({ at, server }) => at > failedAt + 2500 && (server[0]?.bitrate ?? 0) > 1_000_000,
      );
      expect(server[0]).toMatchObject({ destination: "klieg", state: "live" });
      expect((await stage.request("open_show", {})).document).toEqual(document);
      const { path, program: kept, durationMs } = await recorded(recordings);
      expect(path).toBe(recording.path);
      expect(kept.complaints).toBe("");
      expect((await recorded(recordings, "screen")).program.complaints).toBe("");
      expect(Math.abs(durationMs - recording.duration_ms)).toBeLessThan(200);
      await stage.request("stop_broadcast", {});
      expect(backend.log.some(({ level }) => Number(level) >= 50)).toBe(false);
    } finally {
      await run("umount", ["-l", recordings]);
    }
  });
});
