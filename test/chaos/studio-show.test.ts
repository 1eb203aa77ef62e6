import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { longestStep, probeProgram } from "../harness/recorded-program.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { endStream, goLive, StudioBox } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { CAMERA_COLOUR, LARGE, shows, twoScenes } from "../harness/two-scene-show.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";

requirePackages("chromium", "ffmpeg");

/** Longest time from one recorded picture to the next, s: at 30 a second, on a busy machine. */
const NO_HOLE_S = 0.5;

describe("STU3 STU8: a show on a bad day", () => {
  it("the backend is killed and comes back: the studio reconnects, the recording has no hole; a page loaded again goes on", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "klieg-show-"));
    const browser = await openChromium({ args: MEDIA_ARGS });
    try {
      const first = await BackendProcess.start({ dataDir, env: { KLIEG_WEBRTC: "0" } });
      const { http, key } = first;
      const ports = { KLIEG_HTTP_PORT: String(first.ports.http), KLIEG_SRT_PORT: String(first.ports.srt) };
      await using box = await StudioBox.start({ show: twoScenes(http, "srt"), keys: { klieg: key } });
      const page = await box.open(browser, CAMERA_COLOUR);
      await page.locator('[data-peak="mic"]').waitFor();
      const record = page.locator("button.record");
      await page.keyboard.press("Control+Shift+KeyR");
      await page.locator("button.record.recording").waitFor();
      await goLive(page, "A show that goes on");
      await first.live();
      await first.stop("SIGKILL");
      // In words, with the time to the next attempt; who knows better tries at once.
      await page
        .getByText(/next attempt in/)
        .first()
        .waitFor();
      const tryNow = page.getByRole("button", { name: "Try now" });
      await using second = await BackendProcess.start({ dataDir, env: { KLIEG_WEBRTC: "0", ...ports } });
      await tryNow.click();
      const stream = await second.live();
      expect(stream.title).toBe("A show that goes on");
      await using watched = await WatchedPage.open(browser, { url: `${http}/watch/demo` });
      await watched.becomes("playing", ({ stage }) => stage === "playing", 30_000);
      await shows(watched.page, "the first scene", LARGE);
      await tryNow.waitFor({ state: "detached" });

      await record.click();
      await until(async () => !((await record.getAttribute("class")) ?? "").includes("recording"), {
        what: "the end of the recording",
      });
      const files = await readdir(box.recordings);
      expect(files).toHaveLength(1);
      const recorded = await probeProgram(join(box.recordings, files[0] ?? ""));
      expect(recorded.complaints).toBe("");
      expect(longestStep(recorded, "video")).toBeLessThan(NO_HOLE_S);
      expect(longestStep(recorded, "audio")).toBeLessThan(0.1);

      // The page is loaded again: the engine holds the stream meanwhile, and the page finds everything as it was.
      await page.reload();
      await page.getByText("On air", { exact: true }).waitFor();
      await page.locator('[data-peak="mic"]').waitFor();
      const { currentTime } = await watched.now();
      await watched.becomes("playing on", (now) => now.stage === "playing" && now.currentTime > currentTime + 6);
      expect((await second.live()).id).toBe(stream.id);
      expect(watched.loads).toBe(1);
      await shows(watched.page, "the first scene, again", LARGE);
      await endStream(page);
      await page.context().close();
    } finally {
      await browser.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
