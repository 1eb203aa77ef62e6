import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_AUDIO, type Source } from "../../apps/studio/src/document/source.ts";
import { readClockStrip } from "../../scripts/demo/clock-strip.ts";
import { openChromium } from "../harness/chromium.ts";
import { longestStep, loudness, type ProbedProgram, probeProgram } from "../harness/recorded-program.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { StudioBox, TONE } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { CAMERA_COLOUR, twoScenes } from "../harness/two-scene-show.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg", "chromium");

const [WIDTH, HEIGHT] = [640, 360];

/** Of how many pictures of a film the clock is read, and how much it is ahead of the film's own time: the median, ms. */
async function clockAhead(file: string): Promise<{ readonly count: number; readonly aheadMs: number }> {
  const { packets } = await probeProgram(file);
  const times = packets.filter(({ codec_type }) => codec_type === "video").map(({ dts_time }) => Number(dts_time));
  const decoded = [
    "-v",
    "error",
    "-i",
    file,
    "-fps_mode",
    "passthrough",
    "-enc_time_base",
    "1:90000",
    "-pix_fmt",
    "gray",
    "-f",
    "rawvideo",
    "-",
  ];
  const pixels = execFileSync("ffmpeg", decoded, { maxBuffer: 1 << 28 });
  const ahead: number[] = [];
  for (const [i, time] of times.entries()) {
    const at = i * WIDTH * HEIGHT;
    if (at + WIDTH * HEIGHT > pixels.length) break;
    const clock = readClockStrip((x, y) => pixels[at + y * WIDTH + x] ?? 0, WIDTH, HEIGHT);
    if (clock !== undefined) ahead.push(clock - time * 1000);
  }
  ahead.sort((a, b) => a - b);
  return { count: ahead.length, aheadMs: ahead[Math.floor(ahead.length / 2)] ?? Number.NaN };
}

const GUEST: Source = { id: "guest", name: "Guest", kind: "guest", seat: 1, filters: [], audio: DEFAULT_AUDIO };

describe("STU8: recordings of single sources", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium({ args: MEDIA_ARGS });
  });
  afterAll(async () => {
    await browser?.close();
  });

  it("camera and microphone by themselves beside the program, on its time, whatever scene is shown", async () => {
    const scenes = twoScenes("http://127.0.0.1:9", "srt");
    await using box = await StudioBox.start({ show: { ...scenes, sources: [...scenes.sources, GUEST] } });
    const page = await box.open(browser, CAMERA_COLOUR);
    await page.locator('[data-peak="mic"]').waitFor();
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    const settings = page.getByRole("dialog", { name: "Settings" });
    await settings.getByRole("tab", { name: "Recording" }).click();
    for (const name of ["Camera", "Mic", "Guest"]) await settings.getByRole("checkbox", { name, exact: true }).check();
    await settings.getByText(/^Takes an encoder for each picture, and about [12]\.\d Mb\/s in all/).waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Record", exact: true }).click();
    const running = page.getByRole("button", { name: /^Recording for/ });
    await running.waitFor();
    await page.keyboard.press("Control+Shift+KeyF");
    const films = page.getByRole("dialog", { name: "Recordings" });
    await films
      .getByText(/^(CPU|.* GPU) · \d+ frames\/s · /)
      .first()
      .waitFor();
    await films.getByText("No recordings yet").waitFor();
    await page.keyboard.press("Escape");
    // The second scene has the camera in a corner; by itself it is whole all the while.
    await page.keyboard.press("F2");
    await page.getByRole("button", { name: /^Recording for ([7-9]|1\d) s/ }).waitFor();
    await running.click();
    await page.getByText(/^Recorded /).waitFor();
    const names = (await readdir(box.recordings)).sort();
    const [camera, guest, mic, program] = names.map((name) => path.join(box.recordings, name)) as [
      string,
      string,
      string,
      string,
    ];
    const base = path.basename(program, ".mp4");
    expect(names).toEqual([`${base} - Camera.mp4`, `${base} - Guest.mp4`, `${base} - Mic.mp4`, `${base}.mp4`]);
    const probed = await Promise.all([camera, mic, program, guest].map((file) => probeProgram(file)));
    expect(probed.map(({ complaints }) => complaints)).toEqual(["", "", "", ""]);
    const [ofCamera, ofMic, , ofGuest] = probed.map(({ streams }) => streams);
    expect(ofCamera).toMatchObject([{ codec_name: "h264", width: WIDTH, height: HEIGHT }]);
    expect(ofMic).toMatchObject([{ codec_name: "aac" }]);
    // Nobody has come: black, as large as a guest at least gets, and silence.
    expect(ofGuest).toMatchObject([{ codec_name: "h264", width: 1280, height: 720 }, { codec_name: "aac" }]);
    expect(longestStep(probed[3] as ProbedProgram, "video")).toBeLessThan(2);
    expect(loudness(guest, 3, TONE.hertz)).toBeLessThan(0.001);
    expect(longestStep(probed[0] as ProbedProgram, "video")).toBeLessThan(1.2);
    const ends = probed.map(({ packets }) => Number(packets.at(-1)?.dts_time));
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(1);
    for (const from of [1, 3, 5]) expect(loudness(mic, from, TONE.hertz)).toBeGreaterThan(0.05);
    // The clock in the picture is read from the program as long as the first scene was shown.
    const [own, whole] = [await clockAhead(camera), await clockAhead(program)];
    expect(whole.count).toBeGreaterThan(5);
    expect(own.count).toBe(probed[0]?.packets.length);
    expect(Math.abs(own.aheadMs - whole.aheadMs)).toBeLessThan(150);

    await page.getByRole("button", { name: "Recordings", exact: true }).click();
    await films.getByText(base, { exact: true }).waitFor();
    expect(await films.getByRole("listitem").count()).toBe(4);
    await films.getByRole("button", { name: `Play ${base}`, exact: true }).click();
    const video = films.locator("video");
    await until(
      () => video.evaluate((element: HTMLVideoElement) => element.currentTime > 0.3 && element.videoWidth === 640),
      {
        what: "the film to play",
      },
    );
    const download = page.waitForEvent("download");
    await films.getByRole("link", { name: `Save a copy of ${base} - Mic` }).click();
    expect((await download).suggestedFilename()).toBe(`${base} - Mic.mp4`);
    await page.context().close();
  });
});
