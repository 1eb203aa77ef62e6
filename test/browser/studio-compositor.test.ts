import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SceneItem, Transition } from "../../apps/studio/src/document/scene.ts";
import type { Source } from "../../apps/studio/src/document/source.ts";
import type { StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { BackgroundTab } from "../harness/background-tab.ts";
import { ffmpeg } from "../harness/ffmpeg-units.ts";
import type { ServedFile } from "../harness/module-tab.ts";
import { MEDIA_ARGS, StudioMediaTab } from "../harness/studio-media-tab.ts";
import {
  CAMERA_SOURCE,
  difference,
  evenPoints,
  itemOf,
  type Look,
  pictureAt,
  type Quarters,
  quartersInput,
  type Rgb,
  showOf,
} from "../harness/studio-show.ts";
import { until } from "../harness/until.ts";

const BACKGROUND: Rgb = [32, 40, 48];
const CANVAS = { width: 1280, height: 720 };
const CAMERA: Quarters = [
  [200, 40, 40],
  [40, 180, 60],
  [50, 60, 200],
  [210, 200, 60],
];
const IMAGE: Quarters = [
  [255, 128, 0],
  [0, 128, 255],
  [128, 0, 128],
  [0, 255, 0],
];
const LOOKS: Readonly<Record<string, Look>> = {
  camera: { width: 640, height: 360, quarters: CAMERA, alpha: 1 },
  image: { width: 320, height: 320, quarters: IMAGE, alpha: 1 },
  colour: {
    width: 1,
    height: 1,
    quarters: [
      [10, 90, 170],
      [10, 90, 170],
      [10, 90, 170],
      [10, 90, 170],
    ],
    alpha: 0.6,
  },
};
const SOURCES: Source[] = [
  CAMERA_SOURCE,
  { id: "image", name: "Image", kind: "image", path: "quarters.png", filters: [] },
  { id: "colour", name: "Colour", kind: "colour", colour: "#0a5aaa99", filters: [] },
];

let folder: string;
let tab: StudioMediaTab;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-compositor-"));
  const camera = join(folder, "camera.y4m");
  await ffmpeg([...quartersInput(CAMERA, 640, 360), "-t", "1", "-pix_fmt", "yuv420p", camera]);
  const bytes = await ffmpeg([
    ...quartersInput(IMAGE, 320, 320),
    "-frames:v",
    "1",
    "-c:v",
    "png",
    "-f",
    "image2pipe",
    "pipe:1",
  ]);
  const assets: Record<string, ServedFile> = { "quarters.png": { type: "image/png", bytes } };
  tab = await StudioMediaTab.open({ assets, camera });
}, 60_000);

afterAll(async () => {
  await tab?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const update = (document: StudioDocument) => tab.run((studio, show) => studio.update(show), document);
const pixels = (points: readonly (readonly [number, number])[]) => tab.run((studio, at) => studio.pixels(at), points);

/** Waits for a picture of the program that has these colours. */
async function shows(
  expected: readonly { readonly point: readonly [number, number]; readonly colour: Rgb }[],
  tolerance: number,
  what: string,
): Promise<void> {
  let worst = "";
  await until(
    async () => {
      const seen = (await pixels(expected.map(({ point }) => point))).pixels;
      const wrong = expected.flatMap(({ point, colour }, i) => {
        const by = difference(seen[i] ?? [], colour);
        return by > tolerance ? [`${point} is ${seen[i]} instead of ${colour.map(Math.round)}`] : [];
      });
      worst = `${wrong.length} of ${expected.length} wrong: ${wrong.slice(0, 5).join("; ")}`;
      return wrong.length === 0;
    },
    { what, timeoutMs: 8000, diagnose: () => worst },
  );
}

/** Numbers that are the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomItem(next: () => number): SceneItem {
  const between = (low: number, high: number) => Math.round(low + next() * (high - low));
  const source = ["camera", "image", "colour"][between(0, 2)] ?? "camera";
  const cut = () => (next() < 0.5 ? 0 : next() * 0.45);
  return itemOf(
    source,
    {
      x: between(0, 1280),
      y: between(0, 720),
      width: between(80, 900),
      height: between(80, 600),
      rotation: next() < 0.4 ? 0 : between(-180, 180),
      mirrored: next() < 0.5,
      crop:
        source === "colour"
          ? { left: 0, top: 0, right: 0, bottom: 0 }
          : { left: cut(), top: cut(), right: cut(), bottom: cut() },
      fit: source === "colour" ? "stretch" : ((["contain", "cover", "stretch"] as const)[between(0, 2)] ?? "contain"),
    },
    { opacity: next() < 0.6 ? 1 : next(), visible: next() > 0.1 },
  );
}

type ProgramMessage = { readonly kind: string; readonly keyframe?: boolean; readonly timestamp?: number };

/** How far the encoded keyframes are from each other, µs. */
function keyframeGaps(messages: readonly ProgramMessage[]): number[] {
  const times = messages.flatMap(({ kind, keyframe, timestamp = 0 }) =>
    kind === "avc" && keyframe === true ? [timestamp] : [],
  );
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}

describe("the studio's compositor (STU1)", () => {
  test("draws what the document says: places, sizes, turns, crops, mirrors, fits, opacity, order", async () => {
    const next = random(4);
    for (let layout = 0; layout < 6; layout += 1) {
      const items = Array.from({ length: 2 + layout }, () => randomItem(next));
      const expected = evenPoints((point) => pictureAt(items, LOOKS, BACKGROUND, point), CANVAS, 37, 5);
      expect(expected.length).toBeGreaterThan(200);
      await update(showOf(SOURCES, [items], BACKGROUND));
      // The camera's colours went through YUV.
      await shows(expected, 8, `layout ${layout} is drawn`);
    }
  });

  test("keys out a colour, changes colours and blurs, in the order of the filters", async () => {
    const place = { x: 640, y: 360, width: 640, height: 640 };
    const withFilters = (filters: Extract<Source, { kind: "image" }>["filters"]) =>
      showOf(
        SOURCES.map((source) => (source.kind === "image" ? { ...source, filters } : source)),
        [[itemOf("image", place)]],
        BACKGROUND,
      );
    const quarter = (i: number): readonly [number, number] => [480 + (i % 2) * 320, i < 2 ? 200 : 520];
    const seen = async (
      filters: Extract<Source, { kind: "image" }>["filters"],
      expected: readonly Rgb[],
      what: string,
    ) => {
      await update(withFilters(filters));
      await shows(
        expected.map((colour, i) => ({ point: quarter(i), colour })),
        5,
        what,
      );
    };
    const key = { kind: "chroma_key", key: "#00ff00", similarity: 0.2, smoothness: 0.05, spill: 0.01 } as const;
    await seen(
      [{ id: "key", enabled: true, ...key }],
      [IMAGE[0], IMAGE[1], IMAGE[2], BACKGROUND],
      "green is keyed out",
    );
    await seen([{ id: "key", enabled: false, ...key }], IMAGE, "a filter that is switched off does nothing");
    const plain = {
      kind: "colour",
      enabled: true,
      brightness: 0,
      contrast: 0,
      saturation: 0,
      hue: 0,
      gamma: 1,
    } as const;
    const brighter = IMAGE.map((colour) => colour.map((value) => Math.min(255, value + 51)) as unknown as Rgb);
    await seen([{ id: "bright", ...plain, brightness: 0.2 }], brighter, "everything is brighter");
    const grey = IMAGE.map(([r, g, b]) => {
      const luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
      return [luma, luma, luma] as const;
    });
    await seen([{ id: "grey", ...plain, saturation: -1 }], grey, "everything is grey");
    const turned = IMAGE.map(([r, g, b]) => [b, r, g] as const);
    await seen([{ id: "hue", ...plain, hue: 120 }], turned, "the colours are turned");
    // The key comes before the colour: what it took out stays out.
    const both = [grey[0], grey[1], grey[2], BACKGROUND] as Rgb[];
    await seen(
      [
        { id: "key", enabled: true, ...key },
        { id: "grey", ...plain, saturation: -1 },
      ],
      both,
      "both filters apply",
    );

    await update(withFilters([{ id: "blur", kind: "blur", enabled: true, radius: 16 }]));
    const middle = [0, 1, 2].map((c) => ((IMAGE[0][c] ?? 0) + (IMAGE[1][c] ?? 0)) / 2) as unknown as Rgb;
    // One and a half standard deviations to the left: 93.3 % of the weight is on that side.
    const near = [0, 1, 2].map((c) => (IMAGE[0][c] ?? 0) * 0.933 + (IMAGE[1][c] ?? 0) * 0.067) as unknown as Rgb;
    const expected = [
      { point: [640, 120] as const, colour: middle },
      { point: [640 - 48, 120] as const, colour: near },
      { point: [400, 120] as const, colour: IMAGE[0] },
    ];
    await shows(expected, 8, "the border is blurred as a Gaussian of that deviation blurs it");
  });

  test("goes from scene to scene by fade and slide at the pace that the transition says", async () => {
    const scenes = [[itemOf("image", { fit: "stretch" })], [itemOf("camera", { fit: "stretch" })]];
    const first = showOf(SOURCES, scenes, BACKGROUND);
    const second = { ...first, program: "scene-1" };
    const points = Array.from({ length: 32 }, (_, i) => [20 + i * 40, 100] as const);
    const look = (source: string, x: number) => LOOKS[source]?.quarters[x < 640 ? 0 : 1] ?? BACKGROUND;
    /** Takes a scene and watches until the transition is over: pictures with the time since the first that differed. */
    const taken = async (to: StudioDocument, transition: Transition) => {
      const pictures = await tab.run(
        async (studio, { to, transition, points }) => {
          const seen: { timestamp: number; pixels: number[][] }[] = [];
          let over = false;
          const listening = studio.media.compositor.onTransition((running) => {
            over = !running;
          });
          studio.media.take(to.program, transition);
          studio.update(to);
          for (let after = 0; after < 3; after += over ? 1 : 0) seen.push(await studio.pixels(points));
          listening[Symbol.dispose]();
          return seen;
        },
        { to, transition, points },
      );
      return pictures;
    };
    await update(first);
    await shows(
      points.map((point) => ({ point, colour: look("image", point[0]) })),
      8,
      "the first scene is on air",
    );

    const faded = await taken(second, { kind: "fade", duration: 600 });
    const shares = faded.map(({ pixels }) => {
      const from = look("image", points[0]?.[0] ?? 0);
      const to = look("camera", points[0]?.[0] ?? 0);
      const share = ((pixels[0]?.[0] ?? 0) - from[0]) / (to[0] - from[0]);
      const mixed = from.map((value, c) => value + ((to[c] ?? 0) - value) * share);
      // Red moves least, by 55: what it tells of the share is as exact as that.
      expect(difference(pixels[0] ?? [], mixed), `${pixels[0]} is no mixture`).toBeLessThan(8);
      return share;
    });
    expect(shares.at(-1)).toBeCloseTo(1, 0.1);
    for (const [i, share] of shares.entries()) expect(share).toBeGreaterThan((shares[i - 1] ?? 0) - 0.03);
    expect(shares.filter((share) => share > 0.1 && share < 0.9).length).toBeGreaterThan(3);
    const begun = faded.findIndex((_, i) => (shares[i] ?? 0) > 0.02);
    const done = shares.findIndex((share) => share > 0.98);
    const lasted = ((faded[done]?.timestamp ?? 0) - (faded[begun]?.timestamp ?? 0)) / 1000;
    expect(lasted).toBeGreaterThan(350);
    expect(lasted).toBeLessThan(700);

    // The second scene came by the fade; back again it comes from the left, pushing the other out.
    const slid = await taken(first, { kind: "slide", duration: 600, from: "left" });
    const borders = slid.map(({ pixels }) => {
      // As far as the new scene's right end is seen at the left; a point may lie on the seam between two quarters.
      const ofImage = points.flatMap((_, i) => {
        const pixel = pixels[i] ?? [];
        const fromImage = Math.min(difference(pixel, IMAGE[0]), difference(pixel, IMAGE[1]));
        const fromCamera = Math.min(difference(pixel, CAMERA[0]), difference(pixel, CAMERA[1]));
        return Math.min(fromImage, fromCamera) < 9 ? [fromImage < fromCamera] : [];
      });
      expect(ofImage.length, "pixels of neither scene").toBeGreaterThanOrEqual(points.length - 2);
      const border = ofImage.indexOf(false);
      const count = border === -1 ? points.length : border;
      expect(ofImage.slice(count).every((image) => !image)).toBe(true);
      return count;
    });
    expect(borders.at(-1)).toBe(points.length);
    for (const [i, border] of borders.entries()) expect(border).toBeGreaterThanOrEqual((borders[i - 1] ?? 0) - 1);
    expect(new Set(borders).size).toBeGreaterThan(4);
  });

  test("encodes H.264 that FFmpeg decodes to the same picture, with a keyframe every 2 s and at the bitrate that is asked for (STU2)", async () => {
    const items = [
      itemOf("camera", {}),
      itemOf("image", { x: 300, y: 300, width: 300, height: 300, rotation: 30 }),
      itemOf("colour", { x: 900, y: 400, width: 400, height: 300, fit: "stretch" }),
    ];
    const show = showOf(SOURCES, [items], BACKGROUND);
    await update(show);
    const expected = evenPoints((point) => pictureAt(items, LOOKS, BACKGROUND, point), CANVAS, 61, 12);
    await shows(expected, 8, "the picture is drawn");
    const encoding = {
      encoder: "auto",
      video_bitrate: 3_000_000,
      audio_bitrate: 128_000,
      keyframe_interval: 2,
      adaptive: true,
    };
    const ways = { engine: true, whip: [] };
    await tab.run((studio, settings) => studio.media.startProgram(settings), { encoding, ways });
    const after = (count: number) =>
      until(
        async () => (await tab.run((studio) => studio.messages())).filter(({ kind }) => kind === "avc").length >= count,
        {
          what: `${count} pictures are encoded`,
        },
      );
    await after(62);
    // Well between two keyframes, so that the one that is asked for is seen to be another one.
    await until(
      () =>
        tab.run((studio) => {
          const pictures = studio.messages().filter((message) => message.kind === "avc");
          const keyframe = pictures.findLast((picture) => picture.keyframe);
          const since = (pictures.at(-1)?.timestamp ?? 0) - (keyframe?.timestamp ?? 0);
          if (since < 200_000 || since > 1_000_000) return false;
          studio.emit({ event: "video_bitrate", bitrate: 1_000_000, reason: "loss" });
          studio.emit({ event: "keyframe_wanted" });
          return true;
        }),
      { what: "the middle of a GOP" },
    );
    // Both orders go to the worker, which tells once a second what it does.
    const seen = await until(
      async () => {
        const statistics = await tab.run((studio) => studio.media.statistics());
        const gaps = keyframeGaps(await tab.run((studio) => studio.messages()));
        return statistics.wantedBitrate === 1_000_000 && gaps.some((gap) => gap < 1_800_000) && { statistics };
      },
      { what: "the bit rate is changed and the keyframe that was asked for is there" },
    );
    await after(72);
    const { statistics } = seen;
    const messages = await tab.run((studio) => {
      studio.media.stopProgram();
      return studio.takeMessages();
    });
    expect(statistics.encoder).toMatchObject({ name: "browser_software", hardware: false, label: "CPU" });
    expect(messages[0]?.kind).toBe("avc_config");
    expect(messages[1]).toMatchObject({ kind: "avc", keyframe: true, width: 1280, height: 720 });
    const pictures = messages.filter(({ kind }) => kind === "avc");
    const times = pictures.map(({ timestamp }) => Math.round((timestamp * 30) / 1e6));
    for (const [i, time] of times.entries()) expect(time).toBeGreaterThan(times[i - 1] ?? -1);
    // The first picture that is 2 s or more after the keyframe before, whatever was dropped between.
    const begun = pictures[0]?.timestamp ?? 0;
    const due = pictures.findIndex(({ timestamp }) => timestamp - begun >= 1_999_000);
    expect(pictures.findIndex(({ keyframe }, i) => i > 0 && keyframe)).toBe(due);

    const stream = join(folder, "program.h264");
    await writeFile(stream, annexB(messages));
    const decoded = await ffmpeg([
      "-i",
      stream,
      "-fps_mode",
      "passthrough",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "rgb24",
      "pipe:1",
    ]);
    const size = CANVAS.width * CANVAS.height * 3;
    expect(decoded.length / size).toBe(pictures.length);
    for (const at of [0, pictures.length - 1]) {
      const wrong = expected.filter(({ point: [x, y], colour }) => {
        const offset = at * size + (y * CANVAS.width + x) * 3;
        return difference([...decoded.subarray(offset, offset + 3)], colour) > 16;
      });
      expect(wrong.length / expected.length, `picture ${at}`).toBeLessThan(0.01);
    }
  });

  test("keeps its pace while the window is hidden", async () => {
    const show = showOf(SOURCES, [[itemOf("camera", { x: 320, y: 180, width: 640, height: 360 })]], BACKGROUND);
    show.canvas = { ...show.canvas, width: 640, height: 360 };
    const encoding = {
      encoder: "auto",
      video_bitrate: 800_000,
      audio_bitrate: 128_000,
      keyframe_interval: 2,
      adaptive: true,
    };
    await using hidden = await BackgroundTab.open(tab.page.url(), MEDIA_ARGS);
    await until(() => hidden.evaluate<boolean>("typeof studio === 'object'"), { what: "the page is there" });
    await hidden.evaluate(`studio.update(${JSON.stringify(show)})`);
    await hidden.evaluate(
      `studio.media.startProgram(${JSON.stringify({ encoding, ways: { engine: true, whip: [] } })})`,
    );
    await hidden.hide();
    await until(() => hidden.evaluate<boolean>("document.visibilityState === 'hidden'"), { what: "the tab is hidden" });
    const pictures = () =>
      hidden.evaluate<number[]>(
        "studio.messages().filter(({ kind }) => kind === 'avc').map(({ timestamp }) => timestamp)",
      );
    await until(async () => (await pictures()).length > 15, { what: "pictures are encoded" });
    await hidden.evaluate("studio.takeMessages() && undefined");
    // The page itself is slowed down to a second; what is measured is not.
    const ticks = await hidden.evaluate<number>(
      "new Promise((done) => { let n = 0; const t = setInterval(() => { n += 1; }, 100); setTimeout(() => { clearInterval(t); done(n); }, 2000); })",
    );
    expect(ticks).toBeLessThan(10);
    const times = await pictures();
    const span = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1e6;
    expect(span).toBeGreaterThan(1.5);
    expect((times.length - 1) / span).toBeGreaterThan(27);
  });
});

/** A byte stream as FFmpeg reads it: parameter sets of the configuration, then NAL units between start codes. */
function annexB(messages: readonly { readonly kind: string; readonly data: string }[]): Buffer {
  const startCode = Buffer.from([0, 0, 0, 1]);
  const out: Buffer[] = [];
  for (const { kind, data } of messages) {
    const bytes = Buffer.from(data, "base64");
    if (kind === "avc") {
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt32BE(at);
        out.push(startCode, bytes.subarray(at + 4, at + 4 + length));
        at += 4 + length;
      }
    } else if (kind === "avc_config") {
      let at = 5;
      for (const mask of [31, 255]) {
        const count = (bytes[at] ?? 0) & mask;
        at += 1;
        for (let i = 0; i < count; i += 1) {
          const length = bytes.readUInt16BE(at);
          out.push(startCode, bytes.subarray(at + 2, at + 2 + length));
          at += 2 + length;
        }
      }
    }
  }
  return Buffer.concat(out);
}
