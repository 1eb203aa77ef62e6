import type { Page } from "playwright-core";
import { DEFAULT_AUDIO, type Source } from "../../apps/studio/src/document/source.ts";
import { newDocument, type StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { difference, hex as hexOf, itemOf, type Rgb } from "./studio-show.ts";
import { until } from "./until.ts";

const CANVAS = { width: 640, height: 360 } as const;
const CAMERA: Rgb = [0x3a, 0x6e, 0xa5];
const BACKDROP: Rgb = [0x20, 0x60, 0x30];
const BADGE: Rgb = [0xc0, 0x40, 0x20];
/** Two encoders and a decoder have been at the colours. */
const COLOUR_DIFFERENCE = 24;

/** What the camera's picture is to be. */
export const CAMERA_COLOUR = hex(CAMERA);

function hex(colour: Rgb): string {
  return hexOf(colour, "#");
}

function device(id: string, label: string) {
  return { device: { id, label } };
}

/** Two scenes with four sources: the camera large with a badge and words; and small on a backdrop. */
export function twoScenes(url: string, protocol: "srt" | "whip"): StudioDocument {
  const sources: Source[] = [
    {
      id: "camera",
      name: "Camera",
      kind: "camera",
      ...device("clock", "Clock camera"),
      width: null,
      height: null,
      frame_rate: null,
      filters: [],
    },
    {
      id: "mic",
      name: "Mic",
      kind: "microphone",
      ...device("tone", "Tone microphone"),
      echo_cancellation: false,
      audio: { ...DEFAULT_AUDIO },
    },
    { id: "badge", name: "Badge", kind: "colour", colour: hex(BADGE), filters: [] },
    { id: "backdrop", name: "Backdrop", kind: "colour", colour: hex(BACKDROP), filters: [] },
  ];
  const full = { x: CANVAS.width / 2, y: CANVAS.height / 2, ...CANVAS };
  const scene = (id: string, name: string, items: ReturnType<typeof itemOf>[]) => ({
    id,
    name,
    items,
    transition: null,
  });
  const mic = (id: string) => ({ ...itemOf("mic", full), id });
  return {
    ...newDocument("Scene"),
    canvas: { ...CANVAS, frame_rate: 30, background: "#000000" },
    encoding: {
      encoder: "auto",
      video_bitrate: 2_000_000,
      audio_bitrate: 128_000,
      keyframe_interval: 2,
      adaptive: true,
    },
    transition: { kind: "fade", duration: 300 },
    sources,
    scenes: [
      scene("large", "Camera large", [
        { ...itemOf("camera", full), id: "large-camera" },
        { ...itemOf("badge", { x: 560, y: 300, width: 100, height: 60, fit: "stretch" }), id: "large-badge" },
        mic("large-mic"),
      ]),
      scene("small", "Camera small", [
        { ...itemOf("backdrop", { ...full, fit: "stretch" }), id: "small-backdrop" },
        { ...itemOf("camera", { x: 480, y: 260, width: 240, height: 135 }), id: "small-camera" },
        mic("small-mic"),
      ]),
    ],
    destinations: [{ id: "klieg", name: "Klieg", enabled: true, kind: "klieg", url, channel: "demo", protocol }],
    program: "large",
    preview: "large",
  };
}

/** The colour of the picture that a page shows at a point of the canvas. */
function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  return page.evaluate(
    ({ x, y, width, height }) => {
      const video = document.querySelector("video") as HTMLVideoElement;
      const canvas = new OffscreenCanvas(1, 1);
      const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
      const [wide, high] = [video.videoWidth, video.videoHeight];
      context.drawImage(video, (x / width) * wide, (y / height) * high, 1, 1, 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    },
    { x, y, ...CANVAS },
  );
}

/** Resolves once a page shows a scene. */
export async function shows(
  page: Page,
  what: string,
  points: readonly (readonly [number, number, Rgb])[],
): Promise<void> {
  let seen: number[][] = [];
  await until(
    async () => {
      seen = await Promise.all(points.map(([x, y]) => colourAt(page, x, y)));
      return seen.every((colour, i) => difference(colour, points[i]?.[2] ?? []) < COLOUR_DIFFERENCE);
    },
    { what, timeoutMs: 15_000, diagnose: () => JSON.stringify(seen) },
  );
}

/** Points of the first scene's picture, with their colours. */
export const LARGE = [
  [100, 200, CAMERA],
  [320, 120, CAMERA],
  [560, 300, BADGE],
] as const;
/** As above, of the second scene. */
export const SMALL = [
  [100, 200, BACKDROP],
  [560, 120, BACKDROP],
  [480, 280, CAMERA],
] as const;
