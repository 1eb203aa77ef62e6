import { setTimeout as after } from "node:timers/promises";
import type { SceneItem } from "../apps/studio/src/document/scene.ts";
import type { Source } from "../apps/studio/src/document/source.ts";
import { filling } from "../apps/studio/src/document/transform.ts";
import { MEDIA_ARGS, StudioMediaTab } from "../test/harness/studio-media-tab.ts";
import { itemOf, showOf } from "../test/harness/studio-show.ts";
import { until } from "../test/harness/until.ts";
import type { Section } from "./section.ts";

const COUNTS = [1, 4, 8];
const FORMATS = [
  { label: "720p30", width: 1280, height: 720, frameRate: 30, bitrate: 4_500_000 },
  { label: "1080p60", width: 1920, height: 1080, frameRate: 60, bitrate: 9_000_000 },
] as const;
type Format = (typeof FORMATS)[number];
const SETTLING_MS = 4000;
const MEASURED_MS = 10_000;

export const name = "Studio compositor: pictures a second and CPU";

interface Measured {
  readonly frameRate: number;
  readonly renderMs: number;
  readonly encodedFrameRate: number;
  readonly encodeMs: number;
  /** Share of one core: of all of the browser's processes. */
  readonly cpu: number;
}

/** Scenes of more and more cameras, each moving, drawn and encoded; the browser's own figures of its processes. */
export async function run(): Promise<Section> {
  const rows: (string | number)[][] = [];
  let about = { version: "", card: "" };
  for (const format of FORMATS) {
    const devices = `device-count=${Math.max(...COUNTS)},fps=${format.frameRate}`;
    const args = MEDIA_ARGS.map((arg) => (arg === "--use-fake-device-for-media-stream" ? `${arg}=${devices}` : arg));
    await using tab = await StudioMediaTab.open({ args });
    about = { version: tab.browser.version(), card: await cardOf(tab) };
    for (const count of COUNTS) {
      for (const what of count === 1
        ? (["drawn", "encoded", "background"] as const)
        : (["drawn", "encoded"] as const)) {
        const encoded = what === "encoded";
        const measured = await measure(tab, format, count, { encoded, background: what === "background" });
        const { frameRate, renderMs, encodedFrameRate, encodeMs, cpu } = measured;
        rows.push([
          format.label,
          count,
          { drawn: "no", encoded: "yes", background: "no; background blurred" }[what],
          frameRate.toFixed(1),
          renderMs.toFixed(1),
          encoded ? encodedFrameRate.toFixed(1) : "–",
          encoded ? encodeMs.toFixed(1) : "–",
          `${(cpu * 100).toFixed(0)} %`,
        ]);
      }
    }
  }
  const rates = FORMATS.map(({ label, bitrate }) => `${bitrate / 1e6} Mb/s at ${label}`).join(", ");
  return {
    summary:
      `The studio's program in Chromium ${about.version}: one camera over all of it, the others in boxes a quarter as wide, ` +
      `all different and moving; ${MEASURED_MS / 1000} s each after ${SETTLING_MS / 1000} s to settle. Encoded means H.264 by ` +
      `WebCodecs on the CPU: ${rates}. WebGL is drawn by ${about.card}.`,
    table: {
      columns: [
        "program",
        "cameras",
        "encoded",
        "pictures/s",
        "ms to draw one",
        "encoded/s",
        "ms to encode one",
        "CPU, of one core",
      ],
      rows,
    },
    verdicts: [],
    notes: [
      "CPU is that of all of the browser's processes together: the made-up cameras, the drawing, the encoder.",
      "Where WebGL is drawn by SwiftShader there is no graphics card: the CPU draws and converts every pixel, which is what " +
        "a graphics card is there for. Figures with one are to be taken on a machine that has one.",
      "With its background blurred, each picture of the camera is looked at for people, by the CPU in a thread of its own.",
      "1080p60 is four and a half times the pixels of 720p30 each second: without a graphics card it is there to show what is " +
        "left out, and that what is left out is counted.",
    ],
  };
}

/** What draws WebGL. */
function cardOf(tab: StudioMediaTab): Promise<string> {
  return tab.run(() => {
    const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
    const info = gl?.getExtension("WEBGL_debug_renderer_info");
    return gl && info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "unknown";
  });
}

async function measure(
  tab: StudioMediaTab,
  format: Format,
  count: number,
  { encoded, background }: { readonly encoded: boolean; readonly background: boolean },
): Promise<Measured> {
  const { width, height, frameRate, bitrate } = format;
  const devices = await tab.run(async () => {
    (await navigator.mediaDevices.getUserMedia({ video: true })).getTracks().map((track) => track.stop());
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter(({ kind }) => kind === "videoinput").map(({ deviceId, label }) => ({ id: deviceId, label }));
  });
  const sources: Source[] = devices.slice(0, count).map((device, i) => ({
    id: `camera-${i}`,
    name: `Camera ${i}`,
    kind: "camera",
    device,
    width: i === 0 ? width : width / 2,
    height: i === 0 ? height : height / 2,
    frame_rate: frameRate,
    filters: background ? [{ id: "background", enabled: true, kind: "background_blur", radius: 12 }] : [],
  }));
  if (sources.length < count) throw new Error(`the browser made up ${devices.length} cameras only`);
  const items: SceneItem[] = sources.map(({ id }, i) =>
    itemOf(id, i === 0 ? filling({ width, height }) : boxAt(format, i)),
  );
  const show = showOf(sources, [items], [0, 0, 0]);
  show.canvas = { ...show.canvas, width, height, frame_rate: frameRate };
  await tab.run((studio, document) => studio.update(document), show);
  await tab.run((studio) => void studio.media.compositor.programTrack());
  const ids = sources.map(({ id }) => id);
  await until(() => tab.run((studio, all) => all.every((id) => studio.media.captures.get(id)?.state === "live"), ids), {
    what: `${count} cameras are live`,
  });
  if (encoded) {
    const encoding = {
      encoder: "auto",
      video_bitrate: bitrate,
      audio_bitrate: 128_000,
      keyframe_interval: 2,
      adaptive: true,
    };
    await tab.run((studio, settings) => studio.media.startProgram(settings), {
      encoding,
      ways: { engine: true, whip: [] },
    });
  }
  await after(SETTLING_MS);
  const session = await tab.browser.newBrowserCDPSession();
  const used = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const seconds = MEASURED_MS / 1000;
  const before = await used();
  const measured = await tab.run(async (studio, wanted) => {
    const all: { renderFrameRate: number; renderMs: number; encodedFrameRate: number; encodeMs: number }[] = [];
    await new Promise<void>((resolve) => {
      const listening = studio.media.onStatistics((statistics) => {
        all.push(statistics);
        studio.takeMessages();
        if (all.length < wanted) return;
        listening[Symbol.dispose]();
        resolve();
      });
    });
    return all;
  }, seconds);
  const cpu = ((await used()) - before) / seconds;
  await session.detach();
  await tab.run((studio) => studio.media.stopProgram());
  const mean = (key: keyof (typeof measured)[number]) =>
    measured.reduce((sum, each) => sum + each[key], 0) / measured.length;
  return {
    frameRate: mean("renderFrameRate"),
    renderMs: mean("renderMs"),
    encodedFrameRate: mean("encodedFrameRate"),
    encodeMs: mean("encodeMs"),
    cpu,
  };
}

/** Boxes in two rows, four and four. */
function boxAt({ width, height }: Format, index: number) {
  const column = (index - 1) % 4;
  const box = { width: width / 4, height: height / 4 };
  return { x: width * (0.14 + 0.235 * column), y: height * (index < 5 ? 1 / 6 : 5 / 6), ...box };
}
