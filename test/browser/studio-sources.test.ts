import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Source } from "../../apps/studio/src/document/source.ts";
import { DEFAULT_AUDIO } from "../../apps/studio/src/document/source.ts";
import type { Capture } from "../../apps/studio/src/renderer/media/capture/capture.ts";
import { ffmpeg } from "../harness/ffmpeg-units.ts";
import { MEDIA_ARGS, StudioMediaTab } from "../harness/studio-media-tab.ts";
import { CAMERA_SOURCE, difference, itemOf, type Rgb, showOf } from "../harness/studio-show.ts";
import { until } from "../harness/until.ts";

const BACKGROUND: Rgb = [200, 0, 200];
const PLACEHOLDER: Rgb = [20, 18, 16];

let folder: string;
let tab: StudioMediaTab;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-sources-"));
  const film = join(folder, "film.webm");
  const parts = [
    "-f",
    "lavfi",
    "-i",
    "color=c=0x208020:s=320x180:r=30:d=1",
    "-f",
    "lavfi",
    "-i",
    "color=c=0x2040c0:s=320x180:r=30:d=1",
  ];
  const tone = ["-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000:duration=2"];
  const coding = ["-c:v", "libvpx", "-b:v", "500k", "-colorspace", "bt709", "-color_range", "tv", "-c:a", "libopus"];
  await ffmpeg([...parts, ...tone, "-filter_complex", "[0][1]concat", ...coding, film]);
  tab = await StudioMediaTab.open({
    assets: { "film.webm": { type: "video/webm", bytes: await readFile(film) } },
    // Without the flag that grants every device unasked: leave is given, and taken back, by the test.
    args: ["--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream"],
  });
}, 60_000);

afterAll(async () => {
  await tab?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const show = (sources: Source[], page = tab) =>
  page.run(
    (studio, document) => studio.update(document),
    showOf(sources, [sources.map(({ id }) => itemOf(id, { fit: "stretch" }))], BACKGROUND),
  );

const capture = (
  id: string,
  page = tab,
): Promise<Pick<Capture, "state" | "problem" | "width" | "height"> | undefined> =>
  page.run((studio, source) => {
    const found = studio.media.captures.get(source);
    return found === undefined ? undefined : { ...found, video: undefined, audio: undefined };
  }, id);

async function becomes(id: string, state: Capture["state"], kind?: string, page = tab): Promise<void> {
  let last: unknown;
  await until(
    async () => {
      const found = await capture(id, page);
      last = found;
      return found?.state === state && found.problem?.kind === kind;
    },
    { what: `${id} is ${state}`, timeoutMs: 8000, diagnose: () => JSON.stringify(last) },
  );
}

/** Waits until the program's middle, away from the sign of a placeholder, is so. */
async function seen(what: string, right: (pixel: number[]) => boolean, page = tab): Promise<void> {
  let last: number[] = [];
  await until(
    async () => {
      last = (await page.run((studio) => studio.pixels([[640, 150]]))).pixels[0] ?? [];
      return right(last);
    },
    { what, timeoutMs: 8000, diagnose: () => String(last) },
  );
}

describe("the studio's sources (STU1)", () => {
  test("hold a camera's place while it is refused, taken back or unplugged, and show it again by themselves", async () => {
    const context = tab.page.context();
    await show([CAMERA_SOURCE]);
    await becomes("camera", "failed", "denied");
    expect((await capture("camera"))?.problem?.message).toContain("Allow it");
    await seen("a card stands in its place", (pixel) => difference(pixel, PLACEHOLDER) < 5);

    const camera = (pixel: number[]) => difference(pixel, PLACEHOLDER) > 40 && difference(pixel, BACKGROUND) > 40;
    await context.grantPermissions(["camera", "microphone"]);
    await becomes("camera", "live");
    await seen("its picture is there", camera);
    expect(await capture("camera")).toMatchObject({ width: 640, height: 360 });

    await context.clearPermissions();
    await becomes("camera", "failed", "revoked");
    await seen("the card is back", (pixel) => difference(pixel, PLACEHOLDER) < 5);
    // Its place is still measured by the picture that it had.
    expect(await capture("camera")).toMatchObject({ width: 640, height: 360 });
    await context.grantPermissions(["camera", "microphone"]);
    await becomes("camera", "live");

    // The made-up camera cannot be pulled out: what the browser tells a page of it is told here, and the rest is real.
    await tab.run((studio) => {
      const track = studio.media.captures.get("camera")?.video;
      track?.stop();
      track?.dispatchEvent(new Event("ended"));
    });
    await becomes("camera", "gone", "unplugged");
    await seen("the card is there", (pixel) => difference(pixel, PLACEHOLDER) < 5);
    await tab.run(() => void navigator.mediaDevices.dispatchEvent(new Event("devicechange")));
    await becomes("camera", "live");
    await seen("its picture is back", camera);
  }, 30_000);

  test("play a film with its sound from its beginning, over and over", async () => {
    const film: Source = {
      id: "film",
      name: "Film",
      kind: "media_file",
      path: "film.webm",
      loop: true,
      on_air: "restart",
      audio: DEFAULT_AUDIO,
      filters: [],
    };
    await show([film]);
    await becomes("film", "live");
    expect(await capture("film")).toMatchObject({ width: 320, height: 180 });
    const first = (pixel: number[]) => difference(pixel, [32, 128, 32]) < 14;
    const second = (pixel: number[]) => difference(pixel, [32, 64, 192]) < 14;
    await seen("its first half is there", first);
    await seen("its second half is there", second);
    await seen("it begins anew", first);
    const loudness = await tab.run(async (studio) => {
      const track = studio.sounds.get("film");
      if (track === undefined) return 0;
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      let loudest = 0;
      for (let i = 0; i < 40 && loudest < 0.05; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        analyser.getFloatTimeDomainData(samples);
        loudest = Math.max(...samples);
      }
      await context.close();
      return loudest;
    });
    // FFmpeg's tone is at an eighth of full scale.
    expect(loudness).toBeGreaterThan(0.05);
  }, 30_000);

  test("wait for a screen to be picked, and say what is missing of what is not there", async () => {
    const screen: Source = {
      id: "screen",
      name: "Screen",
      kind: "screen",
      surface: "browser_tab",
      surface_id: "",
      with_audio: false,
      with_pointer: true,
      audio: DEFAULT_AUDIO,
      filters: [],
    };
    const image: Source = { id: "image", name: "Image", kind: "image", path: "nothing.png", filters: [] };
    const film: Source = {
      id: "film",
      name: "Film",
      kind: "media_file",
      path: "nothing.webm",
      loop: false,
      on_air: "continue",
      audio: DEFAULT_AUDIO,
      filters: [],
    };
    const guest: Source = { id: "guest", name: "Guest", kind: "guest", seat: 1, audio: DEFAULT_AUDIO, filters: [] };
    // Here every device, and the first tab there is, is granted unasked.
    await using open = await StudioMediaTab.open({ args: MEDIA_ARGS });
    await show([image, film, guest, screen], open);
    await becomes("screen", "waiting", "not_picked", open);
    await becomes("image", "failed", "missing_file", open);
    await becomes("film", "failed", "missing_file", open);
    await becomes("guest", "waiting", "no_guest", open);
    expect(await open.run((studio) => studio.media.captures.pick("screen"))).toBe(true);
    await becomes("screen", "live", undefined, open);
    expect((await capture("screen", open))?.width).toBeGreaterThan(0);
    // What the browser that grants everything shows of the tab is a picture of its own making.
    await seen("the tab is in the program", (pixel) => difference(pixel, PLACEHOLDER) > 40, open);
    // What the browser tells a page when its own button ends the sharing.
    await open.run((studio) => void studio.media.captures.get("screen")?.video?.dispatchEvent(new Event("ended")));
    await becomes("screen", "gone", "sharing_ended", open);
    await open.run((studio) =>
      studio.media.captures.setGuest(1, { video: studio.media.compositor.programTrack().clone(), audio: undefined }),
    );
    await becomes("guest", "live", undefined, open);
    await open.run((studio) => studio.media.captures.setGuest(1, undefined));
    await becomes("guest", "gone", "no_guest", open);
    await show([], open);
    expect(await capture("screen", open)).toBeUndefined();
  }, 30_000);
});
